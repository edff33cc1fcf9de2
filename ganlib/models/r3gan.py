"""R3GAN: plain residual networks under a relativistic loss and two gradient penalties, without further tricks.

Huang, Gokaslan, Kuleshov, Tompkin, "The GAN is dead; long live the GAN! A Modern Baseline GAN", NeurIPS 2024,
arXiv:2501.05441: relativistic pairing loss with R1 and R2 (section 2), networks without normalisation (section 3.4,
config E), schedules and augmentation of its CIFAR-10 (table 6; on faces it ends at 0.3). Zhang, Dauphin, Ma,
arXiv:1901.09321: initialisation in place of normalisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu, pad
from torch.optim import Adam, Optimizer

from ganlib.augment import ada_augment
from ganlib.config import option
from ganlib.losses import relativistic_d, relativistic_g, squared_gradient
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, MOST_IMAGES, MOST_LAYERS, Batch, Latents, Phase
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.nn import resample

SLOPE = 0.2  # of LeakyReLU
GAIN = sqrt(2 / (1 + SLOPE**2))


@dataclass(frozen=True)
class R3GANConfig(AttributesConfig):
    class_conditional: bool = option(True, "condition on the class, where the data set has classes")
    z_dim: int = option(64, "latent dimension", min=1)
    label_dim: int = option(64, "dimension of the class's embeddings", min=1)
    width: int = option(48, "channels at the highest resolution, doubled at each lower one", min=1)
    max_width: int = option(128, "most channels at any resolution", min=1)
    blocks: int = option(1, "residual blocks at each resolution", min=1, max=MOST_LAYERS)
    expansion: int = option(2, "channels within a block, in multiples of those outside", min=1, max=16)
    group_width: int = option(16, "channels of each group of the 3 x 3 convolutions", min=1)
    schedule_images: int = option(300_000, "images over which the schedules below run", min=1, max=MOST_IMAGES)
    lr: float = option(2e-4, "Adam's learning rate at the start", min=0.0)
    lr_end: float = option(5e-5, "and at the end of the schedule", min=0.0)
    beta2: float = option(0.9, "Adam's β2 at the start; β1 is 0", min=0.0, max=0.9999)
    beta2_end: float = option(0.99, "and at the end of the schedule", min=0.0, max=0.9999)
    gamma: float = option(0.05, "γ of both gradient penalties at the start, taken as γ/2", min=0.0)
    gamma_end: float = option(0.005, "and at the end of the schedule", min=0.0)
    augment_end: float = option(
        0.55, "probability of each augmentation of D's images at the end of the schedule, from 0", min=0.0, max=1.0
    )

    @classmethod
    def tiny(cls) -> R3GANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, label_dim=4, width=4, max_width=8, group_width=4)

    @property
    def label_width(self) -> int:
        return super().label_width if self.class_conditional else 0

    @property
    def widths(self) -> list[int]:
        """Channels at 4, 8, … pixels."""
        sizes = [4 << i for i in range(self.image_size.bit_length() - 2)]
        return [min(self.width * self.image_size // size, self.max_width) for size in sizes]

    @property
    def num_blocks(self) -> int:
        return self.blocks * len(self.widths)


def variance_scaled(layer: nn.Conv2d | nn.Linear, gain: float) -> Any:
    """Weights of variance gain² / fan-in and no bias, so that the layer alone keeps what passes through at scale."""
    nn.init.normal_(layer.weight, std=gain / sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ResidualBlock(nn.Module):
    """x + 1 x 1, grouped 3 x 3, 1 x 1; the last one starts at 0, the others at a gain that falls with the depth."""

    def __init__(self, channels: int, c: R3GANConfig) -> None:
        super().__init__()
        wide = channels * c.expansion
        groups = wide // c.group_width if wide % c.group_width == 0 else 1
        gain = GAIN * c.num_blocks ** (-1 / 4)  # Fixup's L^(-1 / (2 m - 2)) with m = 3 layers
        self.expand = variance_scaled(nn.Conv2d(channels, wide, 1), gain)
        self.conv = variance_scaled(nn.Conv2d(wide, wide, 3, padding=1, groups=groups), gain)
        self.reduce = variance_scaled(nn.Conv2d(wide, channels, 1, bias=False), 0.0)

    def forward(self, x: Tensor) -> Tensor:
        h = leaky_relu(self.conv(leaky_relu(self.expand(x), SLOPE)), SLOPE)
        return x + self.reduce(h)


def upsample(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W), the filter [1, 2, 1] / 2 between zeros: each value, and the mean of each two."""
    return avg_pool2d(pad(resample.upsample(x), (0, 1, 0, 1), "replicate"), 2, 1)


