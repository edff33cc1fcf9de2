"""Strong classifiers of features: logistic regression, and nearest neighbours with their own test.

Nearest neighbours, leave-one-out: Schilling, JASA 81 (1986), p. 799; Xu et al., "An empirical study on evaluation
metrics of generative adversarial networks", arXiv:1806.07755.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganlib.errors import GanlibError

REGULARISATION = 0.01  # C, of standardised features: hundreds of components and few images overfit with 1
ITERATIONS = 200
PERMUTATIONS = 999

Features = NDArray[np.floating]


class NeighbourTest(NamedTuple):
    accuracy: float  # of all images: whether the nearest other one is of the same side; 0.5 for equal halves
    real_accuracy: float
    synthetic_accuracy: float
    p_value: float


def logistic_scores(features: Features, is_real: NDArray[np.bool_], training: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N, d), (N,), (N,) -> (N,) logits, high for real, of a regression fitted to the ``training`` rows alone."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION, max_iter=ITERATIONS))
    with warnings.catch_warnings():
        # The held-out AUC judges the fit, converged or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features[training], is_real[training])
    return model.decision_function(features).astype(np.float64)


def neighbour_test(
    features: Features, is_real: NDArray[np.bool_], groups: NDArray[np.int64], *, seed: int = 0
) -> NeighbourTest:
    """(N, d), (N,), (N,) -> how often the nearest image of another group is of the same side, and its test.

    The test permutes the sides over the one graph of neighbours: no fold, no assumption. Where groups hold several
    images the sides are permuted group by group only as far as groups have one image: the first image of each counts.
    GanlibError with fewer than four groups.
    """
    _, first = np.unique(groups, return_index=True)
    points, real = features[first], is_real[first]
    if len(points) < 4 or real.all() or not real.any():
        raise GanlibError(f"Nearest neighbours take four independent images of two sides; there are {len(points)}.")
    _, indices = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(points).kneighbors(points)
    own = indices[:, 0] == np.arange(len(points))  # a copy may come before the point itself
    nearest = np.where(own, indices[:, 1], indices[:, 0])

    def statistic(sides: NDArray[np.bool_], axis: int = -1) -> NDArray[np.float64]:
        sides = np.moveaxis(sides, axis, -1)
        return (sides == sides[..., nearest]).mean(axis=-1)

    result = permutation_test(
        (real,),
        statistic,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=100,
        alternative="greater",
        rng=np.random.default_rng([seed, 7]),
    )
    same = real == real[nearest]
    return NeighbourTest(float(same.mean()), float(same[real].mean()), float(same[~real].mean()), float(result.pvalue))


class Plane(NamedTuple):
    points: NDArray[np.float64]  # (N, 2)
    explained: tuple[float, ...]  # shares of the variance of both components


def principal_plane(features: Features) -> Plane:
    """(N, d) -> its two principal components."""
    if min(features.shape) < 2:
        raise GanlibError("Two principal components take two images of two features.")
    model = PCA(2, random_state=0)
    points = model.fit_transform(features)
    return Plane(points, tuple(np.nan_to_num(model.explained_variance_ratio_).tolist()))
