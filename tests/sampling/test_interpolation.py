"""Paths between latents and the pictures along them."""

from __future__ import annotations

from itertools import pairwise
from math import pi

import pytest
import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.models import Latents
from ganlib.models.dcgan import DCGAN
from ganlib.sampling import CHUNK, Growing, interpolate, latent_path, sample
from ganlib.sampling.interpolation import lerp, slerp
from helpers.image_files import equal
from helpers.tiny_models import build

GANS = ["dcgan", "cdcgan", "sngan"]
A, B = torch.randn(2, 16, generator=torch.Generator().manual_seed(0)).unbind()
T = torch.linspace(0, 1, 9)


@pytest.mark.parametrize("path", [lerp, slerp])
def test_a_path_begins_and_ends_at_its_ends(path):
    points = path(A, B, T)
    assert points.shape == (9, 16)
    torch.testing.assert_close(points[0], A)
    torch.testing.assert_close(points[-1], B)


def test_lerp_is_a_straight_line_of_even_steps():
    points = lerp(A, B, T)
    torch.testing.assert_close(points[4], (A + B) / 2)
    torch.testing.assert_close(points.diff(dim=0), ((B - A) / 8).expand(8, -1))


def test_slerp_keeps_unit_vectors_on_the_sphere_and_turns_evenly():
    a, b = A / A.norm(), B / B.norm()
    points = slerp(a, b, T)
    torch.testing.assert_close(points.norm(dim=1), torch.ones(9))
    cosines = torch.stack([(p * q).sum() for p, q in pairwise(points)])
    torch.testing.assert_close(cosines, cosines[0].expand(8), atol=1e-5, rtol=0)


def test_slerp_between_perpendicular_axes_is_a_quarter_circle():
    a, b = torch.eye(2)
    torch.testing.assert_close(slerp(a, b, T), torch.stack([(T * pi / 2).cos(), (T * pi / 2).sin()], dim=1))


@pytest.mark.parametrize("factor", [1.0, 2.5, -1.0])
def test_slerp_falls_back_to_a_line_where_the_circle_is_not_defined(factor):
    points = slerp(A, factor * A, T)
    assert points.isfinite().all()
    torch.testing.assert_close(points, lerp(A, factor * A, T))


def test_paths_work_for_latents_of_any_shape():
    a, b = torch.randn(2, 3, 4, 4).unbind()
    assert slerp(a, b, T).shape == lerp(a, b, T).shape == (9, 3, 4, 4)


@pytest.mark.parametrize("path", ["slerp", "lerp"])
@pytest.mark.parametrize("name", GANS)
def test_an_interpolation_begins_and_ends_with_the_two_samples(name, path):
    model = build(name)
    labels = (0, 2) if model.conditional else None
    frames = interpolate(model, (3, 8), labels, 7, path=path)
    ends = sample(model, [3, 8], labels)
    assert frames.shape == (7, 16, 16, 1)
    assert equal(frames[[0, -1]], ends)
    assert not equal(frames[3], frames[0])
    assert not equal(frames[3], frames[-1])


class Remembering(DCGAN):
    def generate(self, latents: Latents, labels: Tensor | None = None, **options: float) -> Tensor:
        self.seen = latents
        return super().generate(latents, labels, **options)


def test_the_ends_are_those_latents_bit_for_bit_and_further_noise_is_held_still():
    model = Remembering(DCGAN.Config.tiny()).eval()
    interpolate(model, (3, 8), None, 5)
    ends = model.latents([3, 8]).z
    assert torch.equal(model.seen.z[0], ends[0])
    assert torch.equal(model.seen.z[-1], ends[1])
    assert set(model.seen.seeds.tolist()) == {3}


@pytest.mark.parametrize("name", ["cdcgan", "sngan"])
def test_class_to_class_at_a_fixed_seed_morphs_the_class_alone(name):
    model = build(name)
    frames = interpolate(model, (5, 5), (0, 1), 9)
    t = torch.linspace(0, 1, 9)
    weights = torch.stack([1 - t, t, torch.zeros(9)], dim=1)
    assert equal(frames, sample(model, [5] * 9, weights))
    assert not equal(frames[0], frames[-1])


def test_an_interpolation_longer_than_a_chunk_is_the_same_path():
    model = build("cdcgan")
    long, short = interpolate(model, (1, 2), (0, 1), 2 * CHUNK + 1), interpolate(model, (1, 2), (0, 1), 3)
    assert equal(long[[0, CHUNK, -1]], short)


@pytest.mark.parametrize("frames", [0, 1])
def test_an_interpolation_needs_two_frames(frames):
    with pytest.raises(GanlibError, match=f"needs at least 2 frames, not {frames}"):
        interpolate(build("dcgan"), (0, 1), None, frames)


def test_an_interpolation_leaves_codes_to_the_seeds_or_holds_them():
    model = build("infogan")
    free, held = (interpolate(model, (1, 2), None, 5, c1=c) for c in (None, 2))
    assert equal(free, interpolate(model, (1, 2), None, 5))
    assert equal(held[[0, -1]], sample(model, [1, 2], c1=2))
    assert not equal(free, held)


def test_an_interpolation_says_what_it_lacks():
    with pytest.raises(GanlibError, match="give each image a class"):
        interpolate(build("cdcgan"), (0, 1), None, 3)
    with pytest.raises(GanlibError, match="unconditional"):
        interpolate(build("dcgan"), (0, 1), (0, 1), 3)
    with pytest.raises(GanlibError, match="Classes are numbered 0 to 2"):
        interpolate(build("cdcgan"), (0, 1), (0, 3), 3)


def test_an_interpolation_takes_one_value_per_frame():
    model = build("dcgan")
    temperatures = torch.linspace(0.2, 1.4, CHUNK + 3)
    frames = interpolate(model, (1, 2), None, CHUNK + 3, temperature=temperatures)
    assert equal(frames[:1], sample(model, [1], temperature=0.2))
    assert equal(frames[-1:], sample(model, [2], temperature=1.4))


def test_frames_grow_stage_by_stage_into_the_interpolation():
    model = build("ddpm")
    latents, weights = latent_path(model, (1, 2), (0, 2), 5)
    growing = Growing(model, latents, weights, steps=3)
    growing.step()
    assert growing.fraction == pytest.approx(1 / 3)
    assert equal(growing.finish(), interpolate(model, (1, 2), (0, 2), 5, steps=3))
