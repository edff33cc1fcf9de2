"""What every registered generative architecture promises: seeds in, images out."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from math import nan
from typing import Any

import numpy as np
import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import MODELS, GenerativeModel, Latents, Option, encode
from ganlib.models.options import SEED_LIMIT
from ganlib.sampling import check_options, sample
from helpers.tiny_models import build, generate, labels_for

DISCRETE = ("pixelcnn", "vqvae")  # they draw levels or codes: between two classes an image jumps

GENERATIVE = [name for name in MODELS if issubclass(MODELS[name], GenerativeModel)]
OPTIONS = [(name, o) for name in GENERATIVE for o in build(name).options]


every_generative_model = pytest.mark.parametrize("name", GENERATIVE)
every_option = pytest.mark.parametrize(("name", "knob"), OPTIONS, ids=[f"{name}-{o.name}" for name, o in OPTIONS])


def kinds(conditional: bool) -> list[Any]:
    """(name, changes) of generative models that obey classes, or of those that do not."""
    found = []
    for name, classes in product(GENERATIVE, (3, 0)):
        try:
            model = build(name, num_classes=classes)
        except GanlibError:
            continue
        if model.conditional == conditional:
            found.append(pytest.param(name, {"num_classes": classes}, id=f"{name}-{classes}"))
    return found


conditional_models = pytest.mark.parametrize(("name", "changes"), kinds(True))
unconditional_models = pytest.mark.parametrize(("name", "changes"), kinds(False))


def values_of(knob: Option) -> list[Any]:
    """Two allowed values apart from the default."""
    if knob.kind == "choice":
        return [c for c in knob.choices if c != knob.default][:2]
    low = 0 if knob.min is None else knob.min
    high = low + 2 if knob.max is None else knob.max
    first = high if low == knob.default else low
    return [knob.parse(first), knob.parse((low + high) // 2 if knob.kind != "float" else 0.3 * low + 0.7 * high)]


def needed(model: Any, knob: Option) -> dict[str, Any]:
    """The option without which this one does nothing, set."""
    return {o.name: values_of(o)[0] for o in model.options if o.name == knob.needs}


@every_generative_model
def test_images_have_the_promised_shape_and_range(name):
    model = build(name)
    images = generate(model, [0, 1, 2], labels_for(model, 3))
    assert images.shape == (3, 1, 16, 16)
    assert images.dtype == torch.float32
    assert images.isfinite().all()
    assert images.abs().max() <= 1
    assert model.latents([0, 1]).z.shape == (2, *model.latent_shape)


@every_generative_model
def test_other_seeds_are_other_images(name):
    model = build(name)
    images = generate(model, list(range(8)), torch.zeros(8, dtype=torch.int64) if model.conditional else None)
    for i, j in product(range(8), range(8)):
        assert i == j or (images[i] - images[j]).abs().max() > 0.01


@every_generative_model
def test_a_seed_is_one_image_alone_and_in_any_batch(name):
    model = build(name)
    seeds = [7, 3, SEED_LIMIT - 1, 7, 0]
    labels = labels_for(model, 5)
    batch = generate(model, seeds, labels)
    for i, seed in enumerate(seeds):
        alone = generate(model, [seed], None if labels is None else labels[i : i + 1])
        torch.testing.assert_close(batch[i], alone[0], atol=1e-5, rtol=1e-5)


@every_generative_model
def test_a_seed_is_one_image_to_the_bit_alone_and_in_a_batch_of_any_size(name):
    model = build(name)
    labels = labels_for(model, 13)
    whole = sample(model, range(13), labels)
    for n in (1, 2, 3, 5):
        rows = slice(13 - n, 13)
        part = sample(model, range(13 - n, 13), None if labels is None else labels[rows])
        assert np.array_equal(part, whole[rows]), n
    assert np.array_equal(sample(model, range(13), labels, chunk=6), whole)
    assert whole.std() > 5


@every_generative_model
def test_a_chunk_of_less_than_four_may_change_a_level(name):
    model = build(name)
    labels = labels_for(model, 4)
    whole, alone = (sample(model, range(4), labels, chunk=chunk).astype(int) for chunk in (4, 1))
    assert abs(whole - alone).max() <= 1


@every_generative_model
def test_making_images_neither_reads_nor_moves_the_global_generator(name):
    model = build(name)
    labels = labels_for(model, 2)
    images = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        images.append(generate(model, [5, 6], labels))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*images)


@every_generative_model
@pytest.mark.parametrize("seed", [-1, SEED_LIMIT, 2**63])
def test_a_seed_out_of_range_is_refused(name, seed):
    with pytest.raises(GanlibError, match=f"A seed is a whole number from 0 to 4294967295, not {seed}"):
        build(name).latents([0, seed])


@conditional_models
def test_the_class_changes_the_image(name, changes):
    model = build(name, **changes)
    images = generate(model, [5, 5, 5], torch.tensor([0, 1, 2]))
    assert (images[0] - images[1]).abs().max() > 0.01
    assert (images[1] - images[2]).abs().max() > 0.01


@conditional_models
def test_a_class_equals_its_one_hot_weights(name, changes):
    model = build(name, **changes)
    by_number = generate(model, [1, 2, 3], torch.tensor([2, 0, 1]))
    by_weights = generate(model, [1, 2, 3], torch.eye(3)[[2, 0, 1]])
    assert torch.equal(by_number, by_weights)


@conditional_models
def test_mixed_weights_lead_from_one_class_to_the_other(name, changes):
    model = build(name, **changes)
    t = torch.linspace(0, 1, 21)
    weights = torch.stack([1 - t, t, torch.zeros(21)], dim=1)
    path = generate(model, [5] * 21, weights)
    whole = (path[0] - path[-1]).abs().max()
    assert whole > 0.01
    if name in DISCRETE:
        return
    assert (path[10] - path[0]).abs().max() > 0.01
    assert (path[10] - path[-1]).abs().max() > 0.01
    assert (path[1:] - path[:-1]).abs().amax(dim=(1, 2, 3)).max() < 0.5 * whole  # gradually, without a jump


@conditional_models
def test_a_conditional_model_demands_valid_classes(name, changes):
    model = build(name, **changes)
    assert model.conditional
    with pytest.raises(GanlibError, match="conditional on 3 classes: give each image a class"):
        generate(model, [0])
    for wrong in (-1, 3):
        with pytest.raises(GanlibError, match="Classes are numbered 0 to 2"):
            generate(model, [0], torch.tensor([wrong]))
    with pytest.raises(GanlibError, match="Class weights need 3 columns, not 4"):
        generate(model, [0], torch.eye(4)[:1])


@pytest.mark.parametrize(
    ("name", "changes"),
    [p for p in kinds(True) if hasattr(MODELS[p.values[0]], "score")],  # AAE's discriminator sees codes
)
def test_ds_logit_depends_on_the_class(name, changes):
    model = build(name, **changes)
    images = torch.rand(1, 1, 16, 16).mul(2).sub(1).expand(3, -1, -1, -1)
    logits = model.score(images, torch.arange(3))
    assert logits.shape == (3,)
    assert len({round(x, 4) for x in logits.tolist()}) == 3


@unconditional_models
def test_an_unconditional_model_refuses_classes(name, changes):
    model = build(name, **changes)
    assert generate(model, [0, 1]).shape == (2, 1, 16, 16)
    for labels in (torch.tensor([0]), torch.eye(3)[:1]):
        with pytest.raises(GanlibError, match="This model is unconditional"):
            generate(model, [0], labels)


@every_option
def test_an_option_is_documented_and_its_default_is_what_generate_does(name, knob):
    assert knob.help
    assert knob.parse(knob.default) == knob.default
    model = build(name)
    labels = labels_for(model, 2)
    assert torch.equal(generate(model, [1, 2], labels, **{knob.name: knob.default}), generate(model, [1, 2], labels))


@every_option
def test_an_option_changes_the_image(name, knob):
    model = build(name)
    labels = labels_for(model, 2)
    others = needed(model, knob)
    for value in values_of(knob):
        changed = generate(model, [1, 2], labels, **others, **{knob.name: value})
        assert changed.isfinite().all()
        assert not torch.equal(changed, generate(model, [1, 2], labels, **others))


@every_option
def test_one_value_per_image_equals_each_alone(name, knob):
    if knob.kind == "choice":
        pytest.skip("a choice is one for all images")
    model = build(name)
    values = [*values_of(knob), knob.default]
    labels = labels_for(model, 3)
    numbers = torch.tensor([nan if value is None else value for value in values])
    others = needed(model, knob)
    together = generate(model, [1, 2, 3], labels, **others, **{knob.name: numbers})
    for i, value in enumerate(values):
        y = None if labels is None else labels[i : i + 1]
        alone = generate(model, [i + 1], y, **others, **{knob.name: value})
        torch.testing.assert_close(together[i], alone[0], atol=5e-5, rtol=1e-5)


@every_generative_model
def test_options_are_checked_by_name_and_range(name):
    model = build(name)
    for knob in model.options:
        value = values_of(knob)[0]
        assert check_options(model, {knob.name: str(value)}) == {knob.name: value}
    known = ", ".join(o.name for o in model.options)
    with pytest.raises(GanlibError, match=f"This model has no option 'colour'; it has {known}"):
        check_options(model, {"colour": 1})


@every_generative_model
def test_a_traces_last_stage_is_the_image(name):
    model = build(name)
    labels = labels_for(model, 3)
    stages = list(model.trace(model.latents([1, 2, 3]), labels))
    assert len(stages) == model.stages()
    assert all(stage.isfinite().all() and stage.abs().max() <= 1 for stage in stages)
    assert torch.equal(stages[-1], generate(model, [1, 2, 3], labels))


@every_generative_model
def test_latents_of_every_space_make_the_same_image(name):
    model = build(name)
    labels = labels_for(model, 3)
    latents = model.latents([1, 2, 3])
    assert "z" in model.spaces
    for space in model.spaces:
        mapped = model.map(latents, labels, space)
        assert (len(mapped), mapped.space) == (3, space)
        assert mapped[1:].space == space
        torch.testing.assert_close(model.generate(mapped, labels), generate(model, [1, 2, 3], labels))
        with pytest.raises(
            GanlibError, match=re.escape(f"maps no latents from {space} to 'nowhere'; its spaces are z")
        ):
            model.map(mapped, labels, "nowhere")


@every_generative_model
def test_latents_are_standard_normal_and_can_be_sliced(name):
    model = build(name)
    latents = model.latents(range(2000))
    assert len(latents) == 2000
    assert abs(latents.z.mean()) < 0.03
    assert abs(latents.z.std() - 1) < 0.03
    part = latents[5:8]
    assert isinstance(part, Latents)
    assert torch.equal(part.z, model.latents([5, 6, 7]).z)
    assert part.seeds.tolist() == [5, 6, 7]


@every_generative_model
def test_images_have_gradients_with_respect_to_latents_where_the_model_says_so(name):
    model = build(name)
    latents = model.latents([1, 2])
    z = latents.z.requires_grad_()
    images = model.generate(replace(latents, z=z), labels_for(model, 2))
    assert images.requires_grad == model.differentiable
    if model.differentiable:
        assert torch.autograd.grad(images.square().sum(), z)[0].any()


@pytest.mark.parametrize("name", [name for name in GENERATIVE if name not in DISCRETE])
def test_images_have_gradients_with_respect_to_the_weights_that_are_averaged(name):
    """So that pivotal tuning has something to move."""
    model = build(name)
    weights = [p.requires_grad_() for module in model.ema_modules for p in model.get_submodule(module).parameters()]
    images = model.generate(model.latents([1, 2]), labels_for(model, 2))
    slopes = torch.autograd.grad(images.square().sum(), weights, allow_unused=True)
    assert any(slope is not None and slope.any() for slope in slopes)


@pytest.mark.parametrize("name", [name for name in GENERATIVE if getattr(MODELS[name], "encodes_by_class", False)])
def test_images_are_encoded_as_of_their_class(name):
    """With its labels, those of all classes give other latents."""
    model, images = build(name), generate(build(name), [1, 2], torch.tensor([0, 1]))
    first, again, other = (encode(model, images, labels).z for labels in torch.tensor([[0, 1], [0, 1], [2, 2]]))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-3
    assert (first - model.encode(images).z).abs().max() > 1e-3
