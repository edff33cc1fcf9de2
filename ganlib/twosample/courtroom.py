"""The courtroom: faults are planted in real images; which metrics and tests notice, and from which strength on?

A test notices where its p-value is below 5 %. A metric without one notices where its value leaves the 95 % prediction
interval of the same metric on other faultless images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ganlib.errors import GanlibError
from ganlib.intervals import t_quantile
from ganlib.metrics.fidelity import kernel_distance
from ganlib.metrics.frechet import frechet, statistics
from ganlib.metrics.neighbours import density_coverage, precision_recall
from ganlib.twosample.faults import FAULTS
from ganlib.twosample.feature_tests import energy_test, ks_tests, rejected, t_tests
from ganlib.twosample.groups import Grouping, halves
from ganlib.twosample.memorisation import image_points, memorisation
from ganlib.twosample.network import apply, train
from ganlib.twosample.separation import separate
from ganlib.twosample.strong import logistic_scores, neighbour_test

ALPHA = 0.05
NEIGHBOURS = {"precision": 3, "density": 5}
FAULTLESS = 5  # draws behind the prediction interval

Images = NDArray[np.uint8]
Features = NDArray[np.float32]
Extract = Callable[[Images], Features]
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Evidence:
    """What instruments look at: real images, suspects, and those that a model would have been trained on."""

    real: Images
    suspects: Images
    training: Images
    held_out: Images
    real_features: Features
    features: Features  # of the suspects
    seed: int


Instrument = Callable[[Evidence], Iterator[tuple[str, float, float]]]  # (name, value, p-value or NaN)


def distances(evidence: Evidence) -> Iterator[tuple[str, float, float]]:
    real, fake = torch.from_numpy(evidence.real_features), torch.from_numpy(evidence.features)
    yield "FID", frechet(statistics(real), statistics(fake)), np.nan
    yield "KID", kernel_distance(real, fake, min(len(real), len(fake), 1000)), np.nan
    precision, recall = precision_recall(real, fake, NEIGHBOURS["precision"])
    yield "precision", precision, np.nan
    yield "recall", recall, np.nan
    density, coverage = density_coverage(real, fake, NEIGHBOURS["density"])
    yield "density", density, np.nan
    yield "coverage", coverage, np.nan


def classifiers(evidence: Evidence) -> Iterator[tuple[str, float, float]]:
    images = np.concatenate([evidence.real, evidence.suspects])
    features = np.concatenate([evidence.real_features, evidence.features])
    is_real, groups = np.arange(len(images)) < len(evidence.real), np.arange(len(images))
    training = halves(is_real, Grouping(groups, []), evidence.seed)
    network = train(images[training], is_real[training], CPU, seed=evidence.seed)
    for name, scores in (
        ("small network", apply(network, images, CPU)[0]),
        ("logistic regression", logistic_scores(features, is_real, training)),
    ):
        result = separate(scores[~training & is_real], scores[~training & ~is_real], resamples=1)
        yield name, result.auc, result.p_value
    neighbours = neighbour_test(features, is_real, groups, seed=evidence.seed)
    yield "nearest neighbour", neighbours.accuracy, neighbours.p_value


def feature_tests(evidence: Evidence) -> Iterator[tuple[str, float, float]]:
    real, fake = evidence.real_features, evidence.features
    energy = energy_test(real, fake, seed=evidence.seed, permutations=199)
    yield "energy distance", energy.distance, energy.p_value
    for name, test in (("t-test, BY", t_tests), ("Kolmogorov-Smirnov, BY", ks_tests)):
        share = rejected(test(real, fake), control=True)
        yield name, share, 0.0 if share else 1.0  # that any component is rejected has a level of 5 %


def copies(evidence: Evidence) -> Iterator[tuple[str, float, float]]:
    views = [image_points(images) for images in (evidence.held_out, evidence.suspects)]
    result = memorisation(image_points(evidence.training)[0], *views)
    yield "nearer to training images", result.p_value, result.p_value
    yield "copies", result.copies / len(evidence.suspects), 0.0 if result.copies else 1.0


INSTRUMENTS: tuple[Instrument, ...] = (distances, classifiers, feature_tests, copies)


def courtroom(
    images: Images,
    labels: NDArray[np.int64],
    training: Images,
    extract: Extract,
    *,
    n: int,
    faults: tuple[str, ...] = (),
    instruments: tuple[Instrument, ...] = INSTRUMENTS,
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> pd.DataFrame:
    """Real images (N, H, W, C) with labels, others that stand for a training set -> one row an instrument and fault.

    Columns: fault ("none" for faultless draws), strength, unit, instrument, value, p_value, noticed. Of the images n
    are the real side, n are held out, n suspect; GanlibError where there are fewer than 3 n. Some ``instruments`` alone
    are asked where all would take too long.
    """
    if len(images) < 3 * n:
        raise GanlibError(f"The courtroom takes {3 * n:,} real images for n = {n:,}; there are {len(images):,}.")
    rng = np.random.default_rng([seed, 8])
    cases = [(name, strength) for name in faults or tuple(FAULTS) for strength in FAULTS[name].strengths]
    total, rows = FAULTLESS + len(cases), []
    features = extract(images)
    for done, (name, strength) in enumerate([("none", float(i)) for i in range(FAULTLESS)] + cases):
        order = rng.permutation(len(images))
        real, held_out, suspects = order[:n], order[n : 2 * n], order[2 * n : 3 * n]
        faulty, of_faulty = images[suspects], features[suspects]
        if name != "none":
            faulty = FAULTS[name].plant(faulty, labels[suspects], training, strength, rng)
            of_faulty = extract(faulty)
        evidence = Evidence(images[real], faulty, training, images[held_out], features[real], of_faulty, seed + done)
        unit = FAULTS[name].unit if name != "none" else ""
        for instrument in instruments:
            for title, value, p_value in instrument(evidence):
                rows.append((name, strength, unit, title, value, p_value))
        progress("faults", done + 1, total)
    frame = pd.DataFrame(rows, columns=["fault", "strength", "unit", "instrument", "value", "p_value"])
    return frame.assign(noticed=noticed(frame))


def noticed(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """(rows,): a p-value of at most 5 %; without one, a value outside the prediction interval of faultless draws."""
    result = np.array(frame["p_value"] < ALPHA)
    for _, rows in frame[frame["p_value"].isna()].groupby("instrument"):
        values = rows.loc[rows["fault"] == "none", "value"].to_numpy()
        half = t_quantile(len(values) - 1) * values.std(ddof=1) * sqrt(1 + 1 / len(values))
        result[rows.index] = (abs(rows["value"] - values.mean()) > half).to_numpy()
    return result


def thresholds(frame: pd.DataFrame) -> pd.DataFrame:
    """Instruments by faults: the strength from which on, at that and every higher one, it is noticed; NaN for never."""

    def first(rows: pd.DataFrame) -> float:
        rows = rows.sort_values("strength", ascending=False)
        unbroken = rows["noticed"].cummin()
        return float(rows.loc[unbroken, "strength"].min())

    faulty = frame[frame["fault"] != "none"]
    table = {key: first(rows) for key, rows in faulty.groupby(["instrument", "fault"], sort=False)}
    return pd.Series(table).unstack(sort=False)
