"""The training techniques, each switched on in each model that offers it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ganlib.errors import GanlibError
from ganlib.losses import feature_matching, hinge_g, least_squares_g, nonsaturating_g
from ganlib.models import MODELS, Batch
from ganlib.models.techniques import DCGANTechniques, Techniques
from ganlib.nn.virtual_norm import VirtualBatchNorm2d
from ganlib.recipe import DataRecipe, Recipe
from ganlib.runs import Run
from ganlib.settings import GALLERY
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, labels_for, make_trainer, tiny_config

pytestmark = pytest.mark.slow

OFFERED = {
    "dcgan": DCGANTechniques,
    "cdcgan": DCGANTechniques,
    "sngan": Techniques,
    "sagan": Techniques,
    "pggan": Techniques,
}
LOSSES_OF_G = {
    "dcgan": nonsaturating_g,
    "cdcgan": nonsaturating_g,
    "sngan": hinge_g,
    "sagan": hinge_g,
    "pggan": least_squares_g,
}
GROWN = {"pggan": {"fade": 0, "stabilize": 0}}  # from the first step on
BESIDE_VIRTUAL: dict[str, dict[str, Any]] = {  # so that G has batch norm, and weights that no pass changes
    "pggan": {"normalization": "spectral + batch"},
    "sagan": {"spectral_norm": False},
}
SWITCHED: dict[str, dict[str, Any]] = {
    "feature matching": {"feature_matching": 1.0},
    "a share of feature matching": {"feature_matching": 0.3},
    "minibatch discrimination": {"minibatch_kernels": 6, "minibatch_dims": 3},
    "minibatch standard deviation": {"minibatch_stddev": True},
    "virtual batch norm": {"virtual_batch_norm": 3},
    "weight norm": {"weight_norm": True},
    "historical averaging": {"historical_averaging": 0.1},
    "weight decay": {"d_weight_decay": 5e-3},
    "several steps of D": {"d_steps": 2},
    "a cyclic rate": {"cycle_steps": 4, "cycle_peak": 100.0},
    "DiffAugment": {"diffaugment": ["color", "translation", "cutout"]},
    "one-sided label smoothing": {"label_smoothing": [0.9]},
    "drawn targets": {"label_smoothing": [0.8, 1.0]},
    "spectral norm": {"spectral_norm": True},
    "no batch norm in D": {"d_batch_norm": False, "spectral_norm": True},
    "two learning rates": {"lr_d": 1e-3},
}
ALL_AT_ONCE = {
    k: v
    for changes in SWITCHED.values()
    for k, v in changes.items()
    if k not in ("weight_norm", "d_batch_norm", "feature_matching")
} | {"feature_matching": 0.5}


def offered(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Those of the changes that this model has."""
    names = {f.name for f in fields(OFFERED[name])} - ({"weight_norm"} if name == "pggan" else set())
    own = {k: v for k, v in changes.items() if k in names}
    return own | (BESIDE_VIRTUAL.get(name, {}) if "virtual_batch_norm" in own else {})


CASES = [
    pytest.param(name, offered(name, changes), id=f"{name}-{technique}".replace(" ", "-"))
    for name in OFFERED
    for technique, changes in [*SWITCHED.items(), ("all at once", ALL_AT_ONCE)]
    if offered(name, changes)
]
every_model = pytest.mark.parametrize("name", OFFERED)
every_dcgan = pytest.mark.parametrize("name", ["dcgan", "cdcgan"])


def fresh(name: str, **changes: Any) -> Any:
    """In training mode, with the weights that training starts from; what grows has grown."""
    model = seeded(lambda: MODELS[name](tiny_config(name, **GROWN.get(name, {}) | changes)), 0).train()
    model.on_images(0)
    return model


def batch(n: int = 6) -> Batch:
    images = torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return Batch(images, torch.arange(n) % 3)


