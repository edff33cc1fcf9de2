"""Whether the features of two sets of images have the same distribution: component by component, and all at once.

The usual test is the t-test of each component's mean, and the share of components that it rejects at 5 %. Others are
Kolmogorov and Smirnov's, which sees more than means; the share that remains where the false discoveries of so many
dependent tests are controlled (Benjamini, Yekutieli, Annals of Statistics 29, 2001, p. 1165); and the energy distance
of whole vectors (Székely, Rizzo, J. Statist. Plann. Inference 143, 2013, p. 1249), whose null distribution is that of
permuted labels.

Images of one group (frames of a sequence, near-duplicates) depend on each other and count as one: the t-test compares
the means of groups, tests of whole distributions one image of each.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, ks_2samp, permutation_test, ttest_ind
from sklearn.metrics.pairwise import euclidean_distances

from ganlib.errors import GanlibError

ALPHA = 0.05
SUBSET = 2_000  # images a side behind the energy distance: its matrix of distances grows with the square
PERMUTATIONS = 999
LEAST = 4  # images a side

Features = NDArray[np.floating]
Groups = NDArray[np.int64]


class EnergyTest(NamedTuple):
    distance: float  # 2 E|X - Y| - E|X - X'| - E|Y - Y'|, 0 for equal distributions
    p_value: float
    n: int  # images a side


def t_tests(a: Features, b: Features) -> NDArray[np.float64]:
    """(n, d), (m, d) -> (d,) two-sided p-values of Welch's t-test; NaN for components that never vary."""
    return _of_varying(a, b, lambda x, y: ttest_ind(x, y, equal_var=False).pvalue)


def ks_tests(a: Features, b: Features) -> NDArray[np.float64]:
    """(n, d), (m, d) -> (d,) p-values of the two-sample test of Kolmogorov and Smirnov; NaN as in ``t_tests``."""

    def test(x: Features, y: Features) -> NDArray[np.float64]:
        return np.array([ks_2samp(u, v, method="asymp").pvalue for u, v in zip(x.T, y.T, strict=True)])

    return _of_varying(a, b, test)


def _of_varying(
    a: Features, b: Features, test: Callable[[Features, Features], NDArray[np.float64]]
) -> NDArray[np.float64]:
    if min(len(a), len(b)) < LEAST:
        raise GanlibError(f"A test of features takes {LEAST} images of either side; there are {len(a)} and {len(b)}.")
    varying = (np.ptp(a, axis=0) > 0) | (np.ptp(b, axis=0) > 0)
    p_values = np.full(a.shape[1], np.nan)
    with warnings.catch_warnings():
        # scipy warns where a component is constant on one side; its other side varies, so that the test holds.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        # Float64: the variance of a component that hardly varies is lost in float32.
        p_values[varying] = test(a[:, varying].astype(np.float64), b[:, varying].astype(np.float64))
    return p_values


def rejected(p_values: NDArray[np.float64], *, control: bool) -> float:
    """Share of the tested components whose equality is rejected at 5 %; ``control``: of false discoveries, by BY."""
    tested = p_values[np.isfinite(p_values)]
    if not len(tested):
        return 0.0
    return float(((false_discovery_control(tested, method="by") if control else tested) < ALPHA).mean())


class Units(NamedTuple):
    """What of a side is independent: a group, of which an image alone is one."""

    means: Features  # (g, d) of each group's features
    images: Features  # (g, d) of one image of each group

    @classmethod
    def of(cls, features: Features, groups: Groups | None) -> Units:
        """(n, d) features and (n,) numbers of groups, None where each image is one."""
        if groups is None or len(np.unique(groups)) == len(groups):
            return cls(features, features)
        _, first, index, counts = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
        sums = np.zeros((len(counts), features.shape[1]))
        np.add.at(sums, index, features)
        return cls(sums / counts[:, None], features[first])

    def select(self, rows: NDArray[np.int64]) -> Units:
        return Units(self.means[rows], self.images[rows])


def component_table(
    real: Features, synthetic: Features, groups: tuple[Groups, Groups] | None = None, *, seed: int = 0
) -> pd.DataFrame:
    """Shares of components rejected within random halves of either side, and between the sides.

    Columns: comparison, n (groups of its first set), m, components, and t, t_controlled, ks, ks_controlled as
    proportions. Between the sides half of each is compared, too: as many groups as within, so that all tests have one
    power. ``groups``: (n,), (m,) numbers of images that depend on each other; a group lies in one half.
    """
    rng = np.random.default_rng([seed, 4])
    a, b = groups or (None, None)
    of_real, of_synthetic = Units.of(real, a), Units.of(synthetic, b)
    real_halves, synthetic_halves = _halves(of_real, rng), _halves(of_synthetic, rng)
    pairs = {
        "within real": real_halves,
        "within synthetic": synthetic_halves,
        "between halves": (real_halves[0], synthetic_halves[0]),
        "between": (of_real, of_synthetic),
    }
    rows = []
    for comparison, (x, y) in pairs.items():
        t, ks = t_tests(x.means, y.means), ks_tests(x.images, y.images)
        row: dict[str, object] = {"comparison": comparison, "n": len(x.means), "m": len(y.means)}
        row["components"] = int(np.isfinite(t).sum())
        for name, p_values in (("t", t), ("ks", ks)):
            row |= {name: rejected(p_values, control=False), f"{name}_controlled": rejected(p_values, control=True)}
        rows.append(row)
    return pd.DataFrame(rows)


def _halves(units: Units, rng: np.random.Generator) -> tuple[Units, Units]:
    order = rng.permutation(len(units.means))
    return units.select(order[: len(order) // 2]), units.select(order[len(order) // 2 :])


def energy_test(a: Features, b: Features, *, seed: int = 0, permutations: int = PERMUTATIONS) -> EnergyTest:
    """(n, d), (m, d) -> the energy distance of up to 2,000 of either, and its permutation test.

    Components are divided by their joint standard deviation, so that none rules by its unit.
    """
    rng = np.random.default_rng([seed, 5])
    x, y = (features[rng.permutation(len(features))[:SUBSET]].astype(np.float32) for features in (a, b))
    if min(len(x), len(y)) < LEAST:
        raise GanlibError(f"The energy distance takes {LEAST} images of either side; there are {len(x)} and {len(y)}.")
    points = np.concatenate([x, y])
    scale = points.std(axis=0)
    points /= np.where(scale > 0, scale, 1)
    distances = euclidean_distances(points).astype(np.float32)

    def statistic(first: NDArray[np.int64], second: NDArray[np.int64], axis: int = -1) -> NDArray[np.float64]:
        """Of the points of these numbers: minus the quadratic form of distances with weights 1/n and -1/m."""
        first, second = np.atleast_2d(np.moveaxis(first, axis, -1)), np.atleast_2d(np.moveaxis(second, axis, -1))
        weights = np.zeros((len(first), len(points)), np.float32)
        np.put_along_axis(weights, first, 1 / first.shape[1], axis=1)
        np.put_along_axis(weights, second, -1 / second.shape[1], axis=1)
        return -np.einsum("ij,ij->i", weights @ distances, weights)

    result = permutation_test(
        (np.arange(len(x)), np.arange(len(x), len(points))),
        statistic,
        vectorized=True,
        n_resamples=permutations,
        batch=100,
        alternative="greater",
        rng=np.random.default_rng([seed, 6]),
    )
    return EnergyTest(float(np.squeeze(result.statistic)), float(np.squeeze(result.pvalue)), min(len(x), len(y)))
