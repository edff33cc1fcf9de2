"""Directions against a generator whose answers are known: images = A z."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ganlib.applications.directions import Direction, edit
from ganlib.applications.discovery import (
    closed_form,
    difference,
    first_activations,
    principal_components,
    regression,
)
from ganlib.applications.effects import Effect, Measured, measure_directions, measure_of
from ganlib.applications.projections import Sample, draw, projections
from ganlib.errors import GanlibError
from ganlib.models import MODELS, GenerativeModel, Latents
from helpers.linear_generator import LinearGenerator
from helpers.tiny_models import build

ALL_LATENT_MODELS = [
    name
    for name in MODELS
    if issubclass(MODELS[name], GenerativeModel) and MODELS[name].family != "diffusion" and name != "pixelcnn"
]


def cosine(direction: Direction, expected: Tensor) -> float:
    return float(nn.functional.cosine_similarity(direction.vector.flatten(), expected.flatten(), dim=0))


@torch.inference_mode()
def test_closed_form_finds_the_singular_vectors_of_the_only_layer() -> None:
    model = LinearGenerator().eval()
    (layer,) = projections(model, "z")
    torch.testing.assert_close(layer.matrix, model.layer.weight)
    found = closed_form(draw(model, range(500), "z"), [layer], 4)
    for i, direction in enumerate(found):
        assert abs(cosine(direction, model.right[:, i])) == pytest.approx(1, abs=1e-5)
        assert direction.vector[direction.vector.abs().argmax()] > 0
        assert direction.vector.norm() == pytest.approx(1, abs=0.15)  # one deviation of a Gaussian


@torch.inference_mode()
def test_principal_components_of_linear_images_are_the_singular_vectors_too() -> None:
    model = LinearGenerator().eval()
    sample = draw(model, range(4_000), "z")
    found = principal_components(sample, 3, model.generate(sample.latents))
    for i, direction in enumerate(found):
        assert abs(cosine(direction, model.right[:, i])) > 0.99


@torch.inference_mode()
def test_principal_components_of_styles_have_their_deviation_as_length() -> None:
    z = torch.randn(5_000, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 1, 0.2])
    sample = Sample(Latents(z, torch.zeros(5_000, dtype=torch.int64), "w"), None)
    first, second = principal_components(sample, 2)
    assert first.vector.tolist() == pytest.approx([3, 0, 0], abs=0.1)
    assert second.vector.tolist() == pytest.approx([0, 1, 0], abs=0.1)


@torch.inference_mode()
def test_regression_finds_the_gradient_and_what_is_independent_of_others() -> None:
    z = torch.randn(5_000, 4, generator=torch.Generator().manual_seed(0))
    sample = Sample(Latents(z, torch.zeros(5_000, dtype=torch.int64)), None)
    targets = {"a": z[:, 0] + z[:, 1], "b": z[:, 1]}
    a, b = regression(sample, targets)
    assert cosine(a, torch.tensor([1.0, 1, 0, 0])) > 0.999
    assert cosine(b, torch.tensor([0, 1.0, 0, 0])) > 0.999
    a, b = regression(sample, targets, independent=True)
    assert cosine(a, torch.tensor([1.0, 0, 0, 0])) > 0.999
    assert cosine(b, torch.tensor([-1.0, 1, 0, 0])) > 0.999  # what grows while a + b stays


@torch.inference_mode()
def test_regression_of_fewer_images_than_dimensions_is_the_same_by_the_smaller_system() -> None:
    z = torch.randn(40, 60, generator=torch.Generator().manual_seed(0))
    sample = Sample(Latents(z, torch.zeros(40, dtype=torch.int64)), None)
    (found,) = regression(sample, {"a": z[:, 3] * 5})
    centred = (z - z.mean(0)).double()
    ridge = 1e-2 * centred.square().sum() / 60 * torch.eye(60, dtype=torch.float64)
    target = centred.T @ (z[:, 3] - z[:, 3].mean()).double()
    assert cosine(found, torch.linalg.solve(centred.T @ centred + ridge, target).float()) > 0.9999


@torch.inference_mode()
def test_a_difference_of_means_points_from_one_group_to_the_other() -> None:
    z = torch.randn(2_000, 3, generator=torch.Generator().manual_seed(0))
    group = torch.arange(2_000) % 2 == 0
    z[group, 1] += 2
    sample = Sample(Latents(z, torch.zeros(2_000, dtype=torch.int64)), None)
    assert cosine(difference(sample, group, "favourites"), torch.tensor([0.0, 1, 0])) > 0.99
    with pytest.raises(GanlibError, match="both sides"):
        difference(sample, torch.ones(2_000, dtype=torch.bool), "favourites")


@torch.inference_mode()
def test_effects_are_monotone_where_the_image_changes_evenly() -> None:
    model = LinearGenerator().eval()
    with torch.no_grad():
        model.layer.weight.zero_()
        model.layer.weight[:, 0] = 0.1  # z0 makes all pixels brighter, the others change nothing
    up = Direction(torch.tensor([1.0, 0, 0, 0]), "z", "up")
    idle = Direction(torch.tensor([0.0, 1, 0, 0]), "z", "idle")
    rising, nothing = measure_directions(model, [up, idle], measure_of(None), range(50))
    assert rising.named == Effect("brightness", 1.0, rising.named.change)
    assert rising.named.change == pytest.approx(4, rel=0.2)  # from -2 to 2, in deviations of a standard normal
    assert (rising.name(()), rising.weak, rising.tangled) == ("brighter", False, ())
    assert rising.description(()) == "brighter, 1.00 monotone"
    assert (nothing.named, nothing.name(()), nothing.weak) == (None, "idle", True)


def test_effects_of_nearly_equal_size_are_tangled_and_small_ones_weak() -> None:
    direction = Direction(torch.ones(2), "z", "SeFa 1")
    effects = (Effect("red", -0.95, -2.0), Effect("yellow", 0.9, 1.5), Effect("x", 0.5, 1.9), Effect("size", 0.9, 1.0))
    measured = Measured(direction, effects, 100)
    assert measured.description(()) == "greener, 0.95 monotone; also yellower"
    weak = Measured(direction, (Effect("class-1", 0.9, 0.4),), 100)
    assert weak.description(("cat", "dog")) == "more like dog, 0.90 monotone; weak"


@torch.inference_mode()
@pytest.mark.parametrize("name", ALL_LATENT_MODELS)
def test_every_architecture_can_be_edited(name: str) -> None:
    model = build(name)
    sample = draw(model, range(24), next(reversed([space for space in model.spaces if space != "w+"])))
    readers = projections(model, sample.latents.space)  # none of a normalising flow, which permutes its channels first
    directions = [*principal_components(sample, 2), *(closed_form(sample, readers, 2) if readers else [])]
    assert torch.isfinite(first_activations(model, sample)).all()
    latents = model.latents(range(4))
    labels = None if sample.labels is None else sample.labels[:4]
    same = edit(model, latents, labels, [(directions[0], 0.0)])
    torch.testing.assert_close(model.generate(same, labels), model.generate(latents, labels))
    moved = model.generate(edit(model, latents, labels, [(d, 3.0) for d in directions]), labels)
    assert (moved - model.generate(latents, labels)).abs().max() > 1e-4


@torch.inference_mode()
def test_a_direction_of_w_moves_the_styles_of_all_layers_alike() -> None:
    model = build("stylegan2_ada")
    labels, latents = torch.zeros(4, dtype=torch.int64), model.latents(range(4))
    direction = principal_components(draw(model, range(64), "w"), 1)[0]
    by_layers = edit(model, model.map(latents, labels, "w+"), labels, [(direction, 2.0)])
    at_once = model.map(edit(model, latents, labels, [(direction, 2.0)]), labels, "w+")
    torch.testing.assert_close(by_layers.z, at_once.z)


@torch.inference_mode()
def test_styles_are_edited_layer_by_layer() -> None:
    model = build("stylegan2_ada")
    labels, latents = torch.zeros(4, dtype=torch.int64), model.latents(range(4))
    sample = draw(model, range(64), "w")
    by_layer = closed_form(sample, projections(model, "w+"), 1, layers=(2, 4))[0]
    assert (by_layer.vector.shape, by_layer.target_space) == ((model.config.w_dim,), "w+")
    moved = edit(model, latents, labels, [(by_layer, torch.tensor([0.0, 1, 2, 3]))])
    change = moved.z - model.map(latents, labels, "w+").z
    assert change[:, [0, 1, *range(4, model.config.num_ws)]].abs().max() == 0
    torch.testing.assert_close(change[3, 2], 3 * by_layer.vector)
    everywhere = replace(by_layer, layers=(0, model.config.num_ws))
    in_w = edit(model, latents, labels, [(replace(by_layer, layers=None), 1.0)])
    torch.testing.assert_close(
        model.generate(edit(model, latents, labels, [(everywhere, 1.0)]), labels), model.generate(in_w, labels)
    )
    with pytest.raises(GanlibError, match=r"of z cannot move latents of w\+"):
        edit(model, moved, labels, [(replace(by_layer, space="z", layers=None), 1.0)])


def test_a_direction_of_a_space_that_the_model_lacks_is_refused() -> None:
    model = build("dcgan")
    with pytest.raises(GanlibError, match="one of w; the model's spaces are z"):
        edit(model, model.latents([0]), None, [(Direction(torch.ones(8), "w", "PCA 1"), 1.0)])