def layers_of_d(model: Any) -> list[nn.Module]:
    return [m for m in model.D.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


# Every technique


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_a_technique_trains_and_its_run_generates(name, changes, tmp_path):
    model = fresh(name, **changes)
    start = {k: p.detach().clone() for k, p in model.named_parameters()}
    trainer = make_trainer(tmp_path / "run", model, images=12)
    trainer.train()
    for key, p in model.named_parameters():
        if "_image.0." in key or "_image.1." in key:  # of PGGAN's outgrown resolutions
            continue
        assert p.grad is not None, f"no phase trains {key}"
        assert p.grad.isfinite().all()
        assert p.isfinite().all()
    moved = [k for k, p in model.named_parameters() if not torch.equal(p, start[k])]
    assert {k[0] for k in moved} == {"D", "G"}
    trainer.folder.write_config(Recipe(name, model.config.to_dict(), DataRecipe("noise", ("a", "b", "c"))))
    loaded = Run(tmp_path / "run").load()
    assert loaded.config == model.config
    images, again = (m.generate(m.latents([1, 2, 3]), labels_for(m, 3)) for m in (trainer.ema.model, loaded))
    assert images.isfinite().all()
    torch.testing.assert_close(again, images)


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_with_a_technique_a_seed_is_still_one_image_in_any_batch(name, changes):
    model = build(name, **changes)
    labels = labels_for(model, 4)
    together = model.generate(model.latents([7, 3, 5, 0]), labels)
    for i, seed in enumerate([7, 3, 5, 0]):
        alone = model.generate(model.latents([seed]), None if labels is None else labels[i : i + 1])
        torch.testing.assert_close(together[i], alone[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "run", ["cifar10-dcgan", "cifar10-cdcgan", "cifar10-sngan", "cifar10-sagan", "flowers5-sagan", "flowers5-pggan"]
)
def test_all_off_is_the_model_of_the_runs_that_knew_no_techniques(run):
    found = Run(GALLERY / run)
    config = found.config
    for field in fields(OFFERED[found.model_name]):
        assert getattr(config, field.name) == getattr(type(config), field.name), "the run's recipe names a technique"
    with safe_open(found.folder.weights, "pt") as f:
        assert set(f.keys()) == set(found.blueprint.state_dict())


@every_model
def test_all_off_draws_nothing_and_adds_nothing_to_the_losses(name):
    """The same noise goes into losses written out from generate and score alone."""
    model = fresh(name)
    data, labels = batch(), batch().labels if model.conditional else None
    torch.manual_seed(1)
    loss, logs = model.loss_g(data)
    after = torch.get_rng_state()
    model = fresh(name)
    torch.manual_seed(1)
    fakes = model.generate(model.random_latents(6), labels)
    assert torch.equal(LOSSES_OF_G[name](model.score(fakes, labels)), loss)
    assert torch.equal(torch.get_rng_state(), after)
    assert {tag for tag in logs if "/gamma/" not in tag} == set()


@pytest.mark.parametrize("name", ["bigan", "wgan", "wgan_gp", "acgan"])
def test_models_that_only_share_dcgans_networks_offer_no_techniques(name):
    offered = {f.name for f in fields(DCGANTechniques)} - {"lr_d"}  # a rate for D is no technique of its own
    assert not {f.name for f in fields(MODELS[name].Config)} & offered


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("dcgan", {"spectral_norm": True, "weight_norm": True}, "each set the scale of the same weights"),
        ("sngan", {"virtual_batch_norm": 1}, "virtual-batch reference of one image"),
        ("dcgan", {"virtual_batch_norm": 1}, "virtual-batch reference of one image"),
        ("cdcgan", {"cycle_steps": 1}, "cycle of one step never leaves its lowest learning rate"),
        ("dcgan", {"cycle_peak": 0.5}, "cycle_peak must be at least 1"),
        ("dcgan", {"label_smoothing": []}, "one target, or a lower and an upper one"),
        ("dcgan", {"label_smoothing": [1.0, 0.8]}, "one target, or a lower and an upper one"),
        ("dcgan", {"label_smoothing": [0.8, 0.9, 1.0]}, "one target, or a lower and an upper one"),
        ("dcgan", {"label_smoothing": [1.2]}, "label_smoothing must be at least 0.5 and at most 1"),
        ("sngan", {"label_smoothing": [0.9]}, "SNGANConfig has no field 'label_smoothing'"),
        ("sngan", {"spectral_norm": True}, "SNGANConfig has no field 'spectral_norm'"),
        ("pggan", {"weight_norm": True}, "sets the scale of PGGAN's weights already"),
        ("pggan", {"virtual_batch_norm": 4}, 'batch norm only with --normalization "spectral'),
        ("sngan", {"diffaugment": ["flip"]}, "diffaugment must be one of color, translation, cutout"),
        ("sngan", {"feature_matching": 1.5}, "feature_matching must be at least 0 and at most 1"),
    ],
)
def test_what_makes_no_sense_is_refused(name, changes, says):
    with pytest.raises(GanlibError, match=says):
        build(name, **changes)


# Feature matching


@every_model
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_feature_matching_takes_its_share_of_gs_loss(name, share):
    model, data = fresh(name, feature_matching=share), batch()
    labels = data.labels if model.conditional else None
    torch.manual_seed(1)
    loss, logs = model.loss_g(data)
    model = fresh(name, feature_matching=share)
    torch.manual_seed(1)
    arguments = () if name == "pggan" else (labels,)
    features, logits = model.features_and_logits(model.generate(model.random_latents(6), labels), *arguments)
    matching = feature_matching(model.features_and_logits(data.images, *arguments)[0], features)
    torch.testing.assert_close(loss, (1 - share) * LOSSES_OF_G[name](logits) + share * matching)
    torch.testing.assert_close(logs["G/feature_matching"], matching)
    assert model.loss_kind.endswith("+ feature matching")