def downsample(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H / 2, W / 2), by the filter [1, 2, 1] / 4: the mean of two means of two."""
    return avg_pool2d(avg_pool2d(pad(x, (1, 0, 1, 0), "replicate"), 2, 1), 2)


class Transition(nn.Module):
    """To the next resolution and its number of channels."""

    def __init__(self, cin: int, cout: int, by: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.by = by
        self.conv = variance_scaled(nn.Conv2d(cin, cout, 1, bias=False), 1.0) if cin != cout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.by(self.conv(x)) if self.by is upsample else self.conv(self.by(x))


def stages(widths: list[int], c: R3GANConfig, by: Callable[[Tensor], Tensor]) -> nn.Sequential:
    """The blocks of each resolution, with transitions between them."""
    layers: list[nn.Module] = [ResidualBlock(widths[0], c) for _ in range(c.blocks)]
    for cin, cout in pairwise(widths):
        layers += [Transition(cin, cout, by), *(ResidualBlock(cout, c) for _ in range(c.blocks))]
    return nn.Sequential(*layers)


class Generator(nn.Module):
    """A learned basis of 4 x 4 pixels, weighted by the latent and the class, then the stages upwards."""

    def __init__(self, c: R3GANConfig) -> None:
        super().__init__()
        width = c.z_dim
        if c.label_width:
            self.embed = variance_scaled(nn.Linear(c.label_width, c.label_dim, bias=False), 1.0)
            width += c.label_dim
        self.basis = nn.Parameter(torch.randn(c.widths[0], 4, 4))
        self.linear = variance_scaled(nn.Linear(width, c.widths[0], bias=False), 1.0)
        self.stages = stages(c.widths, c, upsample)
        self.to_image = variance_scaled(nn.Conv2d(c.widths[-1], c.channels, 1, bias=False), 1.0)

    def forward(self, z: Tensor, y: Tensor | None) -> Tensor:
        """(N, z_dim), (N, label_width) weights or None -> (N, C, H, W) without bounds."""
        code = z if y is None else torch.cat([z, self.embed(y)], dim=1)
        h = (self.linear(code)[:, :, None, None] * self.basis).contiguous(memory_format=torch.channels_last)
        return self.to_image(self.stages(h)).float()


class Discriminator(nn.Module):
    """The stages downwards, a learned basis of 4 x 4 pixels, and the projection on the class's embedding."""

    def __init__(self, c: R3GANConfig) -> None:
        super().__init__()
        widths, out = c.widths[::-1], c.label_dim if c.label_width else 1
        self.from_image = variance_scaled(nn.Conv2d(c.channels, widths[0], 1, bias=False), 1.0)
        self.stages = stages(widths, c, downsample)
        self.basis = variance_scaled(nn.Conv2d(widths[-1], widths[-1], 4, groups=widths[-1], bias=False), 1.0)
        self.linear = variance_scaled(nn.Linear(widths[-1], out, bias=False), 1.0)
        if c.label_width:
            self.embed = variance_scaled(nn.Linear(c.label_width, out, bias=False), 1 / sqrt(out))

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, C, H, W), (N, label_width) weights or None -> (N,) logits."""
        out = self.linear(self.basis(self.stages(self.from_image(x))).flatten(1))
        return (out.squeeze(1) if y is None else (out * self.embed(y)).sum(1)).float()


@MODELS.register("r3gan")
class R3GAN(EmbedsAttributes):
    family = "GAN"
    display_name = "R3GAN"
    colour = 6
    Config = R3GANConfig
    config: R3GANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "relativistic + R1 + R2"
    # The paper's average: over 5 of the schedule's 20 million images at its end and after it. Ours rises in proportion
    # to the images, to the same quarter of a shorter schedule, and not along half a cosine.
    training_defaults = {"ema_half_life": 5_000_000, "ema_ramp": 0.25}
    progress = 0.0  # of the schedules, 0 … 1

    def __init__(self, config: R3GANConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config), Discriminator(config)

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        self.progress = min(images_seen / self.config.schedule_images, 1.0)
        return ()

    def scheduled(self, start: float, end: float) -> float:
        """Along half a cosine."""
        return end + (start - end) * (1 + cos(pi * self.progress)) / 2

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        optimizers: dict[str, Optimizer] = {
            name: Adam(net.parameters(), c.lr, (0.0, c.beta2)) for name, net in [("D", self.D), ("G", self.G)]
        }
        for optimizer in optimizers.values():
            optimizer.register_step_pre_hook(self.schedule)
        return optimizers

    def schedule(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        c = self.config
        for group in optimizer.param_groups:
            group["lr"] = self.scheduled(c.lr, c.lr_end)
            group["betas"] = (0.0, self.scheduled(c.beta2, c.beta2_end))

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The penalties are on augmented images, since the augmentation has no second derivative."""
        labels = self.labels_if_conditional(batch.labels)
        fakes = self.generate(self.random_latents(len(batch.images)), labels)
        images = [self.augment(x).detach().requires_grad_() for x in (batch.images, fakes)]
        real, fake = (self.score(x, labels) for x in images)
        r1, r2 = (squared_gradient(logits, x) for logits, x in zip((real, fake), images, strict=True))
        gamma = self.scheduled(self.config.gamma, self.config.gamma_end)
        logs = {"D/real": real.mean(), "D/fake": fake.mean(), "D/r1": r1, "D/r2": r2}
        return relativistic_d(real, fake) + gamma / 2 * (r1 + r2), logs

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        fakes = self.generate(self.random_latents(len(batch.images)), labels)
        real, fake = (self.score(self.augment(x), labels) for x in (batch.images, fakes))
        return relativistic_g(real, fake), {}

    def augment(self, images: Tensor) -> Tensor:
        return ada_augment(images, self.scheduled(0.0, self.config.augment_end))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        images = self.G(latents.z * per_image(temperature, latents.z), self.embedding_weights(labels))
        return images if self.training else images.clamp(-1, 1)

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logits, of which differences count: high for real images of that class."""
        return self.D(images, self.embedding_weights(labels))
