"""EDM: a U-Net, preconditioned so that inputs and targets have unit variance at every noise level, removes noise.

Karras, Aittala, Aila, Laine, "Elucidating the Design Space of Diffusion-Based Generative Models", NeurIPS 2022,
arXiv:2206.00364: preconditioning and loss (table 1), noise levels, Heun's sampler with churn (algorithm 2),
augmentation whose parameters condition the network (section 5), mirroring half of the images where the data set's may
be: the batches do not mirror them then, as the network would not be told. Ho, Salimans, arXiv:2207.12598: guidance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ganlib.augment import AUGMENT_WIDTH, labelled_augment
from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.contract import MODELS, Batch, Latents, Phase
from ganlib.models.diffusion import Guided, UNetConfig, steps_option
from ganlib.models.options import Option, per_image
from ganlib.models.samplers import SOLVERS, churned, edm_steps, heun_step, solve, step_noise

DEFAULT_STEPS, MAX_STEPS = 12, 100

SOLVER = Option(
    "solver",
    "heun",
    "heun calls the network twice a step, and needs far fewer steps than euler.",
    kind="choice",
    choices=("heun", "euler"),
)
CHURN = Option(
    "churn",
    0.0,
    "S_churn: noise added in all steps together, drawn from the seed; 0 is deterministic.",
    min=0.0,
    max=80.0,
    step=1.0,
)


@dataclass(frozen=True)
class EDMConfig(UNetConfig):
    width: int = option(32, "channels at the highest resolution", min=4)
    p_mean: float = option(-1.2, "mean of ln σ in training")
    p_std: float = option(1.2, "standard deviation of ln σ in training", min=0.0)
    sigma_data: float = option(
        0.5, "root mean square of the images: 0.5 of photographs, 0.9 of white digits on black", min=0.01, max=10.0
    )
    sigma_min: float = option(0.002, "lowest noise level above 0 in sampling", min=1e-5, max=1.0)
    sigma_max: float = option(80.0, "highest noise level in sampling", min=1.0, max=10_000.0)
    rho: float = option(7.0, "how far sampling's steps shorten towards low noise; 1 = even", min=1.0, max=100.0)
    augment: float = option(0.12, "probability of each geometric augmentation, told to the network", min=0.0, max=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sigma_min < self.sigma_max:
            raise GanlibError(f"sigma_min must be below sigma_max, not {self.sigma_min} and {self.sigma_max}.")

    @classmethod
    def tiny(cls) -> EDMConfig:
        return cls(image_size=16, channels=1, num_classes=3, width=8, multipliers=(1, 2), attention=(8,), augment=0.5)


@MODELS.register("edm")
class EDM(Guided):
    display_name = "EDM"
    colour = 1
    Config = EDMConfig
    config: EDMConfig
    ema_modules = ("unet",)
    default_steps = DEFAULT_STEPS
    loss_kind = "squared error of the image, weighted"

    def __init__(self, config: EDMConfig) -> None:
        super().__init__(config)
        self.unet = config.build_unet(AUGMENT_WIDTH if config.augment else 0)
        self.mirrors_batches = config.augment > 0
        steps = steps_option(DEFAULT_STEPS, MAX_STEPS)
        self.options = (steps, SOLVER, CHURN, *self.guidance_options)

    def phases(self) -> list[Phase]:
        return [Phase("denoise", "unet", self.loss)]

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """λ(σ) ‖D(x + n; σ) - x‖² for each pixel value, ln σ ~ N(p_mean, p_std²) (equation 2 and table 1)."""
        c = self.config
        x, augmentation = batch.images, None
        if self.mirrors_batches:
            x, augmentation = labelled_augment(x, c.augment, mirror=self.mirror)
        y = self.training_condition(batch)
        sigma = (c.p_mean + c.p_std * torch.randn(len(x), device=x.device)).exp()
        noisy = x + per_image(sigma, x) * torch.randn_like(x)
        errors = (self.denoise(noisy, sigma, y, augmentation) - x).square().mean((1, 2, 3))
        return (self.loss_weight(sigma) * errors).mean(), {}

    # Preconditioning: D(x; σ) = c_skip x + c_out F(c_in x; c_noise) (equation 7 and table 1).

    def preconditioning(self, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(N,) noise levels -> c_skip, c_out, c_in and c_noise, (N,) each."""
        data, variance = self.config.sigma_data, sigma.square() + self.config.sigma_data**2
        return data**2 / variance, sigma * data / variance.sqrt(), variance.rsqrt(), sigma.log() / 4

    def loss_weight(self, sigma: Tensor) -> Tensor:
        """λ(σ) = 1 / c_out²: the network's own error counts alike at every noise level."""
        return (sigma.square() + self.config.sigma_data**2) / (sigma * self.config.sigma_data).square()

    def denoise(self, x: Tensor, sigma: Tensor, y: Tensor | None, augmentation: Tensor | None = None) -> Tensor:
        """Noisy images (N, C, H, W), their noise levels (N,) -> the images as predicted."""
        c_skip, c_out, c_in, c_noise = self.preconditioning(sigma)
        out = self.unet(per_image(c_in, x) * x, c_noise, y, augmentation)
        return per_image(c_skip, x) * x + per_image(c_out, x) * out

    # Sampling: dx / dσ = (x - D(x; σ)) / σ (equation 3).

    def derivative(self, x: Tensor, sigma: Tensor, y: Tensor | None, guidance: float | Tensor = 1.0) -> Tensor:
        return (x - self.with_guidance(self.denoise, x, sigma, y, guidance)) / per_image(sigma, x)

    def sigma_steps(self, steps: int | Tensor, n: int) -> Iterator[tuple[Tensor, Tensor]]:
        c = self.config
        return edm_steps(steps, n, c.sigma_min, c.sigma_max, c.rho, self.device)

    def trace(
        self,
        latents: Latents,
        labels: Tensor | None = None,
        *,
        steps: int | Tensor = DEFAULT_STEPS,
        solver: str = "heun",
        churn: float | Tensor = 0.0,
        guidance: float | Tensor = 1.0,
    ) -> Iterator[Tensor]:
        """D(x; σ) of each step; the last one is the image."""
        slope = partial(self.derivative, y=self.label_condition(labels), guidance=guidance)
        step = heun_step(slope, defined_at_zero=False) if solver == "heun" else SOLVERS["euler"](slope)
        share = torch.as_tensor(churn, device=self.device) / torch.as_tensor(steps, device=self.device)
        if bool((share > 0).any()):
            step = churned(step, share.expand(len(latents)), step_noise(latents))
        start = self.config.sigma_max * latents.z
        for image in solve(step, start, self.sigma_steps(steps, len(latents))):
            yield image.clamp(-1, 1)

    def encode(self, images: Tensor, labels: Tensor | None = None) -> Latents:
        """(N, C, H, W) in [-1, 1] -> noise that generates similar images: the same equation towards high noise."""
        x = images
        step = heun_step(partial(self.derivative, y=self.encoding_condition(labels, len(images))))
        for before, after in reversed(list(self.sigma_steps(DEFAULT_STEPS, len(x)))[:-1]):
            x, _ = step(x, after, before)
        return Latents(x / self.config.sigma_max, torch.zeros(len(images), dtype=torch.int64))
