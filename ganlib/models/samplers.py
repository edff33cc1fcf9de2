"""Samplers of diffusion models and flows: pure functions of a prediction, apart from the network that makes it.

A step goes from one noise level to a lower one, each (N,), so that every image may have a number of steps of its own:
``solve`` leaves images whose two levels are equal as they are. Level 0 is the image.

Ho, Jain, Abbeel, arXiv:2006.11239: ancestral sampling. Song, Meng, Ermon, arXiv:2010.02502: DDIM. Karras, Aittala,
Aila, Laine, arXiv:2206.00364: noise levels, Heun's method, churn. Ho, Salimans, arXiv:2207.12598: guidance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import sqrt
from typing import Literal

import torch
from torch import Tensor

from ganlib.models.contract import Latents
from ganlib.models.options import per_image

Steps = Iterable[tuple[Tensor, Tensor]]  # levels before and after each step, (N,) each
Predict = Callable[[Tensor, Tensor], Tensor]  # (N, C, H, W) and its levels (N,) -> (N, C, H, W)
Coefficients = Callable[[Tensor], tuple[Tensor, Tensor]]  # levels (N,) -> those of image and noise, (N, 1, 1, 1) each
Step = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""Images (N, C, H, W) and levels before and after -> the images after the step, and the final ones as predicted."""
Solver = Literal["euler", "midpoint", "heun"]

CHURNED = (0.05, 50.0)  # noise levels of EDM at which churn adds noise (table 5)
CHURN_NOISE = 1.003  # its standard deviation, S_noise


def even_steps(steps: int | Tensor, n: int, device: torch.device | str = "cpu") -> Iterator[tuple[Tensor, Tensor]]:
    """Levels evenly spaced from 1 to 0; ``steps`` is a number, or one for each of the n images."""
    count = torch.as_tensor(steps, device=device).expand(n)
    for i in range(int(count.max())):
        before, after = ((1 - (j / count)).clamp(min=0) for j in (i, i + 1))
        yield before, after


def edm_steps(
    steps: int | Tensor, n: int, sigma_min: float, sigma_max: float, rho: float, device: torch.device | str = "cpu"
) -> Iterator[tuple[Tensor, Tensor]]:
    """EDM's σ_i = (σ_max^(1/ρ) + i / (N - 1) (σ_min^(1/ρ) - σ_max^(1/ρ)))^ρ, and 0 at last (equation 5)."""
    count = torch.as_tensor(steps, device=device).expand(n)
    start, end = sigma_max ** (1 / rho), sigma_min ** (1 / rho)

    def sigma(i: int) -> Tensor:
        share = i / (count - 1).clamp(min=1)
        return torch.where(i < count, (start + share * (end - start)) ** rho, torch.zeros_like(share))

    for i in range(int(count.max())):
        yield sigma(i), sigma(i + 1)


def solve(step: Step, x: Tensor, steps: Steps) -> Iterator[Tensor]:
    """Yields the final image as each step predicts it; the last of them is the image."""
    for before, after in steps:
        next_x, prediction = step(x, before, after)
        done = per_image(before == after, x) > 0
        at_end = per_image(after == 0, x) > 0
        shown = torch.where(done, x, torch.where(at_end, next_x, prediction))
        x = torch.where(done, x, next_x)
        yield shown


