"""Key frames of seeds and files, equal speed, sheets: against a linear generator and the lengths of its paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganlib.applications.paths import frames_of, generate_frames, parse_keys
from ganlib.applications.saved_latents import save_latents
from ganlib.applications.step_lengths import step_lengths
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from ganlib.sampling import interpolate, sample
from ganlib.sampling.interpolation import equal_positions, even_positions
from ganlib.sampling.keyframes import InterpolationRequest, KeyFrame
from helpers.tiny_models import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return write_run(tmp_path_factory.mktemp("runs") / "cdcgan")


@pytest.fixture(scope="module")
def styled(tmp_path_factory) -> Run:
    return write_run(tmp_path_factory.mktemp("runs") / "stylegan2_ada", "stylegan2_ada")


def load(run: Run) -> GenerativeModel:
    model = run.load()
    assert isinstance(model, GenerativeModel)
    return model


def test_each_key_frame_has_a_frame_of_its_own():
    assert even_positions(7, 3).tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3, 2])
    assert even_positions(6, 3, closed=True).tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert even_positions(3, 3).tolist() == [0, 1, 2]
    with pytest.raises(GanlibError, match="3 frames are too few for 4 key frames"):
        even_positions(3, 4)


def test_equal_speed_is_the_inverse_of_the_length_so_far():
    positions = torch.linspace(0, 2, 5)  # the second half is three times as long as the first
    steps = torch.tensor([1.0, 1.0, 3.0, 3.0])
    assert equal_positions(positions, steps, 5).tolist() == pytest.approx([0, 1, 4 / 3, 5 / 3, 2])
    assert equal_positions(positions, steps, 4, closed=True).tolist() == pytest.approx([0, 1, 4 / 3, 5 / 3])
    with pytest.raises(GanlibError, match="Nothing changes along this path"):
        equal_positions(positions, torch.zeros(4), 5)


def test_equal_speed_evens_out_the_feature_distance(run):
    keys = (KeyFrame(0, 0), KeyFrame(1, 1), KeyFrame(2, 1))
    plain, even = (
        generate_frames(load(run), InterpolationRequest(run, keys, 16, equal_speed=equal)) for equal in (False, True)
    )
    steps = [step_lengths(frames, torch.device("cpu")) for frames in (plain, even)]
    spread = [float(lengths.std() / lengths.mean()) for lengths in steps]
    assert spread[1] < 0.6 * spread[0]
    assert np.array_equal(plain[[0, -1]], even[[0, -1]])


def test_key_frames_are_seeds_and_files_in_the_space_that_both_reach(styled: Run, tmp_path: Path):
    model = load(styled)
    latents = model.map(model.latents([5]), torch.tensor([2]), "w+")
    file = save_latents(styled, "five", latents, 2)
    for name in ("@five", f"@{file}"):
        keys = parse_keys([name, "b~3"], styled, model)
        assert [key.label for key in keys] == [2, 1]
        frames = frames_of(model, InterpolationRequest(styled, keys, 3, space="w"))
        assert frames.latents.space == "w+"
        assert torch.equal(frames.latents.z[0], latents.z[0])
        assert torch.allclose(
            frames.latents.z[2], model.map(model.latents([3]), torch.tensor([1]), "w+").z[0], atol=1e-6
        )
    (other,) = parse_keys(["a~@five"], styled, model)
    assert other.label == 0


@pytest.mark.parametrize(("order", "middle"), [("latent first", (9, 0)), ("class first", (4, 2))])
def test_latent_and_class_change_one_after_the_other(order, middle, run):
    model = load(run)
    frames = interpolate(model, (4, 9), (0, 2), 5, order=order)
    seed, label = middle
    assert np.array_equal(frames[2], sample(model, [seed], [label])[0])
    assert np.array_equal(frames[[0, 4]], sample(model, [4, 9], [0, 2]))


def test_a_closed_path_comes_back_to_its_beginning(run):
    model = load(run)
    frames = interpolate(model, (4, 9, 2), (0, 2, 1), 9, closed=True)
    assert np.array_equal(frames[[0, 3, 6]], sample(model, [4, 9, 2], [0, 2, 1]))
    back = interpolate(model, (2, 4), (1, 0), 4)
    assert np.array_equal(frames[6:], back[:3])


def test_a_sheet_lies_between_its_corners(run):
    model = load(run)
    keys = tuple(KeyFrame(seed, label) for seed, label in ((1, 0), (2, 1), (3, 2), (4, 0)))
    sheet = generate_frames(model, InterpolationRequest(run, keys, 0, sheet=(3, 4)))
    assert np.array_equal(sheet[[0, 3, 8, 11]], sample(model, [1, 2, 3, 4], [0, 1, 2, 0]))
    assert np.array_equal(sheet[:4], interpolate(model, (1, 2), (0, 1), 4))
    with pytest.raises(GanlibError, match="lies between 4 key frames, not 3"):
        generate_frames(model, InterpolationRequest(run, keys[:3], 0, sheet=(3, 4)))


def test_options_of_key_frames_change_evenly(run):
    model = load(run)
    keys = (KeyFrame(1, 0), KeyFrame(1, 0, (("temperature", 0.5),)))
    frames = generate_frames(model, InterpolationRequest(run, keys, 3))
    assert np.array_equal(frames, sample(model, [1] * 3, [0] * 3, temperature=torch.tensor([1.0, 0.75, 0.5])))


def test_what_is_no_path_is_said(run):
    model = load(run)
    with pytest.raises(GanlibError, match="at least 2 key frames, not 1"):
        generate_frames(model, InterpolationRequest(run, (KeyFrame(1, 0),), 5))
    with pytest.raises(GanlibError, match="has no latents 'nothing'"):
        parse_keys(["@nothing"], run, model)
