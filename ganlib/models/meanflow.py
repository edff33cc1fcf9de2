"""MeanFlow: a U-Net learns the mean velocity over any part of the way from noise to images: one step goes all the way.

Geng, Deng, Bai, Kolter, He, "Mean Flows for One-step Generative Modeling", NeurIPS 2025, arXiv:2505.13447: the identity
u = v - (t - r) du/dt (equation 6), adaptive weights (section 4.3), guidance within training (section 4.2).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor
from torch.func import jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.contract import MODELS, Batch, Latents, Phase
from ganlib.models.diffusion import Guided, UNetConfig, steps_option
from ganlib.models.options import per_image
from ganlib.models.samplers import even_steps, midpoint_step, solve
from ganlib.nn.unet import sinusoids

DEFAULT_STEPS, MAX_STEPS = 1, 16
ENCODING_STEPS = 12
EPSILON = 1e-3  # c of the adaptive weights
SLOWNESS = 0.01  # of the times' sines and cosines, whose derivatives the network's derivative is made of


@dataclass(frozen=True)
class MeanFlowConfig(UNetConfig):
    width: int = option(32, "channels at the highest resolution", min=4)
    time_mean: float = option(-0.4, "mean of the logit of times in training")
    time_std: float = option(1.0, "standard deviation of the logit of times", min=0.0)
    mean_share: float = option(
        0.25, "fraction of training images with a mean velocity to learn, the others' is that of a moment", min=0, max=1
    )
    adaptive: float = option(1.0, "power of the squared error that divides it, 0 = the squared error", min=0, max=2)
    guidance: float = option(1.0, "classifier-free guidance towards the class that training builds in", min=0, max=5)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.guidance == 1:
            return
        if not self.label_width:
            raise GanlibError(
                f"guidance {self.guidance:g} leads towards a class, and without classes there is none; leave it at 1, "
                "or train with classes."
            )
        if not self.label_dropout:
            raise GanlibError(
                f"guidance {self.guidance:g} compares with the velocity without a class, which a label_dropout of 0 "
                "never trains; give one above 0, such as 0.1."
            )

    @classmethod
    def tiny(cls) -> MeanFlowConfig:
        return cls(
            image_size=16, channels=1, num_classes=3, width=8, multipliers=(1, 2), attention=(8,), mean_share=0.5
        )


@MODELS.register("meanflow")
class MeanFlow(Guided):
    """Level t runs from 1, noise, to 0, images; v = noise - image."""

    display_name = "MeanFlow"
    colour = 8
    Config = MeanFlowConfig
    config: MeanFlowConfig
    ema_modules = ("unet",)
    default_steps = DEFAULT_STEPS
    loss_kind = "squared error of the mean velocity, weighted"
    options = (steps_option(DEFAULT_STEPS, MAX_STEPS),)

    def __init__(self, config: MeanFlowConfig) -> None:
        super().__init__(config)
        self.unet = config.build_unet(config.width)

    def phases(self) -> list[Phase]:
        return [Phase("velocity", "unet", self.loss)]

    def mean_velocity(self, x: Tensor, t: Tensor, interval: Tensor, y: Tensor | None) -> Tensor:
        """u(x_t, t - interval, t): (N, C, H, W), (N,), (N,) -> (N, C, H, W)."""
        return self.unet(x, SLOWNESS * t, y, sinusoids(SLOWNESS * interval, self.config.width))

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        c, x, n = self.config, batch.images, len(batch.images)
        times = (c.time_mean + c.time_std * torch.randn(2, n, device=x.device)).sigmoid()
        t, r = times.amax(0), times.amin(0)
        k = round(c.mean_share * n)  # those with a mean velocity: the derivative of the others is not needed
        r = torch.cat([r[:k], t[k:]])
        y, noise = self.training_condition(batch), torch.randn_like(x)
        level = per_image(t, x)
        xt, v = (1 - level) * x + level * noise, noise - x
        if y is not None and c.guidance != 1:
            v = self.guided_velocity(xt, v, t, y)
        first, rest = (None, None) if y is None else (y[:k], y[k:])
        u, target = self.mean_velocity(xt[k:], t[k:], 0 * t[k:], rest), v[k:]
        if k:
            mean, mean_target = self.mean_and_target(xt[:k], v[:k], t[:k], (t - r)[:k], first)
            u, target = torch.cat([mean, u]), torch.cat([mean_target, target])
        errors = (u - target).square().flatten(1).sum(1)
        weights = (errors.detach() + EPSILON) ** -c.adaptive
        return (weights * errors).mean(), {"loss/mse": errors.mean() / x[0].numel()}

    @torch.no_grad()
    def guided_velocity(self, xt: Tensor, v: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """ω v + (1 - ω) u(x_t, t, t) without the class (section 4.2); v itself where the class is left out."""
        weight = per_image(torch.where(y[:, -1] > 0, 1.0, self.config.guidance), v)
        return weight * v + (1 - weight) * self.mean_velocity(xt, t, 0 * t, self.null_condition(len(v)))

    def mean_and_target(
        self, xt: Tensor, v: Tensor, t: Tensor, interval: Tensor, y: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """u, and v - (t - r) du/dt by a Jacobian-vector product along (v, 0, 1) (equations 8 and 10)."""
        ones = torch.ones_like(t)
        single = torch.autocast(xt.device.type, enabled=False)  # which does not cast what carries a forward derivative
        with warnings.catch_warnings(), single, sdpa_kernel(SDPBackend.MATH):  # the kernel that has one
            warnings.simplefilter("ignore", FutureWarning)  # of torch, about its own derivatives
            derivative = jvp(partial(self.mean_velocity, y=y), (xt, t, interval), (v, ones, ones))
        u, change = cast(tuple[Tensor, Tensor], derivative)
        return u, (v - per_image(interval, xt) * change).detach()

    # Sampling: x_r = x_t - (t - r) u(x_t, r, t).

    def trace(
        self, latents: Latents, labels: Tensor | None = None, *, steps: int | Tensor = DEFAULT_STEPS
    ) -> Iterator[Tensor]:
        """Where each step's velocity leads; the last one is the image."""
        y = self.label_condition(labels)

        def step(x: Tensor, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
            u = self.mean_velocity(x, t, t - s, y)
            return x - per_image(t - s, x) * u, x - per_image(t, x) * u

        for image in solve(step, latents.z, even_steps(steps, len(latents), self.device)):
            yield image.clamp(-1, 1)

    def encode(self, images: Tensor, labels: Tensor | None = None) -> Latents:
        """(N, C, H, W) in [-1, 1] -> noise that generates similar images: along the velocities of each moment."""
        x, y = images, self.encoding_condition(labels, len(images))
        step = midpoint_step(lambda x, t: self.mean_velocity(x, t, 0 * t, y))
        for before, after in reversed(list(even_steps(ENCODING_STEPS, len(x), self.device))):
            x, _ = step(x, after, before)
        return Latents(x, torch.zeros(len(images), dtype=torch.int64))