def ddim_step(predict_x0: Predict, coefficients: Coefficients) -> Step:
    """The noise that x_t has beside the predicted image, at its new level (Song et al., equation 12, σ = 0)."""

    def step(x: Tensor, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        pred_x0 = predict_x0(x, t)
        (alpha, sigma), (next_alpha, next_sigma) = coefficients(t), coefficients(s)
        return next_alpha * pred_x0 + next_sigma * ((x - alpha * pred_x0) / sigma), pred_x0

    return step


def ancestral_step(
    predict_x0: Predict,
    posterior: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
    noise: Callable[[], Tensor],
) -> Step:
    """x_s from the posterior q(x_s | x_t, x₀), which gives mean (N, C, H, W) and variance (N,), at the predicted x₀."""

    def step(x: Tensor, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        pred_x0 = predict_x0(x, t)
        mean, variance = posterior(pred_x0, x, t, s)
        return mean + per_image(variance.sqrt(), x) * noise(), pred_x0

    return step


def euler_step(derivative: Predict) -> Step:
    """x + h f(x, t): first order."""

    def step(x: Tensor, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        slope = derivative(x, t)
        return x + per_image(s - t, x) * slope, x - per_image(t, x) * slope

    return step


def midpoint_step(derivative: Predict) -> Step:
    """x + h f(x + h / 2 f(x, t), t + h / 2): second order."""

    def step(x: Tensor, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        first = derivative(x, t)
        slope = derivative(x + per_image((s - t) / 2, x) * first, (t + s) / 2)
        return x + per_image(s - t, x) * slope, x - per_image(t, x) * slope

    return step


def heun_step(derivative: Predict, *, defined_at_zero: bool = True) -> Step:
    """x + h / 2 (f(x, t) + f(x + h f(x, t), t + h)): second order; Euler's into level 0 where f is undefined there."""

    def step(x: Tensor, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        first, h = derivative(x, t), per_image(s - t, x)
        euler, prediction = x + h * first, x - per_image(t, x) * first
        if defined_at_zero:
            return x + h / 2 * (first + derivative(euler, s)), prediction
        if bool((s == 0).all()):
            return euler, prediction
        second = derivative(euler, torch.where(s == 0, t, s))
        return torch.where(per_image(s == 0, x) > 0, euler, x + h / 2 * (first + second)), prediction

    return step


SOLVERS: dict[Solver, Callable[[Predict], Step]] = {
    "euler": euler_step,
    "midpoint": midpoint_step,
    "heun": heun_step,
}


def churned(step: Step, churn: Tensor, noise: Callable[[], Tensor]) -> Step:
    """Before each step, noise that raises σ by the factor 1 + min(churn, √2 - 1) (Karras et al., algorithm 2).

    churn: (N,) S_churn over the number of steps.
    """
    gamma = churn.clamp(max=sqrt(2) - 1)

    def churned_step(x: Tensor, sigma: Tensor, next_sigma: Tensor) -> tuple[Tensor, Tensor]:
        low, high = CHURNED
        raised = torch.where((sigma >= low) & (sigma <= high), sigma * (1 + gamma), sigma)
        added = CHURN_NOISE * (raised.square() - sigma.square()).sqrt()
        return step(x + per_image(added, x) * noise(), raised, next_sigma)

    return churned_step


def step_noise(latents: Latents) -> Callable[[], Tensor]:
    """Noise of the latents' shape, new at each call, from one CPU generator a seed: the same in any batch.

    Each generator goes on where it left the initial noise, of which its seed's first values are.
    """
    shape, generators = latents.z.shape[1:], [torch.Generator().manual_seed(s) for s in latents.seeds.tolist()]

    def draw() -> Tensor:
        return torch.stack([torch.empty(shape).normal_(generator=g) for g in generators]).to(latents.z.device)

    draw()
    return draw


def guided(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor],
    x: Tensor,
    level: Tensor,
    y: Tensor,
    null: Tensor,
    weight: float | Tensor,
) -> Tensor:
    """Classifier-free guidance: uncond + w (cond - uncond) (Ho & Salimans, equation 6), in one pass of 2 N images.

    ``predict(x, level, y)``; y and null: (N, K) conditions; weight: a scalar or (N,).
    """
    w = torch.as_tensor(weight, dtype=x.dtype, device=x.device)
    if bool((w == 1).all()):
        return predict(x, level, y)
    if bool((w == 0).all()):
        return predict(x, level, null)
    cond, uncond = predict(torch.cat([x, x]), level.repeat(2), torch.cat([y, null])).chunk(2)
    return uncond + per_image(w, x) * (cond - uncond)


def straightness(derivative: Predict, x: Tensor, steps: Steps) -> Tensor:
    """E‖(x₁ - x₀) - f(x_t, t)‖² of each path over its own length ‖x₁ - x₀‖²: (N,), 0 = straight lines at even speed.

    Liu, Gong, Liu, arXiv:2209.03003, equation 3, by Euler's method over levels from 1 to 0.
    """
    start, slopes, lengths = x, [], []
    for t, s in steps:
        slope = derivative(x, t)
        x = x + per_image(s - t, x) * slope
        slopes.append(slope)
        lengths.append(t - s)
    line = start - x
    errors = [length * (line - slope).square().flatten(1).sum(1) for slope, length in zip(slopes, lengths, strict=True)]
    return torch.stack(errors).sum(0) / line.square().flatten(1).sum(1)
