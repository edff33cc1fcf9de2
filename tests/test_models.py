"""What every registered architecture promises, and what each paper claims."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from itertools import pairwise, product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ganlib.config import add_arguments, given
from ganlib.errors import GanlibError
from ganlib.models import MODELS, GenerativeModel, Latents, Option, Trainable
from ganlib.models.base import SEED_LIMIT
from ganlib.nn.conditional_norm import ConditionalBatchNorm2d
from ganlib.sampling import check_options, sample
from ganlib.training.trainer import seeded
from tiny import build, labels_for, make_trainer, write_run

NAMES = list(MODELS)
GENERATIVE = [name for name in NAMES if issubclass(MODELS[name], GenerativeModel)]
OPTIONS = [(name, o) for name in GENERATIVE for o in MODELS[name].options]
SHAPES = list(product((16, 32), (1, 3)))

every_model = pytest.mark.parametrize("name", NAMES)
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


def generate(model: Any, seeds: list[int], labels: Any = None, **options: Any) -> Tensor:
    return model.generate(model.latents(seeds), labels, **options)


def values_of(knob: Option) -> list[Any]:
    """Two allowed values apart from the default."""
    if knob.kind == "choice":
        return [c for c in knob.choices if c != knob.default][:2]
    low = 0 if knob.min is None else knob.min
    high = low + 2 if knob.max is None else knob.max
    return [knob.parse(low), knob.parse((low + high) // 2 if knob.kind != "float" else 0.3 * low + 0.7 * high)]


# Trainable: what the trainer and run folders need.


@every_model
def test_every_parameter_has_a_gradient_after_one_step(name, tmp_path):
    trainer = make_trainer(tmp_path, name, images=4)
    trainer.train()
    assert trainer.images == 4
    for key, p in trainer.model.named_parameters():
        assert p.grad is not None, f"no phase trains {key}"
        assert p.grad.isfinite().all()
        assert p.isfinite().all()


@every_model
def test_every_parameter_belongs_to_exactly_one_optimizer(name):
    model = build(name)
    trained = [p for opt in model.optimizers().values() for group in opt.param_groups for p in group["params"]]
    assert len(trained) == len({id(p) for p in trained}) == len(list(model.parameters()))


@every_model
def test_phases_are_named_apart_and_use_known_optimizers(name):
    model = build(name)
    phases, optimizers = model.phases(), model.optimizers()
    assert len({p.name for p in phases}) == len(phases) > 0
    assert {p.optimizer for p in phases} <= set(optimizers)
    assert all(p.every >= 1 for p in phases)


@every_model
def test_it_names_its_loss_and_its_averaged_modules_exist(name):
    model = build(name)
    assert model.loss_kind
    for child in model.averaged:
        assert list(model.get_submodule(child).parameters())
    assert bool(model.averaged) == isinstance(model, GenerativeModel)


@every_model
def test_the_same_seed_gives_the_same_initial_weights(name):
    def states() -> list[dict[str, Tensor]]:
        config = MODELS[name].Config.tiny()
        return [seeded(lambda: MODELS[name](config), seed).state_dict() for seed in (3, 3, 4)]

    first, again, other = states()
    assert all(torch.equal(first[k], again[k]) for k in first)
    assert any(not torch.equal(first[k], other[k]) for k in first)


@every_model
@pytest.mark.parametrize(("size", "channels"), SHAPES)
def test_resolution_and_channels_are_config(name, size, channels):
    model = build(name, image_size=size, channels=channels)
    images = torch.rand(2, channels, size, size) * 2 - 1
    labels = labels_for(model, 2)
    if isinstance(model, GenerativeModel):
        assert generate(model, [0, 1], labels).shape == images.shape
    if hasattr(model, "score"):
        assert model.score(images, labels).shape == (2,)
    if hasattr(model, "classify"):
        assert model.classify(images).shape == (2, 3)
    if hasattr(model, "features"):
        assert model.features(images).shape == (2, model.feature_width)


@every_model
@pytest.mark.parametrize("size", [24, 31, 100])
def test_an_image_size_that_is_no_power_of_two_is_refused(name, size):
    with pytest.raises(GanlibError, match=f"image_size must be a power of two, not {size}"):
        build(name, image_size=size)


@every_model
def test_a_run_folder_gives_the_same_model_back(name, tmp_path):
    model = build(name)
    run = write_run(tmp_path / "run", name)
    loaded = run.load()
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    expected, found = model.state_dict(), loaded.state_dict()
    assert list(expected) == list(found)
    assert all(torch.equal(expected[k], found[k]) for k in expected)
    assert not any(m.training for m in loaded.modules())
    assert not any(p.requires_grad for p in loaded.parameters())
    if isinstance(model, GenerativeModel):
        labels = labels_for(model, 3)
        torch.testing.assert_close(generate(loaded, [1, 2, 3], labels), generate(model, [1, 2, 3], labels))


@every_model
def test_command_line_json_and_config_are_equal(name):
    cls = MODELS[name].Config
    parser = argparse.ArgumentParser()
    add_arguments(parser, cls)
    assert cls.from_dict(given(parser.parse_args([]), cls)) == cls()
    for f in fields(cls):
        changed = other_value(cls, f.name)
        flag = f"--{f.name.replace('_', '-')}"
        from_flags = cls.from_dict(given(parser.parse_args([flag, str(changed)]), cls))
        assert getattr(from_flags, f.name) == changed
        assert cls.from_dict(json.loads(json.dumps(from_flags.to_dict()))) == from_flags != cls()


def other_value(cls: Any, field: str) -> Any:
    default = getattr(cls(), field)
    for value in (default * 2, default + 1, default / 2, 0.5):
        try:
            if value != default and cls.from_dict({field: value}):
                return value
        except GanlibError:
            continue
    raise AssertionError(f"no other value of {field} is allowed")


# GenerativeModel: seeds in, images out.


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
@pytest.mark.parametrize("chunk", [1, 3, 64])
def test_a_seed_is_one_image_for_any_chunk(name, chunk):
    model = build(name)
    labels = labels_for(model, 7)
    whole = sample(model, range(7), labels, chunk=7)
    parts = sample(model, range(7), labels, chunk=chunk)
    assert abs(whole.astype(int) - parts).max() <= 1  # float error may cross one level
    assert whole.std() > 5


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
    for value in values_of(knob):
        changed = generate(model, [1, 2], labels, **{knob.name: value})
        assert changed.isfinite().all()
        assert not torch.equal(changed, generate(model, [1, 2], labels))


@every_option
def test_one_value_per_image_equals_each_alone(name, knob):
    if knob.kind == "choice":
        pytest.skip("a choice is one for all images")
    model = build(name)
    values = [*values_of(knob), knob.default]
    labels = labels_for(model, 3)
    together = generate(model, [1, 2, 3], labels, **{knob.name: torch.tensor(values)})
    for i, value in enumerate(values):
        y = None if labels is None else labels[i : i + 1]
        alone = generate(model, [i + 1], y, **{knob.name: value})
        torch.testing.assert_close(together[i], alone[0], atol=1e-5, rtol=1e-5)


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
    assert stages
    assert torch.equal(stages[-1], generate(model, [1, 2, 3], labels))


@every_generative_model
def test_map_and_synthesize_make_the_same_image_in_every_space(name):
    model = build(name)
    labels = labels_for(model, 3)
    latents = model.latents([1, 2, 3])
    assert "z" in model.spaces
    for space in model.spaces:
        points = model.map(latents, labels, space)
        assert len(points) == 3
        images = model.synthesize(points, latents, labels, space)
        torch.testing.assert_close(images, generate(model, [1, 2, 3], labels))


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


# DCGAN, Radford et al., arXiv:1511.06434.


def convolutions_and_norms(net: nn.Module) -> list[nn.Module]:
    return [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d))]


@pytest.mark.parametrize("size", [16, 32, 64])
def test_dcgan_normalises_all_but_gs_last_and_ds_first_and_last_layer(size):
    model = build("dcgan", image_size=size)

    def normalised(net: nn.Module) -> list[bool]:
        """For each convolution, whether batch norm follows."""
        layers = pairwise([*convolutions_and_norms(net), None])
        return [isinstance(b, nn.BatchNorm2d) for a, b in layers if not isinstance(a, nn.BatchNorm2d)]

    depth = size.bit_length() - 2
    assert normalised(model.G) == [True] * (depth - 1) + [False]
    assert normalised(model.D) == [False] + [True] * (depth - 2) + [False]


def test_dcgan_has_strided_convolutions_relu_in_g_leaky_relu_in_d_and_tanh_at_the_end():
    model = build("dcgan", image_size=32)
    assert isinstance(model.G.net[-1], nn.Tanh)
    assert {type(m) for m in model.G.net} == {nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU, nn.Tanh}
    assert {type(m) for m in model.D.net} == {nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU}
    assert {m.negative_slope for m in model.D.net if isinstance(m, nn.LeakyReLU)} == {0.2}


def test_dcgan_weights_start_from_a_normal_of_deviation_0_02():
    config = MODELS["dcgan"].Config(image_size=16, channels=3, width=32)
    model = seeded(lambda: MODELS["dcgan"](config), 0)
    for layer in convolutions_and_norms(model):
        mean = 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
        w = layer.weight
        tolerance = 4 / w.numel() ** 0.5  # four standard errors
        assert abs(w.mean() - mean) < 0.02 * tolerance
        assert abs(w.std() / 0.02 - 1) < tolerance
        if isinstance(layer, nn.BatchNorm2d):
            assert not layer.bias.any()


def test_dcgan_trains_with_adam_of_rate_0_0002_and_momentum_one_half():
    for optimizer in MODELS["dcgan"](MODELS["dcgan"].Config(image_size=16, width=4)).optimizers().values():
        assert isinstance(optimizer, torch.optim.Adam)
        assert optimizer.param_groups[0]["lr"] == 2e-4
        assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)


# Conditional GAN, Mirza & Osindero, arXiv:1411.1784.


def test_cdcgan_joins_the_class_to_both_inputs():
    model, plain = build("cdcgan"), build("dcgan")
    assert model.G.net[0].in_channels == plain.G.net[0].in_channels + 3
    assert model.D.net[0].in_channels == plain.D.net[0].in_channels + 3


@pytest.mark.parametrize("classes", [0, 1])
def test_cdcgan_needs_classes(classes):
    with pytest.raises(GanlibError, match="at least two classes"):
        build("cdcgan", num_classes=classes)


@pytest.mark.parametrize("name", ["cdcgan", "sngan"])
def test_ds_logit_depends_on_the_class(name):
    model = build(name)
    images = torch.rand(1, 1, 16, 16).mul(2).sub(1).expand(3, -1, -1, -1)
    logits = model.score(images, torch.arange(3))
    assert logits.shape == (3,)
    assert len({round(x, 4) for x in logits.tolist()}) == 3


# SNGAN, Miyato et al., arXiv:1802.05957, and the projection discriminator, arXiv:1802.05637.


def spectral_layers(model: Trainable) -> dict[str, nn.Module]:
    return {k: m for k, m in model.D.named_modules() if is_parametrized(m, "weight")}


def test_sngan_normalises_every_layer_of_d_and_none_of_g():
    model = build("sngan")
    weighted = {k for k, m in model.D.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))}
    assert set(spectral_layers(model)) == weighted
    assert "embed" in weighted
    assert not any(is_parametrized(m) for m in model.G.modules())


@pytest.mark.parametrize("classes", [0, 3])
def test_sngans_d_has_layers_of_spectral_norm_one(classes):
    model = build("sngan", num_classes=classes).train()
    images, labels = torch.rand(2, 1, 16, 16), labels_for(model, 2)
    with torch.no_grad():
        for _ in range(150):  # each forward pass is one step of power iteration
            model.score(images, labels)
        model.eval()
        for name, layer in spectral_layers(model).items():
            largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
            assert largest.item() == pytest.approx(1, abs=0.02), name
            before = torch.linalg.matrix_norm(layer.parametrizations.weight.original.flatten(1), 2)
            assert abs(before - 1) > 0.05, name


def test_sngans_projection_is_linear_in_the_class():
    """D(x, y) = v·φ(x) + e(y)·φ(x): mixing two classes mixes their logits."""
    model = build("sngan")
    image = torch.rand(1, 1, 16, 16) * 2 - 1
    a, b, c = (model.score(image, torch.tensor([k])) for k in range(3))
    mixed = model.score(image, torch.tensor([[0.5, 0.3, 0.2]]))
    torch.testing.assert_close(mixed, 0.5 * a + 0.3 * b + 0.2 * c)


def test_sngan_without_classes_has_neither_embedding_nor_class_rows():
    model = build("sngan", num_classes=0)
    assert not hasattr(model.D, "embed")
    assert all(m.scale.shape[0] == 1 for m in model.G.modules() if isinstance(m, ConditionalBatchNorm2d))


def test_sngan_with_equal_rows_ignores_the_class():
    model = build("sngan")
    for m in model.G.modules():
        if isinstance(m, ConditionalBatchNorm2d):
            m.scale[:], m.shift[:] = m.scale[0].clone(), m.shift[0].clone()
    images = generate(model, [5, 5, 5], torch.arange(3))
    assert torch.equal(images[0], images[1])
    assert torch.equal(images[0], images[2])


@pytest.mark.parametrize("training", [True, False])
def test_conditional_batch_norm_without_classes_is_batch_norm(training):
    ours, theirs = ConditionalBatchNorm2d(5, 0).train(training), nn.BatchNorm2d(5).train(training)
    with torch.no_grad():
        theirs.weight.normal_()
        theirs.bias.normal_()
        ours.scale.copy_(theirs.weight[None])
        ours.shift.copy_(theirs.bias[None])
    for _ in range(3):
        x = torch.randn(4, 5, 6, 6) * 3 + 1
        torch.testing.assert_close(ours(x, None), theirs(x))
    torch.testing.assert_close(ours.norm.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.norm.running_var, theirs.running_var)


def test_conditional_batch_norm_uses_each_images_own_row():
    norm = ConditionalBatchNorm2d(2, 3).eval()
    with torch.no_grad():
        norm.scale.copy_(torch.tensor([[1.0, 1.0], [2.0, 3.0], [0.0, 0.0]]))
        norm.shift.copy_(torch.tensor([[0.0, 0.0], [1.0, -1.0], [5.0, 6.0]]))
        x = torch.randn(3, 2, 4, 4)
        y = norm(x, torch.eye(3))
    plain = norm.norm(x)
    torch.testing.assert_close(y[0], plain[0])
    torch.testing.assert_close(y[1], torch.stack([2 * plain[1, 0] + 1, 3 * plain[1, 1] - 1]))
    torch.testing.assert_close(y[2], torch.tensor([5.0, 6.0])[:, None, None].expand(2, 4, 4))


# The classifier, whose features serve the metrics.


def test_the_classifier_needs_classes():
    with pytest.raises(GanlibError, match="at least two classes"):
        build("classifier", num_classes=1)


def test_the_classifiers_rate_rises_to_its_peak_and_falls_to_zero():
    model = build("classifier", lr=0.4, schedule_images=1000)
    (sgd,) = model.optimizers().values()
    rates = []
    for images in (0, 100, 200, 600, 1000, 2000):
        model.on_images(images)
        rates.append(sgd.param_groups[0]["lr"])
    assert rates == pytest.approx([0, 0.2, 0.4, 0.2, 0, 0])
