"""DiffAugment, Zhao et al., arXiv:2006.10738: what each policy may and may not do to an image."""

from __future__ import annotations

import pytest
import torch

from ganlib.augment import POLICIES, color, cutout, diffaugment, translation

every_policy = pytest.mark.parametrize("policy", POLICIES)


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def images(n: int = 4, channels: int = 3, size: int = 16) -> torch.Tensor:
    return torch.rand(n, channels, size, size) * 2 - 1


def test_no_policy_is_the_identity_and_draws_nothing():
    x, before = images(), torch.get_rng_state()
    assert diffaugment(x, ()) is x
    assert torch.equal(torch.get_rng_state(), before)


@every_policy
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 16)])
def test_a_policy_keeps_the_shape_and_changes_each_image_in_its_own_way(policy, channels, size):
    x = images(1, channels, size).expand(8, -1, -1, -1)
    y = diffaugment(x, (policy,))
    assert y.shape == x.shape
    assert y.isfinite().all()
    assert len({tuple(image.flatten().tolist()) for image in y}) > 1


@every_policy
def test_the_gradient_flows_back_to_the_images(policy):
    x = images().requires_grad_()
    diffaugment(x, (policy,)).square().sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad.flatten(1).abs().sum(1) > 0).all()


def test_policies_apply_in_order():
    x = images()
    torch.manual_seed(1)
    both = diffaugment(x, ("color", "cutout"))
    torch.manual_seed(1)
    assert torch.equal(both, cutout(color(x)))


def test_color_is_affine_in_every_pixel_and_grey_stays_grey():
    grey = images(8, 1).expand(-1, 3, -1, -1)
    y = color(grey)
    torch.testing.assert_close(y[:, 0], y[:, 1])
    before, after = (t[:, 0].flatten(1) - t[:, 0].flatten(1).mean(1, keepdim=True) for t in (grey, y))
    contrast = after.norm(dim=1) / before.norm(dim=1)
    torch.testing.assert_close(after, before * contrast[:, None])  # contrast alone, after the mean moved
    assert ((contrast >= 0.5) & (contrast <= 1.5)).all()
    assert ((y.mean((1, 2, 3)) - grey.mean((1, 2, 3))).abs() <= 0.5).all()


def test_color_scales_the_distance_from_grey_by_up_to_three():
    x = images(200)
    y = color(x)
    spread = [(t - t.mean(1, keepdim=True)).flatten(1).norm(dim=1) for t in (x, y)]
    ratio = spread[1] / spread[0]
    assert ratio.max() <= 3  # saturation times contrast: 2 · 1.5
    assert ratio.max() > 1.5
    assert ratio.min() < 0.5


def test_color_leaves_the_mean_image_where_it_is():
    x = images(1)
    mean = color(x.expand(20_000, -1, -1, -1)).mean(0)
    torch.testing.assert_close(mean, x[0], atol=0.02, rtol=0)


def test_translation_moves_the_whole_image_by_at_most_an_eighth():
    x = images(64)
    seen = set()
    for before, after in zip(x, translation(x), strict=True):
        found = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if torch.equal(after, moved(before, dy, dx))]
        assert len(found) == 1
        seen.update(found)
    assert {dy for dy, _ in seen} == {dx for _, dx in seen} == {-2, -1, 0, 1, 2}


def moved(image: torch.Tensor, dy: int, dx: int) -> torch.Tensor:
    """Row y shows what stood at y + dy; zeros from beyond the border."""
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
    return padded[:, 2 + dy : 18 + dy, 2 + dx : 18 + dx]


@pytest.mark.parametrize("size", [8, 16])
def test_cutout_blanks_one_rectangle_that_a_square_of_half_the_side_left_inside(size):
    x = images(200, size=size).abs() + 0.1
    y = cutout(x)
    hole = y == 0
    assert torch.equal(y[~hole], x[~hole])
    heights = set()
    for h in hole:
        assert (h == h[0]).all()  # all channels alike
        rows, columns = h[0].any(1), h[0].any(0)
        assert torch.equal(h[0], rows[:, None] & columns[None])
        heights.add(int(rows.sum()))
        assert (rows.diff().sum() <= 2).all()
    assert max(heights) == size // 2
    assert min(heights) >= size // 4  # the centre stays inside, or on the border
