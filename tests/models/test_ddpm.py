"""DDPM, Ho et al., arXiv:2006.11239, with DDIM, v prediction, cosine schedule and classifier-free guidance."""

from __future__ import annotations

from math import cos, pi
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.models.ddpm import compute_alphas_cumprod
from ganlib.sampling import check_options
from ganlib.training.trainer import seeded
from helpers.tiny_models import build, tiny_config

both_schedules = pytest.mark.parametrize("schedule", ["cosine", "linear"])
both_predictions = pytest.mark.parametrize("prediction", ["v", "epsilon"])
LABELS = torch.arange(3)


def fresh(**changes: Any) -> Any:
    return seeded(lambda: MODELS["ddpm"](tiny_config("ddpm", **changes)), 0).eval().requires_grad_(False)


def images(n: int = 3) -> Tensor:
    return torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5


def levels(*t: int) -> Tensor:
    return torch.tensor(t)


# The schedule and the diffusion.


@both_schedules
@pytest.mark.parametrize("timesteps", [100, 1000])
def test_alphas_cumprod_falls_from_one_to_almost_zero(schedule, timesteps):
    s = compute_alphas_cumprod(tiny_config("ddpm", schedule=schedule, timesteps=timesteps))
    assert s[0] == 1
    assert (s.diff() < 0).all()
    assert 0 < s[-1] < 1e-4
    assert len(s) == timesteps + 1


def test_the_schedules_are_the_papers():
    linear = compute_alphas_cumprod(tiny_config("ddpm", schedule="linear"))
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    torch.testing.assert_close(linear[1:], (1 - betas).cumprod(0))
    cosine = compute_alphas_cumprod(tiny_config("ddpm", schedule="cosine"))
    for t in (1, 250, 900):
        expected = cos((t / 1000 + 0.008) / 1.008 * pi / 2) ** 2 / cos(0.008 / 1.008 * pi / 2) ** 2
        assert cosine[t].item() == pytest.approx(expected)


@both_schedules
def test_noise_of_one_step_after_another_is_that_of_all_at_once(schedule):
    """q(x_t | x_0) in closed form (equation 4) against the chain of q(x_t | x_{t-1})."""
    model = fresh(schedule=schedule, timesteps=50)
    mean, variance = 1.0, 0.0
    for t in range(1, 51):
        alpha = (model.alphas_cumprod[t] / model.alphas_cumprod[t - 1]).item()
        mean, variance = mean * alpha**0.5, variance * alpha + 1 - alpha
        x = model.q_sample(torch.ones(1, 1, 16, 16), torch.zeros(1, 1, 16, 16), levels(t))
        assert x.flatten()[0].item() == pytest.approx(mean, rel=1e-4, abs=1e-5)
        assert (1 - model.alphas_cumprod[t]).item() == pytest.approx(variance, rel=1e-4, abs=1e-6)


@both_schedules
@pytest.mark.parametrize(("t", "s"), [(40, 39), (40, 20), (1, 0)])
def test_the_posterior_is_bayes_rule(schedule, t, s):
    """q(x_s | x_t, x_0) from the two Gaussians q(x_s | x_0) and q(x_t | x_s), multiplied and completed."""
    model = fresh(schedule=schedule, timesteps=50)
    x, xt = torch.full((1, 1, 1, 1), 0.3), torch.full((1, 1, 1, 1), -0.8)
    mean, variance = model.q_posterior(x, xt, levels(t), levels(s))
    of_s, of_t = model.alphas_cumprod[s].double(), model.alphas_cumprod[t].double()
    alpha = of_t / of_s
    if s == 0:
        assert variance.item() == pytest.approx(0, abs=1e-7)
        assert mean.item() == pytest.approx(0.3, abs=1e-6)
        return
    precision = 1 / (1 - of_s) + alpha / (1 - alpha)
    expected = (of_s.sqrt() * 0.3 / (1 - of_s) + alpha.sqrt() * -0.8 / (1 - alpha)) / precision
    assert variance.item() == pytest.approx(1 / precision.item(), rel=1e-3)
    assert mean.item() == pytest.approx(expected.item(), rel=1e-3)


