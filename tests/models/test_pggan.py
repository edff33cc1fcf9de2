"""PGGAN, Karras et al., arXiv:1710.10196: growth, what fades, and what is normalised."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate
from torch.nn.utils.parametrize import is_parametrized

from ganlib.errors import GanlibError
from ganlib.logs import read
from ganlib.losses import least_squares_d
from ganlib.models import MODELS, Batch
from ganlib.models.pggan import resize
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, build_untrained, make_trainer, tiny_config

SPECTRAL: dict[str, Any] = {"normalization": "spectral + batch"}
NORMALIZATIONS = pytest.mark.parametrize("changes", [{}, SPECTRAL], ids=["equalized", "spectral"])
SCHEDULE: dict[str, Any] = {"stabilize": 100, "fade": 40, "multipliers": [1.0, 2.0]}


def at(model: Any, depth: int, alpha: float) -> Any:
    for net in (model.G, model.D):
        net.stage.copy_(torch.tensor([depth, alpha]))
    return model


def images(n: int = 4) -> torch.Tensor:
    return torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(
    ("seen", "stage"),
    [
        (0, (0, 1.0)),
        (99, (0, 1.0)),
        (100, (1, 0.0)),
        (140, (1, 0.5)),
        (180, (1, 1.0)),
        (379, (1, 1.0)),
        (380, (2, 0.0)),
        (459, (2, 79 / 80)),
        (460, (2, 1.0)),
        (10**9, (2, 1.0)),
    ],
)
def test_phases_are_counted_in_images_with_a_multiplier_for_each_resolution(seen, stage):
    assert tiny_config("pggan", **SCHEDULE).stage(seen) == pytest.approx(stage)


@NORMALIZATIONS
@pytest.mark.parametrize("depth", [1, 2])
def test_at_alpha_zero_it_is_the_smaller_network(changes, depth):
    model = build("pggan", **changes)
    latents, reals = model.latents(range(4)), images()
    smaller = at(model, depth - 1, 1.0).G(latents.z)
    faded = at(model, depth, 0.0).G(latents.z)
    torch.testing.assert_close(faded, interpolate(smaller, scale_factor=2))
    fresh = resize(reals, 4 << depth)
    torch.testing.assert_close(at(model, depth, 0.0).D(fresh), at(model, depth - 1, 1.0).D(avg_pool2d(fresh, 2)))


@NORMALIZATIONS
def test_at_alpha_one_it_is_the_larger_network_alone(changes):
    model = at(build("pggan", **changes), 2, 1.0)
    latents, reals = model.latents(range(4)), images()
    made, judged = model.generate(latents), model.score(reals)
    with torch.no_grad():  # the way past the newest block no longer matters
        for p in [*model.G.to_image[1].parameters(), *model.D.from_image[1].parameters()]:
            p.add_(1.0)
    assert torch.equal(model.generate(latents), made)
    assert torch.equal(model.score(reals), judged)
    assert not torch.equal(at(model, 2, 0.5).generate(latents), made)


def test_pictures_show_the_resolution_that_is_grown():
    model = build("pggan")
    latents = model.latents(range(2))
    for depth, size in enumerate([4, 8, 16]):
        made = at(model, depth, 1.0).generate(latents)
        assert made.shape == (2, 1, 16, 16)
        assert torch.equal(made, resize(resize(made, size), 16))
        assert (made - resize(resize(made, size // 2), 16)).abs().max() > 0.01


def test_the_nearest_neighbour_keeps_one_pixel_of_each_block_and_repeats_it():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert resize(x, 2).flatten().tolist() == [0, 2, 8, 10]
    assert resize(resize(x, 2), 4)[0, 0].tolist() == [[0, 0, 2, 2], [0, 0, 2, 2], [8, 8, 10, 10], [8, 8, 10, 10]]


def test_real_images_fade_as_the_made_ones_do():
    model, reals = build("pggan"), images()
    assert torch.equal(at(model, 1, 0.0).fade_reals(reals), resize(resize(reals, 4), 16))
    assert torch.equal(at(model, 1, 1.0).fade_reals(reals), resize(resize(reals, 8), 16))
    half = at(model, 2, 0.5).fade_reals(reals)
    torch.testing.assert_close(half, 0.5 * (reals + resize(resize(reals, 8), 16)))


def test_growth_starts_both_optimizers_afresh_and_only_growth_does():
    model = seeded(lambda: MODELS["pggan"](tiny_config("pggan", **SCHEDULE)), 0)
    resets = {seen: model.on_images(seen) for seen in range(0, 600, 20)}
    assert {seen for seen, reset in resets.items() if reset} == {100, 380}
    assert resets[100] == ("D", "G")


def test_each_resolution_has_its_batch_size(tmp_path):
    changes = SCHEDULE | {"batch_sizes": [8, 4]}
    model = seeded(lambda: MODELS["pggan"](tiny_config("pggan", **changes)), 0)
    trainer = make_trainer(tmp_path, model, images=392)
    trainer.train()
    log = read(tmp_path / "log.csv")
    images = log[log.tag == "images"].set_index("step").value
    resolution = log[log.tag == "resolution"].set_index("step").value.rename(index=images.to_dict())
    assert resolution[[8, 104]].tolist() == [4, 4]
    assert resolution[[108, 380]].tolist() == [8, 8]
    assert resolution[384] == 16
    taken = resolution.index.to_series().diff()
    assert set(taken[resolution == 4].dropna()) == {8}
    assert set(taken[resolution > 4]) == {4}


def test_pictures_of_a_run_grow(tmp_path):
    make_trainer(tmp_path, "pggan", images=20, snapshot_first=4, snapshot_growth=2.0).train()
    stages = [load_file(tmp_path / "snapshots" / f"{n}.safetensors")["G.stage"].tolist() for n in (0, 4, 8, 16, 20)]
    assert stages == [[0, 1], [0, 1], [1, 0], [2, 0], [2, 1]]  # as of a snapshot's last step


def test_minibatch_stddev_tells_a_collapsed_batch():
    model = build("pggan")
    collapsed = images(1).expand(4, -1, -1, -1)
    alone = model.score(images(1))
    torch.testing.assert_close(model.score(collapsed), alone.expand(4))  # no deviation, as for one image
    assert (model.score(images())[0] - alone[0]).abs() > 1e-3


def test_equalized_networks_have_no_batch_norm_and_spectral_ones_no_pixel_norm():
    plain, spectral = build("pggan"), build("pggan", **SPECTRAL)
    weighted = (nn.Conv2d, nn.Linear)
    for model in (plain, spectral):
        assert all(is_parametrized(m, "weight") for m in model.modules() if isinstance(m, weighted))
    kinds = [{type(m).__name__ for m in net.modules()} for net in (plain.G, plain.D, spectral.G, spectral.D)]
    assert ["PixelNorm" in k for k in kinds] == [True, False, False, False]
    assert ["BatchNorm2d" in k for k in kinds] == [False, False, True, False]


def test_a_deep_discriminator_of_spectral_norm_sees_fine_detail_after_60_steps():
    size = {"image_size": 32, "width": 8, "max_width": 16}
    config = tiny_config("pggan", lr=5e-4, beta1=0.5, beta2=0.999, **size, **SPECTRAL)
    model: Any = seeded(lambda: MODELS["pggan"](config), 0)
    model.on_images(10**9)
    optimizer, noise = model.optimizers()["D"], torch.Generator().manual_seed(0)

    def logits(detail: float) -> torch.Tensor:
        smooth = interpolate(torch.randn(16, 1, 4, 4, generator=noise), 32, mode="bilinear")
        return model.D((smooth + detail * torch.randn(smooth.shape, generator=noise)).tanh())

    for _ in range(60):
        optimizer.zero_grad()
        least_squares_d(logits(0.3), logits(0.0)).backward()
        optimizer.step()
    assert logits(0.3).mean() > logits(0.0).mean() + 0.4


def test_a_spectral_discriminator_has_the_scale_of_an_equalized_one():
    layers = [m for m in build_untrained("pggan", **SPECTRAL).D.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    norms = torch.stack([torch.linalg.matrix_norm(m.weight.flatten(1), 2) for m in layers])
    gains = torch.tensor([2**0.5] * (len(layers) - 1) + [1.0])  # the last one's are the logits
    torch.testing.assert_close(norms, gains, rtol=0.02, atol=0)
    assert all(m.bias.count_nonzero() == 0 for m in layers)


def test_squared_error_is_smoothed_on_one_side():
    model = build("pggan", label_smoothing=[0.9])
    batch = Batch(images(), torch.zeros(4, dtype=torch.int64))
    torch.manual_seed(0)
    loss, _ = model.loss_d(batch)
    torch.manual_seed(0)
    fake = model.score(model.generate(model.random_latents(4)))
    torch.testing.assert_close(loss, least_squares_d(model.score(batch.images), fake, 0.9))


@pytest.mark.parametrize(
    "changes", [{"loss": "wasserstein"}, SPECTRAL | {"label_smoothing": [0.8, 1.0]}], ids=["wasserstein", "thesis"]
)
def test_its_variants_train(changes, tmp_path):
    model = seeded(lambda: MODELS["pggan"](tiny_config("pggan", **changes)), 0)
    trainer = make_trainer(tmp_path, model, images=24)
    trainer.train()
    assert trainer.images == 24
    assert all(p.isfinite().all() for p in trainer.model.parameters())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"multipliers": [1.0] * 4}, r"multipliers has 4 values for 3 resolutions \(4, 8, 16 pixels\)"),
        ({"batch_sizes": [8] * 5}, "batch_sizes has 5 values for 3 resolutions"),
        ({"multipliers": []}, "multipliers needs at least one value"),
        ({"loss": "wasserstein", "label_smoothing": [0.9]}, "A critic has no target to smooth"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(GanlibError, match=says):
        build("pggan", **changes)


@NORMALIZATIONS
def test_stopped_half_way_through_a_fade_it_resumes_to_the_same_bits(changes, tmp_path):
    settings: dict[str, Any] = {"images": 60, "snapshot_first": 20, "seed": 3}

    def fresh() -> Any:
        config = tiny_config("pggan", stabilize=12, fade=16, batch_sizes=[8, 4], **changes)
        return seeded(lambda: MODELS["pggan"](config), 0)

    whole = make_trainer(tmp_path / "whole", fresh(), **settings)
    whole.train()
    stopped = make_trainer(tmp_path / "parts", fresh(), **settings)
    stopped.train(should_stop=lambda: stopped.images >= 24)
    assert 0 < stopped.model.G.alpha < 1
    resumed = make_trainer(tmp_path / "parts", fresh(), resume=True, **settings)
    resumed.train()
    assert resumed.images == whole.images > 44  # through another growth
    expected, found = whole.model.state_dict(), resumed.model.state_dict()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    ema, again = whole.ema.model.state_dict(), resumed.ema.model.state_dict()
    assert all(torch.equal(ema[key], again[key]) for key in ema)
