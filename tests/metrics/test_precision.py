"""Metrics of features far from zero for their spread keep their digits: against plain NumPy in extended precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ganlib.metrics.fidelity import kernel_distance
from ganlib.metrics.frechet import frechet, statistics
from ganlib.metrics.neighbours import density_coverage, precision_recall

N, D, SUBSET = 150, 8, 60


def clouds(kind: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features of real and of generated images, as extractors give them: float32."""
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((N, D)), 0.1 + 0.9 * rng.standard_normal((N, D))
    if kind == "rectified":  # as after a ReLU: all at or above zero, some far above
        real, fake = np.maximum(real, 0) ** 2 * 5, np.maximum(fake, 0) ** 2 * 5
    elif kind == "clusters":  # each tight, far from the other and from the mean
        side = np.where(np.arange(N) % 2, 100.0, -100.0)[:, None]
        real, fake = side + real / 10, side + fake / 10
    else:
        real, fake = real + float(kind), fake + float(kind)
    return real.astype(np.float32), fake.astype(np.float32)


kinds = pytest.mark.parametrize("kind", ["0", "1000", "rectified", "clusters"])


def distances(a: Any, b: Any) -> NDArray[np.longdouble]:
    a, b = a.astype(np.longdouble), b.astype(np.longdouble)
    return np.array([np.sqrt(((row - b) ** 2).sum(1)) for row in a])


@kinds
def test_neighbours_are_those_of_exact_distances(kind):
    real, fake = clouds(kind)
    between = distances(fake, real)
    real_reach, fake_reach = (np.sort(distances(x, x))[:, 3] for x in (real, fake))
    exact = (between <= real_reach).any(1).mean(), (fake_reach >= between.T).any(1).mean()
    assert precision_recall(torch.tensor(real), torch.tensor(fake), 3) == pytest.approx(exact)
    within = between <= np.sort(distances(real, real))[:, 5]
    exact = within.sum() / (5 * N), within.any(0).mean()
    assert density_coverage(torch.tensor(real), torch.tensor(fake), 5) == pytest.approx(exact)


@kinds
def test_kid_is_that_of_exact_kernels(kind):
    real, fake = clouds(kind)
    rng, values = np.random.RandomState(2020), []  # torch-fidelity's subsets
    for _ in range(100):
        x = fake[rng.choice(N, SUBSET, replace=False)].astype(np.longdouble)
        y = real[rng.choice(N, SUBSET, replace=False)].astype(np.longdouble)
        xx, yy, xy = ((a @ b.T / D + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
        off_diagonal = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
        values.append(off_diagonal / (SUBSET * (SUBSET - 1)) - 2 * xy.mean())
    expected = float(np.mean(values))
    assert kernel_distance(torch.tensor(real), torch.tensor(fake), SUBSET) == pytest.approx(expected, rel=1e-3)


@kinds
def test_statistics_are_those_of_centred_features(kind):
    real, fake = clouds(kind)
    for features in (real, fake):
        exact = features.astype(np.longdouble)
        centred = exact - exact.mean(0)
        result = statistics(torch.tensor(features))
        assert result.mu == pytest.approx(exact.mean(0).astype(float), rel=1e-12, abs=1e-12)
        assert result.sigma == pytest.approx((centred.T @ centred / (N - 1)).astype(float), rel=1e-9, abs=1e-9)
    shifted = [statistics(torch.tensor(x) - torch.tensor(real).mean(0)) for x in (real, fake)]
    in_place = frechet(statistics(torch.tensor(real)), statistics(torch.tensor(fake)))
    assert in_place == pytest.approx(frechet(*shifted), rel=1e-4)
