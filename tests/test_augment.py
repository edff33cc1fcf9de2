"""DiffAugment, arXiv:2006.10738, and adaptive augmentation, arXiv:2006.06676: what each may do to an image."""

from __future__ import annotations

import pytest
import torch

from ganlib.augment import (
    POLICIES,
    ada_augment,
    color,
    color_transform,
    cutout,
    diffaugment,
    geometric_transform,
    rotate_hue,
    translation,
)

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


def test_augmentation_with_probability_zero_is_the_identity_and_draws_nothing():
    x, before = images(), torch.get_rng_state()
    assert ada_augment(x, 0.0) is x
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(geometric_transform(5, 0.0, 16), torch.eye(3).expand(5, -1, -1))
    torch.testing.assert_close(color_transform(5, 0.0), torch.eye(4).expand(5, -1, -1))


@pytest.mark.parametrize("channels", [1, 3])
def test_augmentation_is_differentiable_and_each_images_own(channels):
    x = images(1, channels).expand(8, -1, -1, -1).clone().requires_grad_()
    y = ada_augment(x, 0.8)
    assert y.shape == x.shape
    assert len({tuple(image.flatten().tolist()) for image in y}) == 8
    y.square().sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad.flatten(1).norm(dim=1) > 0).all()


def test_a_share_p_of_images_is_altered_by_each_alteration():
    """What is left as it was has probability (1 - p)^k of k alterations; a quarter of all turns by 90° turn nothing."""
    n, p = 20_000, 0.3
    turned = 1 - (1 - p) ** 0.5
    moves = [p / 2, p * 3 / 4, p, p, turned, p, turned, p]
    untouched = (
        torch.isclose(geometric_transform(n, p, 64), torch.eye(3), atol=1e-6).all(2).all(1).float().mean().item()
    )
    expected = 1.0
    for move in moves:
        expected *= 1 - move
    # A shift by whole pixels may be one by none: 1 in 16 x 16.
    assert untouched == pytest.approx(expected, abs=0.01)
    kept = torch.isclose(color_transform(n, p), torch.eye(4), atol=1e-5).all(2).all(1).float().mean().item()
    assert kept == pytest.approx((1 - p) ** 4 * (1 - p / 2), abs=0.015)


def test_whole_turns_and_mirrors_move_pixels_without_changing_them():
    """Pixel blitting alone: of a picture of distinct values the same values are left."""
    x = torch.arange(64.0).view(1, 1, 8, 8) / 32 - 1
    for matrix in ([[-1, 0, 0], [0, 1, 0]], [[0, -1, 0], [1, 0, 0]]):
        grid = torch.nn.functional.affine_grid(torch.tensor([matrix]).float(), [1, 1, 8, 8], align_corners=False)
        moved = torch.nn.functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
        torch.testing.assert_close(moved.flatten().sort().values, x.flatten(), atol=1e-5, rtol=0)
        assert not torch.allclose(moved, x)


def test_hue_turns_colours_around_grey():
    angle = torch.linspace(0.1, 3, 5)
    matrices = rotate_hue(angle)[:, :3, :3]
    torch.testing.assert_close(matrices @ torch.ones(3), torch.ones(5, 3))  # grey stays
    torch.testing.assert_close(matrices @ matrices.transpose(1, 2), torch.eye(3).expand(5, -1, -1))
    trace = matrices.diagonal(dim1=1, dim2=2).sum(1)
    torch.testing.assert_close(trace, 1 + 2 * angle.cos())


def test_of_greys_the_three_channels_and_the_one_become_the_same():
    grey = images(6, 1)
    torch.manual_seed(3)
    one = ada_augment(grey, 0.7)
    torch.manual_seed(3)
    three = ada_augment(grey.expand(-1, 3, -1, -1), 0.7)
    torch.testing.assert_close(three, one.expand(-1, 3, -1, -1))
