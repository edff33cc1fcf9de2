"""Glow: an invertible network between images and noise, trained by the exact likelihood.

Kingma, Dhariwal, "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, arXiv:1807.03039: steps of
actnorm, 1 x 1 convolution and affine coupling (table 1). Dinh, Sohl-Dickstein, Bengio, "Density Estimation Using Real
NVP", ICLR 2017, arXiv:1605.08803: couplings, squeezing, several scales. Theis et al., arXiv:1511.01844: the likelihood
of levels from that of levels plus noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import log, pi
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import conv2d, pixel_shuffle, pixel_unshuffle, relu
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.images import denormalize, normalize
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, MOST_LAYERS, Batch, Latents, Phase
from ganlib.models.options import TEMPERATURE, per_image

LEVELS = 256
SPAN = 4.0  # of the flow's images, from -2 to 2, so that they are about as wide as its noise
LOG_SCALE = 2.0  # bound of a coupling's logarithmic scale, either way


@dataclass(frozen=True)
class GlowConfig(AttributesConfig):
    class_conditional: bool = option(True, "condition on the class, where the data set has classes")
    scales: int = option(3, "scales, each half as large as the one before", min=1, max=8)
    steps: int = option(8, "steps of flow at each scale", min=1, max=MOST_LAYERS)
    hidden: int = option(64, "channels within each coupling's network", min=1)
    lr: float = option(1e-3, "Adam's learning rate", min=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size < 2**self.scales:
            raise GanlibError(
                f"{self.scales} scales do not fit {self.image_size} pixels; give at most "
                f"{self.image_size.bit_length() - 1}."
            )

    @classmethod
    def tiny(cls) -> GlowConfig:
        return cls(image_size=16, channels=1, num_classes=3, scales=2, steps=1, hidden=8)

    @property
    def label_width(self) -> int:
        return super().label_width if self.class_conditional else 0


class ActNorm(nn.Module):
    """Scale and shift of each channel; the first training batch sets them so that it comes out normalised."""

    initialised: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift, self.log_scale = (nn.Parameter(torch.zeros(channels, 1, 1)) for _ in range(2))
        self.register_buffer("initialised", torch.zeros(()))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.training and not self.initialised:
            with torch.no_grad():
                self.shift.copy_(x.mean((0, 2, 3))[:, None, None])
                self.log_scale.copy_(-(x.std((0, 2, 3)) + 1e-3).log()[:, None, None])
                self.initialised.fill_(1)
        return (x - self.shift) * self.log_scale.exp(), x.shape[2] * x.shape[3] * self.log_scale.sum()

    def inverse(self, x: Tensor) -> Tensor:
        return x * (-self.log_scale).exp() + self.shift


class Mixing(nn.Module):
    """Invertible 1 x 1 convolution; it starts as a rotation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.orthogonal_(torch.empty(channels, channels)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.convolve(x, self.weight), x.shape[2] * x.shape[3] * torch.linalg.slogdet(self.weight).logabsdet

    def inverse(self, x: Tensor) -> Tensor:
        return self.convolve(x, torch.linalg.inv(self.weight))

    @staticmethod
    def convolve(x: Tensor, weight: Tensor) -> Tensor:
        return conv2d(x, weight[:, :, None, None])


class Coupling(nn.Module):
    """Half of the channels, and the class, scale and shift the other half."""

    def __init__(self, channels: int, hidden: int, label_width: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2d(half, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, hidden, 1)
        self.conv3 = nn.Conv2d(hidden, 2 * (channels - half), 3, padding=1)
        if label_width:
            self.label = nn.Linear(label_width, hidden, bias=False)
        for p in self.conv3.parameters():
            nn.init.zeros_(p)

    def scale_and_shift(self, a: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """-> log scale within ± LOG_SCALE, and shift."""
        h = self.conv2(relu(self.conv1(a)))
        if y is not None:
            h = h + self.label(y)[:, :, None, None]
        raw, shift = self.conv3(relu(h)).chunk(2, dim=1)
        return LOG_SCALE * (raw / LOG_SCALE).tanh(), shift

    def forward(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        a, b = x.tensor_split([x.shape[1] // 2], dim=1)
        log_scale, shift = self.scale_and_shift(a, y)
        return torch.cat([a, b * log_scale.exp() + shift], dim=1), log_scale.flatten(1).sum(1)

    def inverse(self, x: Tensor, y: Tensor | None) -> Tensor:
        a, b = x.tensor_split([x.shape[1] // 2], dim=1)
        log_scale, shift = self.scale_and_shift(a, y)
        return torch.cat([a, (b - shift) * (-log_scale).exp()], dim=1)


class Step(nn.Module):
    """Each direction: (N, C, H, W), (N, label_width) weights or None -> (N, C, H, W); forward with log |det| (N,)."""

    def __init__(self, channels: int, c: GlowConfig) -> None:
        super().__init__()
        self.norm, self.mixing = ActNorm(channels), Mixing(channels)
        self.coupling = Coupling(channels, c.hidden, c.label_width)

    def forward(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        x, of_norm = self.norm(x)
        x, of_mixing = self.mixing(x)
        x, of_coupling = self.coupling(x, y)
        return x, of_coupling + of_norm + of_mixing

    def inverse(self, x: Tensor, y: Tensor | None) -> Tensor:
        return self.norm.inverse(self.mixing.inverse(self.coupling.inverse(x, y)))


class Prior(nn.Module):
    """What leaves the flow at a scale, normalised by a mean and scale that the rest of it and the class predict.

    ``context``: channels of that rest, 0 at the last scale, where nothing is left.
    """

    def __init__(self, channels: int, context: int, label_width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(2 * channels, 1, 1))
        if context:
            self.weight = nn.Parameter(torch.zeros(2 * channels, context, 3, 3))
        if label_width:
            self.label = nn.Linear(label_width, 2 * channels, bias=False)
            nn.init.zeros_(self.label.weight)

    def moments(self, like: Tensor, context: Tensor | None, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """-> mean and log scale, each broadcast to ``like``."""
        out = self.bias.expand(len(like), -1, *like.shape[2:])
        if context is not None:
            out = out + conv2d(context, self.weight, padding=1)
        if y is not None:
            out = out + self.label(y)[:, :, None, None]
        mean, raw = out.chunk(2, dim=1)
        return mean, LOG_SCALE * (raw / LOG_SCALE).tanh()

    def forward(self, x: Tensor, context: Tensor | None, y: Tensor | None) -> tuple[Tensor, Tensor]:
        mean, log_scale = self.moments(x, context, y)
        return (x - mean) * (-log_scale).exp(), -log_scale.flatten(1).sum(1)

    def inverse(self, z: Tensor, context: Tensor | None, y: Tensor | None) -> Tensor:
        mean, log_scale = self.moments(z, context, y)
        return z * log_scale.exp() + mean


class Scale(nn.Module):
    """Squeeze and steps; half of the channels leave, at the last scale all.

    Forward: (N, C, H, W) -> what goes on (N, 2 C, H / 2, W / 2) or None, normal numbers of what leaves, log |det| (N,).
    """

    def __init__(self, channels: int, c: GlowConfig, *, last: bool) -> None:
        super().__init__()
        self.last, self.out = last, 4 * channels if last else 2 * channels
        self.steps = nn.ModuleList(Step(4 * channels, c) for _ in range(c.steps))
        self.prior = Prior(self.out, 0 if last else self.out, c.label_width)

    def forward(self, x: Tensor, y: Tensor | None) -> tuple[Tensor | None, Tensor, Tensor]:
        x, total = pixel_unshuffle(x, 2), x.new_zeros(len(x))
        for step in self.steps:
            x, log_det = step(x, y)
            total = total + log_det
        rest, out = (None, x) if self.last else x.chunk(2, dim=1)
        z, log_det = self.prior(out, rest, y)
        return rest, z, total + log_det

    def inverse(self, rest: Tensor | None, z: Tensor, y: Tensor | None) -> Tensor:
        x = self.prior.inverse(z, rest, y)
        x = x if rest is None else torch.cat([rest, x], dim=1)
        for step in reversed(cast(Sequence[Step], self.steps)):
            x = step.inverse(x, y)
        return pixel_shuffle(x, 2)


class Flow(nn.Module):
    """All scales: images to standard normal numbers, as many of each image, and back."""

    def __init__(self, c: GlowConfig) -> None:
        super().__init__()
        self.scales = nn.ModuleList(Scale(c.channels << i, c, last=i == c.scales - 1) for i in range(c.scales))

    def forward(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W), (N, label_width) weights or None -> the same shape, and log |det| (N,)."""
        shape, total, parts = x.shape, x.new_zeros(len(x)), []
        for scale in self.scales:
            x, z, log_det = scale(x, y)
            total = total + log_det
            parts.append(z.flatten(1))
        return torch.cat(parts, dim=1).view(shape), total

    def inverse(self, z: Tensor, y: Tensor | None) -> Tensor:
        n, c, h, w = z.shape
        last = len(self.scales) - 1
        sizes = [c * h * w >> min(i + 1, last) for i in range(last + 1)]
        parts = z.flatten(1).split(sizes, dim=1)
        x: Any = None
        for i, scale in reversed(list(enumerate(cast(Sequence[Scale], self.scales)))):
            x = scale.inverse(x, parts[i].reshape(n, -1, h >> (i + 1), w >> (i + 1)), y)
        return x


class Inverse(nn.Module):
    """A flow, called from noise to images."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, z: Tensor, y: Tensor | None) -> Tensor:
        return self.flow.inverse(z, y)


@MODELS.register("glow")
class Glow(EmbedsAttributes):
    family = "flow"
    display_name = "Glow"
    colour = 11
    Config = GlowConfig
    config: GlowConfig
    ema_modules = ("flow",)
    options = (TEMPERATURE,)
    loss_kind = "bits per dimension"
    encodes_by_class = True

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        self.flow = Flow(config)

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        return {"flow": Adam(self.flow.parameters(), self.config.lr)}

    def phases(self) -> list[Phase]:
        return [Phase("likelihood", "flow", self.loss, autocast=False)]  # the flow must stay invertible

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        noise = torch.rand_like(batch.images)
        return self.bits(batch.images, self.labels_if_conditional(batch.labels), noise).mean(), {}

    def bits(self, images: Tensor, labels: Tensor | None, noise: Tensor) -> Tensor:
        """(N,) bits that each level takes, a bound by noise in [0, 1) between levels."""
        z, log_det = self.flow(self.dequantised(images, noise), self.embedding_weights(labels))
        log_normal = -0.5 * (z.square() + log(2 * pi)).flatten(1).sum(1)
        dims = images[0].numel()
        return log(LEVELS / SPAN) / log(2) - (log_normal + log_det) / (dims * log(2))

    def dequantised(self, images: Tensor, noise: Tensor | float) -> Tensor:
        """Levels in [-1, 1] and noise in [0, 1) between them -> [-SPAN / 2, SPAN / 2)."""
        return SPAN * ((denormalize(images).round() + noise) / LEVELS - 0.5)

    def bits_per_dim(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) levels in [-1, 1] -> (N,) bits that each pixel value takes; with noise always the same."""
        generator = torch.Generator().manual_seed(0)
        noise = torch.rand(images[0].shape, generator=generator).to(images.device)
        return self.bits(images, labels, noise)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.channels, self.config.image_size, self.config.image_size)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        z, y = latents.z * per_image(temperature, latents.z), self.embedding_weights(labels)
        # Its inverse magnifies rounding: in double precision, where there is one, a seed is one image in any batch.
        wide = torch.float32 if z.device.type == "mps" else torch.float64
        # In a copy, for other threads may generate with the model at the same time; the copy's weights follow from the
        # model's, so that gradients reach these.
        weights = {f"flow.{name}": p.to(wide) for name, p in self.flow.named_parameters()}
        x = functional_call(Inverse(deepcopy(self.flow)), weights, (z.to(wide), None if y is None else y.to(wide)))
        return normalize((x / SPAN + 0.5) * LEVELS - 0.5).clamp(-1, 1)

    def encode(self, images: Tensor, labels: Tensor | None = None) -> Latents:
        """(N, C, H, W) in [-1, 1] -> the noise that generates them; without labels, of all classes mixed."""
        z, _ = self.flow(self.dequantised(images, 0.5), self.encoding_weights(labels, len(images)))
        return Latents(z, torch.zeros(len(images), dtype=torch.int64))