# What D sees of the batch


@every_model
@pytest.mark.parametrize("changes", [{}, {"minibatch_kernels": 6}, {"minibatch_stddev": True}])
def test_only_statistics_of_the_batch_let_batch_mates_change_what_d_says(name, changes):
    model = build(name, **{"minibatch_stddev": False} | changes)
    x = batch(6).images
    others = torch.cat([x[:1], x[:1].expand(5, -1, -1, -1)])
    labels = torch.zeros(6, dtype=torch.int64) if model.conditional else None
    difference = (model.score(x, labels)[0] - model.score(others, labels)[0]).abs()
    assert (difference > 1e-3) == bool(changes)


@pytest.mark.parametrize("changes", [{"minibatch_kernels": 6}, {"minibatch_stddev": True}])
def test_sngan_shows_d_real_and_fake_apart_where_d_compares_images(changes, monkeypatch):
    sizes = []
    for switched in (dict[str, Any](), changes):
        model = fresh("sngan", **switched)
        score = model.score
        seen: list[int] = []

        def spy(images: Tensor, labels: Tensor, score: Any = score, seen: list[int] = seen) -> Tensor:
            seen.append(len(images))
            return score(images, labels)

        monkeypatch.setattr(model, "score", spy)
        model.loss_d(batch())
        sizes.append(seen)
    assert sizes == [[12], [6, 6]]


# Virtual batch norm


def images_in_training(model: Any, mates: list[int]) -> Tensor:
    """The image of seed 5 in a training batch with these others."""
    labels = torch.tensor([1] + [2] * len(mates)) if model.conditional else None
    return model.generate(model.latents([5, *mates]), labels)[0]


@every_model
def test_virtual_batch_norm_frees_gs_images_from_their_batch_mates(name):
    beside = BESIDE_VIRTUAL.get(name, {})
    plain, virtual = build(name, **beside).train(), build(name, **beside, virtual_batch_norm=4).train()
    assert (images_in_training(plain, [1, 2, 3]) - images_in_training(plain, [7, 8, 9])).abs().max() > 0.01
    torch.testing.assert_close(
        images_in_training(virtual, [1, 2, 3]), images_in_training(virtual, [7, 8, 9]), atol=1e-5, rtol=1e-5
    )


@every_model
def test_virtual_batch_norm_gives_the_same_image_in_training_and_evaluation(name):
    model = build(name, **BESIDE_VIRTUAL.get(name, {}), virtual_batch_norm=4).train()
    trained = images_in_training(model, [1, 2])
    torch.testing.assert_close(images_in_training(model.eval(), [1, 2]), trained, atol=1e-5, rtol=1e-5)


@every_model
def test_virtual_batch_norm_replaces_all_of_gs_batch_norm_and_none_of_ds(name):
    beside = BESIDE_VIRTUAL.get(name, {})
    plain, virtual = build(name, **beside), build(name, **beside, virtual_batch_norm=4)
    norms = [m for m in virtual.G.modules() if isinstance(m, VirtualBatchNorm2d)]
    assert len(norms) == sum(isinstance(m, nn.BatchNorm2d) for m in plain.G.modules()) > 0
    assert not any(isinstance(m, nn.BatchNorm2d) for m in virtual.G.modules())
    assert list(virtual.D.state_dict()) == list(plain.D.state_dict())
    assert [k for k, _ in virtual.named_parameters()] == [k for k, _ in plain.named_parameters()]


@pytest.mark.parametrize("name", ["cdcgan", "sngan"])
def test_virtual_batch_norms_reference_holds_each_class_in_turn(name):
    model = fresh(name, virtual_batch_norm=6)
    seen = []
    first = model.G.net[0] if name == "cdcgan" else model.G.blocks[0]
    first.register_forward_pre_hook(lambda module, args: seen.append(args))
    model.generate(model.latents([9]), torch.tensor([2]))
    rows = seen[0][0][:, -3:, 0, 0] if name == "cdcgan" else seen[0][1]
    assert rows.argmax(1).tolist() == [0, 1, 2, 0, 1, 2, 2]


def test_the_run_averages_virtual_batch_norms_statistics(tmp_path):
    trainer = make_trainer(tmp_path, fresh("dcgan", virtual_batch_norm=4, lr=0.05), images=40, ema_ramp=10.0)
    trainer.train()
    for (key, now_), mean in zip(trainer.model.G.named_buffers(), trainer.ema.model.G.buffers(), strict=True):
        assert key.endswith(("running_mean", "running_var"))
        assert mean.isfinite().all()
        assert not torch.equal(now_, mean)


