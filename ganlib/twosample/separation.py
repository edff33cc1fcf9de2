"""How well one score tells two sets of images apart, on images that its classifier has not seen.

A classifier two-sample test: Lopez-Paz, Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017, arXiv:1610.06545.
The p-value is Mann and Whitney's of the held-out scores. Scores pooled over folds depend on each other through the
images that their classifiers share, so that no test of them holds its level: none is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, norm
from sklearn.metrics import auc, average_precision_score, roc_curve

from ganlib.errors import GanlibError
from ganlib.records import Interval

LEVEL = 0.95  # of intervals and of power
ALPHA = 0.05  # of tests
RESAMPLES = 400  # of the bootstrap
SIMULATIONS = 400  # of the test, for its power
LARGEST = 1_000_000  # images a side beyond which no number is given
FALSE_POSITIVE_RATES = np.linspace(0, 1, 101)  # at which the ROC curve is stored
LEAST = 4  # images a side: of fewer no arrangement is rarer than 5 %

Scores = NDArray[np.float64]
Groups = NDArray[np.int64]


@dataclass(frozen=True)
class Separation:
    """Of n held-out images a side. ``auc`` is 0.5 where nothing tells them apart.

    Where images depend on each other, ``sufficient`` counts groups of them, each of which is one independent image.
    """

    auc: float
    auc_interval: Interval
    average_precision: float  # of real images, which count as positive
    average_precision_interval: Interval
    p_value: float
    sufficient: int | None  # images a side that tell the sides apart at 95 %; None where these do not
    detectable_auc: float  # that as many images would have shown at 95 %, were this the only test
    n_real: int
    n_synthetic: int
    roc: pd.DataFrame  # fpr, tpr, low, high

    @property
    def differs(self) -> bool:
        return self.p_value < ALPHA


def separate(
    real: Scores,
    synthetic: Scores,
    groups: tuple[Groups, Groups] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Separation:
    """(n,), (m,) scores of held-out images, high for real -> what they say.

    ``groups``: (n,), (m,) numbers of images that depend on each other, such as frames of one sequence. The bootstrap
    draws whole groups and the test compares their means. GanlibError where there are too few.
    """
    units = (real, synthetic) if groups is None else (group_means(real, groups[0]), group_means(synthetic, groups[1]))
    if min(map(len, units)) < LEAST:
        what = "images" if groups is None else "independent groups of images"
        counts = " and ".join(str(len(unit)) for unit in units)
        raise GanlibError(f"A test takes {LEAST} held-out {what} of either side; there are {counts}: give more images.")
    value, precision, curve = summarise(real, synthetic)
    draws = [summarise(real, synthetic, *weights) for weights in bootstrap(real, synthetic, groups, resamples, seed)]
    curves = np.quantile([draw[2] for draw in draws], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    p_value = float(mannwhitneyu(*units, alternative="greater").pvalue)
    n = harmonic_mean(*map(len, units))
    return Separation(
        auc=value,
        auc_interval=_interval([draw[0] for draw in draws], resamples, groups is not None),
        average_precision=precision,
        average_precision_interval=_interval([draw[1] for draw in draws], resamples, groups is not None),
        p_value=p_value,
        sufficient=sufficient_images(*units, seed=seed) if p_value < ALPHA else None,
        detectable_auc=min(0.5 + _quantiles() / sqrt(6 * n), 1.0),
        n_real=len(real),
        n_synthetic=len(synthetic),
        roc=pd.DataFrame({"fpr": FALSE_POSITIVE_RATES, "tpr": curve, "low": curves[0], "high": curves[1]}),
    )


def summarise(
    real: Scores, synthetic: Scores, real_weight: Scores | None = None, synthetic_weight: Scores | None = None
) -> tuple[float, float, Scores]:
    """ROC-AUC, average precision, true positive rate at ``FALSE_POSITIVE_RATES``."""
    truth = np.repeat([1, 0], [len(real), len(synthetic)])
    scores = np.concatenate([real, synthetic])
    weights = None
    if real_weight is not None and synthetic_weight is not None:
        weights = np.concatenate([real_weight, synthetic_weight])
        truth, scores, weights = (values[weights > 0] for values in (truth, scores, weights))
    fpr, tpr, _ = roc_curve(truth, scores, sample_weight=weights)
    precision = average_precision_score(truth, scores, sample_weight=weights)
    return float(auc(fpr, tpr)), float(precision), np.interp(FALSE_POSITIVE_RATES, fpr, tpr)


def bootstrap(
    real: Scores, synthetic: Scores, groups: tuple[Groups, Groups] | None, resamples: int, seed: int
) -> list[tuple[Scores, Scores]]:
    """How often each image of either side is drawn: whole groups with replacement."""
    rng = np.random.default_rng([seed, 1])
    members = [np.arange(len(scores)) for scores in (real, synthetic)] if groups is None else groups
    indices = [np.unique(member, return_inverse=True)[1] for member in members]

    def draw(index: NDArray[np.intp]) -> Scores:
        count = int(index.max()) + 1
        return rng.multinomial(count, np.full(count, 1 / count))[index].astype(float)

    return [(draw(indices[0]), draw(indices[1])) for _ in range(resamples)]


def group_means(scores: Scores, groups: Groups) -> Scores:
    """(n,), (n,) -> the mean score of each group."""
    _, index = np.unique(groups, return_inverse=True)
    return np.bincount(index, scores) / np.bincount(index)


def sufficient_images(real: Scores, synthetic: Scores, *, seed: int = 0) -> int | None:
    """Images a side with which Mann and Whitney's test at 5 % tells these sides apart in 95 of 100 cases.

    Noether's formula (JASA 82, 1987, p. 645) from the AUC is the start; the number is the smallest whose simulated
    power, of draws from these scores, reaches 95 %. None beyond ``LARGEST``.
    """
    value = summarise(real, synthetic)[0]
    if value <= 0.5:
        return None
    start = noether(value)
    if start > LARGEST:
        return None
    low, high = 2, max(start, LEAST)  # power falls short at low; at 2 a side no arrangement is rare enough
    while power(real, synthetic, high, seed) < LEVEL:
        low, high = high, 2 * high
        if high > 2 * LARGEST:
            return None
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        if power(real, synthetic, middle, seed) < LEVEL:
            low = middle
        else:
            high = middle
    return high


def noether(value: float) -> int:
    """Images a side for a power of 95 % at an AUC of ``value``, one-sided at 5 %."""
    return ceil(_quantiles() ** 2 / (6 * (value - 0.5) ** 2))


def detectable_among(value: float, tests: int) -> float:
    """``Separation.detectable_auc`` of one of so many tests, each of which takes a p-value below 5 % / ``tests``."""
    return min(0.5 + (value - 0.5) * _quantiles(tests) / _quantiles(), 1.0)


def power(real: Scores, synthetic: Scores, n: int, seed: int = 0) -> float:
    """Share of draws of n a side in which the test rejects."""
    rng = np.random.default_rng([seed, 2, n])
    rejections, done = 0, 0
    while done < SIMULATIONS:
        rows = min(SIMULATIONS - done, max(1, 2_000_000 // n))  # 16 MB of scores at a time
        a, b = (scores[rng.integers(len(scores), size=(rows, n))] for scores in (real, synthetic))
        rejections += int((mannwhitneyu(a, b, alternative="greater", axis=1).pvalue < ALPHA).sum())
        done += rows
    return rejections / SIMULATIONS


def harmonic_mean(n: int, m: int) -> float:
    return 2 * n * m / (n + m)


def _quantiles(tests: int = 1) -> float:
    """By so many standard errors an AUC exceeds 0.5 that one of so many tests sees in 95 of 100 cases."""
    return float(norm.ppf(1 - ALPHA / tests) + norm.ppf(LEVEL))


def _interval(values: list[float], resamples: int, grouped: bool) -> Interval:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    units = "groups of held-out images" if grouped else "held-out images"
    return Interval(float(low), float(high), f"{LEVEL:.0%}: bootstrap over {units}, {resamples} resamples")
