"""Flow matching: a U-Net learns the velocity along straight lines from noise to images; sampling follows it.

Lipman, Chen, Ben-Hamu, Nickel, Le, "Flow Matching for Generative Modeling", ICLR 2023, arXiv:2210.02747: conditional
optimal transport paths (section 4.1). Liu, Gong, Liu, arXiv:2209.03003: straightness. Esser et al., arXiv:2403.03206,
section 3.1: times from a logit-normal distribution. Ho, Salimans, arXiv:2207.12598: classifier-free guidance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from ganlib.config import option
from ganlib.models.contract import MODELS, Batch, Latents, Phase
from ganlib.models.diffusion import Guided, UNetConfig, steps_option
from ganlib.models.options import Option, per_image
from ganlib.models.samplers import SOLVERS, Solver, even_steps, solve, straightness

DEFAULT_STEPS, MAX_STEPS = 12, 100

SOLVER = Option(
    "solver",
    "midpoint",
    "euler calls the network once a step; midpoint and heun twice, and need fewer steps.",
    kind="choice",
    choices=("euler", "midpoint", "heun"),
)


@dataclass(frozen=True)
class FlowMatchingConfig(UNetConfig):
    width: int = option(32, "channels at the highest resolution", min=4)
    sigma_min: float = option(0.0, "noise left at the end of each training path", min=0.0, max=0.5)
    times: Literal["uniform", "logit-normal"] = option(
        "uniform", "distribution of the times trained on; logit-normal prefers the middle of the way"
    )

    @classmethod
    def tiny(cls) -> FlowMatchingConfig:
        return cls(image_size=16, channels=1, num_classes=3, width=8, multipliers=(1, 2), attention=(8,))


@MODELS.register("flow_matching")
class FlowMatching(Guided):
    """Time t runs from 0, noise, to 1, images; samplers' levels are 1 - t."""

    display_name = "Flow matching"
    colour = 7
    Config = FlowMatchingConfig
    config: FlowMatchingConfig
    ema_modules = ("unet",)
    default_steps = DEFAULT_STEPS
    loss_kind = "squared error of the velocity"

    def __init__(self, config: FlowMatchingConfig) -> None:
        super().__init__(config)
        self.unet = config.build_unet()
        steps = steps_option(DEFAULT_STEPS, MAX_STEPS)
        self.options = (steps, SOLVER, *self.guidance_options)

    def phases(self) -> list[Phase]:
        return [Phase("velocity", "unet", self.loss)]

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """‖v(x_t, t) - u_t(x_t | x₁)‖² for each pixel value (equation 23)."""
        n, device = len(batch.images), batch.images.device
        t = (
            torch.randn(n, device=device).sigmoid()
            if self.config.times == "logit-normal"
            else torch.rand(n, device=device)
        )
        noise = torch.randn_like(batch.images)
        xt, velocity = self.path(noise, batch.images, t)
        return mse_loss(self.unet(xt, t, self.training_condition(batch)), velocity), {}

    def path(self, noise: Tensor, images: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """x_t = (1 - (1 - σ_min) t) x₀ + t x₁ and its velocity x₁ - (1 - σ_min) x₀ (equations 22 and 23)."""
        remaining, share = 1 - self.config.sigma_min, per_image(t, images)
        return (1 - remaining * share) * noise + share * images, images - remaining * noise

    # Sampling: dx / d(1 - t) = -v(x, t).

    def derivative(self, x: Tensor, level: Tensor, y: Tensor | None, guidance: float | Tensor = 1.0) -> Tensor:
        return -self.with_guidance(self.unet, x, 1 - level, y, guidance)

    def trace(
        self,
        latents: Latents,
        labels: Tensor | None = None,
        *,
        steps: int | Tensor = DEFAULT_STEPS,
        solver: Solver = "midpoint",
        guidance: float | Tensor = 1.0,
    ) -> Iterator[Tensor]:
        """Where a straight line leads from each step; the last one is the image."""
        slope = partial(self.derivative, y=self.label_condition(labels), guidance=guidance)
        for image in solve(SOLVERS[solver](slope), latents.z, even_steps(steps, len(latents), self.device)):
            yield image.clamp(-1, 1)

    def straightness(self, latents: Latents, labels: Tensor | None = None, *, steps: int = 50) -> Tensor:
        """(N,) how far each path departs from a straight line at even speed, which one step of Euler would follow."""
        slope = partial(self.derivative, y=self.label_condition(labels))
        return straightness(slope, latents.z, even_steps(steps, len(latents), self.device))

    def encode(self, images: Tensor, labels: Tensor | None = None) -> Latents:
        """(N, C, H, W) in [-1, 1] -> noise that generates similar images: the same way back."""
        x = images
        step = SOLVERS["midpoint"](partial(self.derivative, y=self.encoding_condition(labels, len(images))))
        for before, after in reversed(list(even_steps(DEFAULT_STEPS, len(x), self.device))):
            x, _ = step(x, after, before)
        return Latents(x, torch.zeros(len(images), dtype=torch.int64))
