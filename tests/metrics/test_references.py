"""Each metric of features and of pictures beside a slow one in float64, written down from its definition, on inputs of
every size: tiny, huge, singular, of few images, of one picture again and again.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats
from scipy.special import logsumexp

from ganlib.intervals import block_interval, mean_interval, wilson_interval
from ganlib.metrics.fidelity import inception_scores, kernel_distance
from ganlib.metrics.frechet import frechet, frechet_of, statistics
from ganlib.metrics.measures import MEASURES, FakeFeatures, RealFeatures
from ganlib.metrics.path_length import trimmed_mean
from ganlib.metrics.similarity import psnr, ssim

D = 12
Features = NDArray[np.float32]


def features(kind: str) -> tuple[Features, Features]:
    """(real, fake) as an extractor gives them."""
    rng = np.random.default_rng(7)
    real, fake = rng.standard_normal((80, D)), 0.2 + 0.8 * rng.standard_normal((70, D))
    changes = {
        "plain": lambda: (real, fake),
        "tiny": lambda: (1e-6 * real, 1e-6 * fake),
        "huge": lambda: (1e6 * real, 1e6 * fake),
        "of other scales": lambda: (real * np.logspace(-3, 3, D), fake * np.logspace(-3, 3, D)),
        "few": lambda: (real, fake[:5]),
        "two": lambda: (real[:2], fake[:2]),
        "one picture": lambda: (real, np.repeat(fake[:1], 70, 0)),
        "on a line": lambda: (real[:, :1] * np.ones(D), fake[:, :1] * np.arange(D)),
        "heavy tails": lambda: (real**5, fake**5),
        "the same": lambda: (real, real),
        "far away": lambda: (real + 300, fake + 300),
    }
    a, b = changes[kind]()
    return a.astype(np.float32), b.astype(np.float32)


kinds = pytest.mark.parametrize(
    "kind",
    [
        *("plain", "tiny", "huge", "of other scales", "few", "two", "one picture", "on a line", "heavy tails"),
        *("the same", "far away"),
    ],
)


def reference_fid(real: Features, fake: Features) -> tuple[float, float]:
    """With centred rows A and B, tr((AᵀA BᵀB)^½) is the sum of the singular values of A Bᵀ: no root of a matrix. Also
    the size of the terms that are subtracted, beyond whose last digits nothing can be known.
    """
    a, b = real.astype(np.longdouble), fake.astype(np.longdouble)
    A = ((a - a.mean(0)) / np.sqrt(len(a) - 1)).astype(np.float64)
    B = ((b - b.mean(0)) / np.sqrt(len(b) - 1)).astype(np.float64)
    roots = np.linalg.svd(A @ B.T, compute_uv=False).sum()
    size = float(((a.mean(0) - b.mean(0)) ** 2).sum() + (A * A).sum() + (B * B).sum())
    return size - 2 * float(roots), size


@kinds
def test_fid(kind):
    real, fake = features(kind)
    expected, size = reference_fid(real, fake)
    of_real = statistics(torch.tensor(real))
    for value in (frechet(of_real, statistics(torch.tensor(fake))), frechet_of(torch.tensor(fake), of_real)):
        assert value == pytest.approx(expected, rel=1e-6, abs=2e-7 * size)


@pytest.mark.parametrize("kind", ["plain", "tiny", "huge", "far away"])
def test_fid_infinity(kind):
    real, fake = features(kind)
    sizes = np.linspace(max(len(fake) // 10, 2), len(fake), 15).astype(int)
    values = [reference_fid(real, fake[:n])[0] for n in sizes]
    slope_and_limit = np.polyfit(1 / sizes, values, 1)
    given = RealFeatures(statistics(torch.tensor(real)), torch.tensor(real), ())
    made = FakeFeatures(torch.tensor(fake), torch.zeros(len(fake), 2), None)
    (value,) = MEASURES["fid_infinity"](given, made, 1)
    assert value.value == pytest.approx(slope_and_limit[1], rel=1e-4)


@pytest.mark.parametrize("kind", ["plain", "tiny", "huge", "heavy tails", "far away"])
def test_kid(kind):
    """The same subsets as torch-fidelity's."""
    real, fake = features(kind)
    rng, size, values = np.random.RandomState(2020), 30, []
    for _ in range(100):
        x = fake[rng.choice(len(fake), size, replace=False)].astype(np.longdouble)
        y = real[rng.choice(len(real), size, replace=False)].astype(np.longdouble)
        xx, yy, xy = (((a @ b.T) / D + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
        within = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
        values.append(float(within / (size * (size - 1)) - 2 * xy.mean()))
    value = kernel_distance(torch.tensor(real), torch.tensor(fake), size)
    assert value == pytest.approx(np.mean(values), rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 30.0, 1000.0, 1e30])
@pytest.mark.parametrize("classes", [2, 10])
def test_inception_score(scale, classes):
    """Also of classes that no image is of, whose probability is zero in float64."""
    logits = scale * np.random.default_rng(0).standard_normal((60, classes)).astype(np.float32)
    logits[:, -1] = -scale * 10
    scores = []
    for part in np.split(logits.astype(np.float64), 3):
        log_p = part - logsumexp(part, axis=1, keepdims=True)
        log_q = logsumexp(log_p, axis=0) - np.log(len(part))
        p = np.exp(log_p)
        scores.append(np.exp(np.where(p > 0, p * (log_p - log_q), 0).sum(1).mean()))
    assert inception_scores(torch.tensor(logits), 3) == pytest.approx(scores, rel=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_psnr_and_ssim(channels):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 256, (5, 24, 20, channels)).astype(np.uint8)
    outputs = np.clip(targets + rng.normal(0, 25, targets.shape), 0, 255).astype(np.uint8)
    outputs[3], targets[4], outputs[4] = targets[3], 0, 255  # equal, and as different as can be
    error = ((outputs.astype(float) - targets) ** 2).mean((1, 2, 3))
    expected = [100.0 if e == 0 else 10 * np.log10(255**2 / e) for e in error]
    assert psnr(outputs, targets) == pytest.approx(expected)

    def blur(image):
        return ndimage.gaussian_filter(image, 1.5, truncate=3.5)[5:-5, 5:-5]

    def similarity(x, y):
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        mx, my = blur(x), blur(y)
        vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
        return ((2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean()

    pairs = zip(outputs.astype(float), targets.astype(float), strict=True)
    expected = [np.mean([similarity(a[..., c], b[..., c]) for c in range(channels)]) for a, b in pairs]
    assert ssim(outputs, targets) == pytest.approx(expected, abs=1e-7)


def test_trimmed_mean_of_path_lengths():
    values = np.random.default_rng(0).standard_cauchy(1000) ** 2 * 1e6
    ordered = np.sort(values)
    assert trimmed_mean(torch.tensor(values)) == pytest.approx(ordered[9:991].mean())


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 10_000), (9_999, 10_000), (3, 7), (5_000, 10_000)])
def test_intervals(hits, n):
    exact = stats.binomtest(hits, n).proportion_ci(method="wilson")
    interval = wilson_interval(hits, n)
    assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high), abs=1e-12)
    values = np.random.default_rng(n).standard_normal(6) * 1e5 + 1e9
    blocks, mean = block_interval(3.0, values.tolist(), 60), mean_interval(values.tolist())
    assert blocks is not None
    assert mean is not None
    half = stats.t.interval(0.95, 5, scale=stats.sem(values))[1]
    assert (blocks.low, blocks.high) == pytest.approx((3 - half, 3 + half), rel=1e-9)
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert (mean.low, mean.high) == pytest.approx((low, high), rel=1e-12)