# Norms of D's weights


@every_dcgan
@pytest.mark.parametrize("d_batch_norm", [True, False])
def test_spectral_norm_makes_every_layer_of_d_one(name, d_batch_norm):
    model = build(name, spectral_norm=True, d_batch_norm=d_batch_norm).train()
    labels = labels_for(model, 6)
    for _ in range(100):  # each forward pass is one step of power iteration
        model.score(batch().images, labels)
    model.eval()
    assert any(isinstance(m, nn.BatchNorm2d) for m in model.D.modules()) == d_batch_norm
    for layer in layers_of_d(model):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", ["dcgan", "cdcgan", "sngan", "sagan"])
def test_weight_norm_parts_length_from_direction_in_every_layer_of_d(name):
    model = fresh(name, weight_norm=True, **({"spectral_norm": False} if name == "sagan" else {}))
    loss, _ = model.loss_d(batch())
    loss.backward()
    assert layers_of_d(model)
    for layer in layers_of_d(model):
        assert is_parametrized(layer, "weight")
        weight = layer.parametrizations.weight
        assert type(weight[0]).__name__ == "_WeightNorm"
        length, direction = weight.original0, weight.original1
        torch.testing.assert_close(layer.weight.flatten(1).norm(dim=1), length.flatten().abs())
        along = (direction.grad * direction).flatten(1).sum(1)
        across = direction.grad.flatten(1).norm(dim=1) * direction.flatten(1).norm(dim=1)
        assert (along.abs() <= 1e-4 * across + 1e-6).all()
    assert not any(is_parametrized(m) for m in model.G.modules())


# Losses and steps


@every_dcgan
def test_label_smoothing_reaches_ds_loss(name, monkeypatch):
    def target(**changes: Any) -> Any:
        model, seen = fresh(name, **changes), []
        monkeypatch.setattr(model, "d_loss", lambda real, fake, target: seen.append(target) or real.sum())
        model.loss_d(batch(50))
        return seen[0]

    assert target() == 1.0
    assert target(label_smoothing=[0.9]) == 0.9
    drawn = target(label_smoothing=[0.8, 1.0])
    assert drawn.shape == (50,)
    assert drawn.min() >= 0.8
    assert drawn.max() <= 1
    assert drawn.std() > 0.03
    assert not drawn.requires_grad


@every_model
def test_d_learns_at_each_step_and_g_at_every_kth(name, tmp_path):
    trainer = make_trainer(tmp_path, fresh(name, d_steps=3), images=28)  # seven steps
    trainer.train()
    steps = {k: {int(s["step"]) for s in o.state.values()} for k, o in trainer.optimizers.items()}
    assert steps == {"D": {7}, "G": {3}}


@every_dcgan
def test_lr_d_is_ds_rate_and_weight_decay_ds_alone(name):
    def settings(key: str, **changes: Any) -> list[float]:
        optimizers = fresh(name, **changes).optimizers()
        return [optimizers[network].param_groups[0][key] for network in ("D", "G")]

    assert settings("lr") == [2e-4, 2e-4]
    assert settings("lr", lr_d=1e-3) == [1e-3, 2e-4]
    assert settings("weight_decay", d_weight_decay=5e-3) == [5e-3, 0]


@pytest.mark.parametrize("name", [name for name in OFFERED if name != "pggan"])  # which has one rate
def test_a_cycle_keeps_the_ratio_of_both_rates(name, tmp_path):
    changes = {"lr_d": 4e-4} if name != "sngan" else {}
    trainer = make_trainer(tmp_path, fresh(name, cycle_steps=4, cycle_peak=5.0, **changes), images=12)  # three steps
    low = {k: o.param_groups[0]["lr"] for k, o in trainer.optimizers.items()}
    trainer.train()
    for key, optimizer in trainer.optimizers.items():
        assert optimizer.param_groups[0]["lr"] == pytest.approx(5 * low[key])
    assert low["D"] > low["G"]


@every_model
def test_diffaugment_alters_all_that_d_learns_from_and_nothing_that_it_is_asked(name, monkeypatch):
    model = fresh(name, diffaugment=["color"], feature_matching=0.5)
    seen: list[Tensor] = []
    plain = model.augment
    monkeypatch.setattr(model, "augment", lambda images: seen.append(images) or plain(images))
    data = batch()
    model.loss_d(data)
    assert len(seen) == 2
    assert any(x is data.images for x in seen)
    model.loss_g(data)
    assert len(seen) == 4  # fakes, and the real images whose features they match
    assert sum(x is data.images for x in seen) == 2
    model.eval()
    labels = labels_for(model, 6)
    assert torch.equal(model.score(data.images, labels), model.score(data.images, labels))