def test_the_posterior_of_one_step_is_the_papers():
    """Equations 6 and 7 in the paper's own letters."""
    model = fresh(schedule="linear", timesteps=1000)
    s = model.alphas_cumprod.double()
    t = 400
    beta = 1 - s[t] / s[t - 1]
    x, xt = images(1), images(2)[1:]
    mean, variance = model.q_posterior(x, xt, levels(t), levels(t - 1))
    of_x = s[t - 1].sqrt() * beta / (1 - s[t])
    of_xt = (1 - beta).sqrt() * (1 - s[t - 1]) / (1 - s[t])
    torch.testing.assert_close(mean, (of_x * x + of_xt * xt).float(), rtol=1e-4, atol=1e-5)
    assert variance.item() == pytest.approx((beta * (1 - s[t - 1]) / (1 - s[t])).item(), rel=1e-3)


@both_predictions
@pytest.mark.parametrize("t", [1, 500, 990])
def test_v_and_epsilon_name_the_same_image_and_noise(prediction, t):
    model = fresh(prediction=prediction)
    x, noise = images(), torch.randn(3, 1, 16, 16)
    xt = model.q_sample(x, noise, levels(t, t, t))
    predicted = noise if prediction == "epsilon" else model.get_velocity(x, noise, levels(t, t, t))
    pred_x0, pred_eps = model.convert_output(xt, predicted, levels(t, t, t))
    tolerance = 1e-3 if prediction == "epsilon" and t > 900 else 1e-5  # divided by a small √ᾱ
    torch.testing.assert_close(pred_x0, x, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(pred_eps, noise, atol=1e-5, rtol=1e-5)


@both_predictions
def test_the_loss_is_the_error_of_what_is_predicted(prediction):
    model = fresh(prediction=prediction)  # its last layer is 0: it predicts nothing
    torch.manual_seed(0)  # of the levels and the noise
    batch = Batch(images(256 // 3 * 3), torch.arange(255) % 3)
    loss, _ = model.loss(batch)
    expected = 1.0 if prediction == "epsilon" else None
    if expected is None:  # E[v²] = ᾱ + (1 - ᾱ) E[x²]
        alpha = model.alphas_cumprod[1:].mean().item()
        expected = alpha + (1 - alpha) * batch.images.square().mean().item()
    assert loss.item() == pytest.approx(expected, rel=0.05)


# Sampling.


class PerfectPrediction:
    """Stands in for the U-Net of one known image: its word is exact at every level."""

    def __init__(self, model: Any, image: Tensor) -> None:
        self.model, self.image = model, image

    def __call__(self, xt: Tensor, t: Tensor, y: Tensor | None, guidance: Any = 1.0) -> Tensor:
        a, b = self.model.alpha_sigma(t, xt)
        noise = (xt - a * self.image) / b
        return noise if self.model.config.prediction == "epsilon" else self.model.get_velocity(self.image, noise, t)


@both_predictions
@pytest.mark.parametrize("sampler", ["ddim", "ancestral"])
@pytest.mark.parametrize("steps", [1, 7, 100])
def test_with_the_perfect_prediction_every_sampler_ends_at_the_image(prediction, sampler, steps, monkeypatch):
    model, image = fresh(prediction=prediction, timesteps=100), images(1)
    monkeypatch.setattr(model, "predict", PerfectPrediction(model, image))
    made = model.generate(model.latents([1, 2]), torch.tensor([0, 1]), steps=steps, sampler=sampler)
    torch.testing.assert_close(made, image.expand(2, -1, -1, -1), atol=1e-3, rtol=0)


def test_ancestral_steps_keep_the_marginals_of_the_diffusion(monkeypatch):
    """Of one known image, x_s has mean √ᾱ_s x₀ and variance 1 - ᾱ_s at every step, whichever way it came."""
    model, image = fresh(timesteps=100), torch.full((1, 1, 16, 16), 0.5)
    seen: list[tuple[Tensor, Tensor]] = []
    known = PerfectPrediction(model, image)

    def predict(xt: Tensor, t: Tensor, y: Any, guidance: Any) -> Tensor:
        seen.append((xt, t))
        return known(xt, t, y)

    monkeypatch.setattr(model, "predict", predict)
    model.generate(model.latents(range(40)), torch.zeros(40, dtype=torch.int64), steps=5, sampler="ancestral")
    for xt, t in seen[1:]:
        alpha = model.alphas_cumprod[t[0]].item()
        assert xt.mean().item() == pytest.approx(0.5 * alpha**0.5, abs=0.04)
        assert xt.var().item() == pytest.approx(1 - alpha, rel=0.05)


class Gaussian:
    """Stands in for the U-Net that has learned images of independent pixels from N(0, deviation²)."""

    def __init__(self, model: Any, deviation: float) -> None:
        self.model, self.variance = model, deviation**2

    def __call__(self, xt: Tensor, t: Tensor, y: Tensor | None, guidance: Any = 1.0) -> Tensor:
        a, b = self.model.alpha_sigma(t, xt)
        spread = a**2 * self.variance + b**2
        pred_x0, noise = a * self.variance * xt / spread, b * xt / spread  # their means, given x_t
        return noise if self.model.config.prediction == "epsilon" else self.model.get_velocity(pred_x0, noise, t)


@both_predictions
def test_ddim_with_all_steps_inverts_itself(prediction, monkeypatch):
    """And for Gaussian pixels it is known where to: at the noise x / deviation."""
    model = fresh(prediction=prediction, timesteps=1000)
    monkeypatch.setattr(model, "predict", Gaussian(model, 0.3))
    monkeypatch.setattr("ganlib.models.ddpm.DEFAULT_STEPS", 1000)
    x = 0.3 * torch.randn(3, 1, 16, 16, generator=torch.Generator().manual_seed(0)).clamp(-3, 3)
    latents = model.encode(x)
    torch.testing.assert_close(latents.z, x / 0.3, atol=0.05, rtol=0)
    torch.testing.assert_close(model.generate(latents, LABELS, steps=1000), x, atol=0.01, rtol=0)


def test_ancestral_sampling_is_the_same_for_a_seed_in_any_batch():
    model = build("ddpm")
    together = model.generate(model.latents([7, 8, 9]), LABELS, sampler="ancestral", steps=6)
    for i in range(3):
        alone = model.generate(model.latents([7 + i]), LABELS[i : i + 1], sampler="ancestral", steps=6)
        torch.testing.assert_close(alone[0], together[i], atol=1e-4, rtol=1e-4)
    other = model.generate(model.latents([7, 8, 9]), LABELS, sampler="ddim", steps=6)
    assert (other - together).abs().max() > 0.01


def test_each_stage_is_the_image_as_it_is_predicted():
    model = build("ddpm")
    stages = list(model.trace(model.latents([1, 2]), LABELS[:2], steps=5))
    assert len(stages) == model.stages(steps=5) == 5
    assert all(stage.shape == (2, 1, 16, 16) for stage in stages)
    assert model.stages() == 20


def test_steps_go_evenly_from_all_noise_to_none():
    model = fresh(timesteps=1000)
    pairs = [(t.item(), s.item()) for t, s in model.timesteps(4, 1)]
    assert pairs == [(1000, 750), (750, 500), (500, 250), (250, 0)]
    mixed = [(t.tolist(), s.tolist()) for t, s in model.timesteps(torch.tensor([1, 2]), 2)]
    assert mixed == [([1000, 1000], [0, 500]), ([0, 500], [0, 0])]


@pytest.mark.parametrize("name", ["ddpm", "dit"])
def test_more_steps_than_timesteps_are_refused_and_change_nothing(name, monkeypatch):
    """Of 20 steps over 5 timesteps 15 stay where they are, in sampling and in encoding."""
    model = build(name, timesteps=5)
    with pytest.raises(GanlibError, match="Option steps must be at least 1 and at most 5, not '6'"):
        check_options(model, {"steps": "6"})
    assert [o.default for o in model.options if o.name == "steps"] == [5]
    latents = model.latents([1, 2, 3])
    each = model.generate(latents, LABELS, steps=5)
    torch.testing.assert_close(model.generate(latents, LABELS), each)
    torch.testing.assert_close(model.generate(latents, LABELS, steps=torch.tensor([5, 20, 250])), each)
    encoded = model.encode(images()).z
    monkeypatch.setattr("ganlib.models.ddpm.DEFAULT_STEPS", 5)
    torch.testing.assert_close(model.encode(images()).z, encoded)


# Guidance.


def test_guidance_one_is_the_conditional_model_and_zero_the_unconditional():
    model = build("ddpm")
    x, t, y = torch.randn(3, 1, 16, 16), levels(500, 500, 500), model.null_extended(LABELS)
    cond = model.unet(x, t / 1000, y)
    uncond = model.unet(x, t / 1000, model.null_label.expand(3, -1))
    assert (cond - uncond).abs().max() > 0.01
    assert torch.equal(model.predict(x, t, y, 1.0), cond)
    assert torch.equal(model.predict(x, t, y, 0.0), uncond)
    torch.testing.assert_close(model.predict(x, t, y, 2.5), uncond + 2.5 * (cond - uncond), atol=1e-4, rtol=1e-4)
    each = model.predict(x, t, y, torch.tensor([0.0, 1.0, 3.0]))
    expected = torch.stack([uncond[0], cond[1], uncond[2] + 3 * (cond[2] - uncond[2])])
    torch.testing.assert_close(each, expected, atol=1e-4, rtol=1e-4)


def test_without_guidance_the_class_is_forgotten():
    model = build("ddpm")
    made = model.generate(model.latents([5] * 3), LABELS, guidance=0.0, steps=3)
    torch.testing.assert_close(made, made[:1].expand(3, -1, -1, -1))


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (1 - 1e-9, 64)])
def test_a_share_of_labels_is_withheld_in_training(share, expected, monkeypatch):
    model = fresh(label_dropout=share)
    given = []
    unet = model.unet.forward
    monkeypatch.setattr(model.unet, "forward", lambda x, t, y: given.append(y) or unet(x, t, y))
    model.loss(Batch(images(64), torch.zeros(64, dtype=torch.int64)))
    assert given[0][:, -1].sum() == expected
    assert given[0][:, 0].sum() == 64 - expected


def test_an_unconditional_one_has_no_guidance_and_still_encodes():
    model = build("ddpm", class_conditional=False)
    assert [o.name for o in model.options] == ["steps", "sampler"]
    assert model.generate(model.encode(images())).shape == (3, 1, 16, 16)


@pytest.mark.parametrize("name", ["ddpm", "dit", "edm", "flow_matching", "meanflow"])
def test_to_drop_every_class_is_refused_where_there_are_classes(name):
    with pytest.raises(
        GanlibError, match=r"label_dropout 1 drops every class.* leave classes out with --no-class-cond"
    ):
        tiny_config(name, label_dropout=1.0)
    assert not build(name, label_dropout=1.0, class_conditional=False).conditional
    assert not build(name, label_dropout=1.0, num_classes=0).conditional


@pytest.mark.parametrize("name", ["ddpm", "dit", "edm", "flow_matching"])
def test_where_no_classes_were_dropped_there_is_no_guidance(name):
    model = build(name, label_dropout=0.0)
    assert "guidance" not in [o.name for o in model.options]
    with pytest.raises(GanlibError, match="no option 'guidance'; it has steps"):
        check_options(model, {"guidance": 2})


def test_without_a_null_label_images_are_encoded_as_of_all_classes_alike():
    assert fresh(label_dropout=0.0).null_condition(2).tolist() == [pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])] * 2
    assert fresh().null_condition(1).tolist() == [[0, 0, 0, 1]]


def test_more_levels_than_the_size_allows_are_refused():
    with pytest.raises(GanlibError, match="5 multipliers do not fit 16 pixels; give one to 4"):
        build("ddpm", multipliers=[1, 1, 1, 1, 1])
