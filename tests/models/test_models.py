"""What every registered architecture promises the trainer and run folders. What its paper claims is in its own file."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganlib.config import add_arguments, given, unwrap
from ganlib.errors import GanlibError
from ganlib.figures import PALETTE
from ganlib.models import MODELS, Batch, GenerativeModel, ImageToImage
from ganlib.models.contract import Family
from ganlib.nn.resample import Upsample, upsample, upsample_2x
from ganlib.training.trainer import Progress, seeded
from helpers.cuda_autocast import CudaAutocast
from helpers.tiny_models import build, build_untrained, generate, labels_for, make_trainer, write_run

NAMES = list(MODELS)
SHAPES = [(16, 3), (32, 1), (64, 3)]

every_model = pytest.mark.parametrize("name", NAMES)


@every_model
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_parameter_is_trained(name, precision, tmp_path):
    trainer = make_trainer(tmp_path, name, images=20, precision=precision)  # five steps: a tiny PGGAN's to full size
    trained = set()

    def look(progress: Progress) -> None:
        for key, p in trainer.model.named_parameters():
            assert p.isfinite().all()
            if p.grad is not None:
                assert p.grad.isfinite().all()
                trained.add(key)

    trainer.train(look)
    assert trainer.images == 20
    assert trained == {key for key, _ in trainer.model.named_parameters()}


@every_model
def test_it_trains_where_autocast_leaves_less_in_bf16_as_on_cuda(name, tmp_path):
    trainer = make_trainer(tmp_path, name, images=20, precision="bf16")
    with CudaAutocast():
        trainer.train()
    assert all(p.isfinite().all() for p in trainer.model.parameters())


def test_upsampled_maps_stay_in_bf16_on_cuda():
    x = torch.rand(2, 3, 4, 4, dtype=torch.bfloat16)
    with CudaAutocast(), torch.autocast("cpu", torch.bfloat16):
        assert interpolate(x, scale_factor=2).dtype == torch.float32
        made = [upsample(x), upsample(x, 8), Upsample(8, "bilinear")(x), upsample_2x(x)]
    assert [(y.dtype, y.shape) for y in made] == 4 * [(torch.bfloat16, (2, 3, 8, 8))]
    assert torch.equal(made[0], interpolate(x, scale_factor=2))


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
    for child in model.ema_modules:
        assert list(model.get_submodule(child).parameters())
    assert bool(model.ema_modules) == isinstance(model, (GenerativeModel, ImageToImage))


@every_model
def test_a_logged_value_stays_what_it_was_in_its_step(name):
    """The log takes means over several steps: a parameter or a buffer itself would be its last value in all of them."""
    model = build_untrained(name).train()
    c = model.config
    batch = Batch(torch.rand(4, c.channels, c.image_size, c.image_size) * 2 - 1, torch.arange(4) % c.num_classes)
    kept = {t.data_ptr() for t in (*model.parameters(), *model.buffers())}
    for phase in model.phases():
        _, scalars = phase.loss(batch)
        assert not {tag for tag, value in scalars.items() if value.data_ptr() in kept}


def test_what_needs_no_labels_trains_on_unlabelled_images_and_what_is_conditional_needs_them():
    images, unlabelled = torch.rand(4, 1, 16, 16) * 2 - 1, torch.full((4,), -1)
    for name in NAMES:
        model = build_untrained(name).train()
        if isinstance(model, GenerativeModel):
            assert model.needs_labels == model.conditional
        for phase in () if model.needs_labels else model.phases():
            assert phase.loss(Batch(images, unlabelled))[0].isfinite(), name


def test_every_architecture_states_its_own_display_name_and_colour_and_belongs_to_a_family():
    for name in NAMES:
        assert {"display_name", "colour"} <= vars(MODELS[name]).keys(), name
        assert MODELS[name].family in get_args(Family), name
        assert 0 <= MODELS[name].colour < len(PALETTE), name
    assert len({MODELS[name].display_name for name in NAMES}) == len(NAMES)


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
    model = build_untrained(name, image_size=size, channels=channels).eval().requires_grad_(False)
    images = torch.rand(2, channels, size, size) * 2 - 1
    labels = labels_for(model, 2)
    if isinstance(model, GenerativeModel):
        assert generate(model, [0, 1], labels).shape == images.shape
    if hasattr(model, "score"):
        assert model.score(images, labels).shape == (2,)
    if hasattr(model, "classify"):
        assert model.classify(images).shape == (2, 3)
    if hasattr(model, "encode"):
        encoded = model.encode(images)
        assert encoded.space == "z"
        assert encoded.z.shape == (2, *model.latent_shape)
        assert len(encoded.seeds) == 2
        assert model.generate(encoded, labels).shape == images.shape
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


ALWAYS_REFUSED = {"pggan": ("weight_norm",)}  # a technique of the other GANs, in a sentence that says why


@every_model
def test_command_line_json_and_config_are_equal(name):
    cls = MODELS[name].Config
    parser = argparse.ArgumentParser()
    add_arguments(parser, cls)
    assert cls.from_dict(given(parser.parse_args([]), cls)) == cls()
    for f in fields(cls):
        if f.name in ALWAYS_REFUSED.get(name, ()):
            with pytest.raises(GanlibError, match=f"drop {f.name}"):
                cls.from_dict({f.name: not f.default})
            continue
        changed = other_value(cls, f.name)
        flag = f"--{f.name.replace('_', '-')}"
        if isinstance(changed, bool):
            written = [flag if changed else f"--no-{flag[2:]}"]
        else:
            written = [flag, *map(str, changed if isinstance(changed, tuple) else [changed])]
        for other, value in companions(cls, f.name, changed).items():
            written += [f"--{other.replace('_', '-')}", str(value)]
        from_flags = cls.from_dict(given(parser.parse_args(written), cls))
        assert getattr(from_flags, f.name) == changed
        assert cls.from_dict(json.loads(json.dumps(from_flags.to_dict()))) == from_flags != cls()


def companions(cls: Any, field: str, value: Any) -> dict[str, Any]:
    """Other fields without which this one is refused."""
    if field == "attributes":  # whose combinations are the classes
        return {"num_classes": 2**value}
    if field == "guidance":
        return {"num_classes": 2}
    if field == "virtual_batch_norm" and "normalization" in {f.name for f in fields(cls)}:  # pixel norm has no batch
        return {"normalization": "spectral + batch"}
    return {}


def other_value(cls: Any, field: str) -> Any:
    default = getattr(cls(), field)
    _, choices = unwrap(get_type_hints(cls)[field])
    if isinstance(default, bool):
        return not default
    if isinstance(default, tuple):
        longer = [(*default, *default[-1:]) or choices or (2,), (8, *default)]  # attention is a set of resolutions
        return next(value for value in longer if getattr(cls.from_dict({field: value}), field) == value)
    if isinstance(default, str) and not choices:
        return f"{default} else"
    if choices:
        return next(c for c in choices if c != default)
    for value in (default * 2, default + 1, default + 2, default // 2, default / 2, 0.5, 16):
        try:
            if value != default and cls.from_dict({field: value} | companions(cls, field, value)):
                return value
        except GanlibError:
            continue
    raise AssertionError(f"no other value of {field} is allowed")
