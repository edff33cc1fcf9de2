"""FID and intervals against closed forms."""

from __future__ import annotations

import subprocess
import sys
from math import sqrt

import numpy as np
import pytest
import torch

from ganlib.intervals import block_interval, wilson_interval
from ganlib.metrics.fidelity import interpolate_pairs
from ganlib.metrics.frechet import Statistics, frechet, frechet_of, statistics


def test_fid_of_two_gaussians_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    a, b = rng.uniform(0.1, 3, (2, 8))
    mu = rng.normal(size=(2, 8))
    covariances = [rotation @ np.diag(v) @ rotation.T for v in (a, b)]  # they commute: the root is explicit
    expected = ((mu[0] - mu[1]) ** 2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    x, y = (Statistics(m, c, 100) for m, c in zip(mu, covariances, strict=True))
    assert frechet(x, y) == pytest.approx(expected, rel=1e-9)
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)


def test_fid_of_samples_approaches_that_of_their_gaussians() -> None:
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(50_000, 3, generator=generator)
    b = torch.randn(50_000, 3, generator=generator) * 2 + torch.tensor([1.0, 0, 0])
    assert frechet(statistics(a), statistics(b)) == pytest.approx(1 + 3 * (2 - 1) ** 2, rel=0.02)


def test_fid_of_flat_clouds_is_the_closed_form_too() -> None:
    """Dimensions without variance make the covariances singular, as fewer images than dimensions do."""
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    a, b = rng.uniform(0.1, 3, (2, 8)) * [[1, 1, 1, 0, 0, 0, 1, 0], [1, 1, 0, 0, 0, 1, 1, 0]]
    mu = rng.normal(size=(2, 8))
    x, y = (Statistics(m, rotation @ np.diag(v) @ rotation.T, 100) for m, v in zip(mu, (a, b), strict=True))
    expected = ((mu[0] - mu[1]) ** 2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert frechet(x, y) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("n", [2, 5, 40])
def test_fid_of_fewer_images_than_dimensions_is_finite_and_large(n: int) -> None:
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2_000, 64, generator=generator), torch.randn(2_000, 64, generator=generator)
    result = frechet(statistics(real), statistics(fake[:n]))
    assert np.isfinite(result)
    assert frechet_of(fake[:n], statistics(real)) == pytest.approx(result, rel=1e-6)
    assert result > 2 * frechet(statistics(real), statistics(fake))


def test_fid_of_one_picture_again_and_again_is_that_of_a_point() -> None:
    real = torch.randn(500, 6, generator=torch.Generator().manual_seed(0)).double()
    alike = torch.full((30, 6), 2.0)
    expected = ((real.mean(0) - 2) ** 2).sum() + real.var(0).sum()
    assert frechet(statistics(real), statistics(alike)) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("path", ["slerp", "lerp"])
def test_points_between_begin_and_end_where_they_should(path: str) -> None:
    a, b = torch.randn(2, 5, 3, 2, generator=torch.Generator().manual_seed(0))
    for t, expected in [(0.0, a), (1.0, b)]:
        assert torch.allclose(interpolate_pairs(a, b, torch.full((5,), t), path), expected, atol=1e-5)
    halfway = interpolate_pairs(a, b, torch.full((5,), 0.5), path)
    if path == "lerp":
        assert torch.allclose(halfway, (a + b) / 2)
    else:  # as long as the ends, where they are equally long
        c = b * (a.flatten(1).norm(dim=1) / b.flatten(1).norm(dim=1))[:, None, None]
        assert torch.allclose(
            interpolate_pairs(a, c, torch.full((5,), 0.5), path).flatten(1).norm(dim=1), a.flatten(1).norm(dim=1)
        )


def test_interval_of_blocks_lies_around_the_value_of_all_images() -> None:
    result = block_interval(10.0, [11.0, 12.0, 13.0, 14.0], 4000)
    half = 3.182446 * sqrt(5 / 3) / 2  # t-quantile of 3 degrees of freedom
    assert result is not None
    assert (result.low, result.high) == pytest.approx((10 - half, 10 + half), rel=1e-6)
    assert "4 disjoint seed blocks of 1,000 images" in result.how
    assert block_interval(10.0, [], 4000) is None
    share = block_interval(0.99, [0.9, 1.0], 4000, proportion=True)
    assert share is not None
    assert (share.low < 0.99, share.high) == (True, 1.0)


def test_interval_of_a_share_is_wilsons() -> None:
    result = wilson_interval(8, 10)
    assert (result.low, result.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(10, 10).high == 1
    assert wilson_interval(0, 10).low == 0


@pytest.mark.slow
def test_an_evaluation_imports_torch_fidelity_only_where_it_uses_it() -> None:
    """It brings torchvision and torch's compiler: as long as all else that is imported, in every process."""
    heavy = {"torch_fidelity", "torchvision", "torch._dynamo", "sklearn", "timm"}
    program = f"import sys, ganlib.metrics.evaluate; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
