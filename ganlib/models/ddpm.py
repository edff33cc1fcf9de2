"""DDPM: a U-Net learns to remove noise, and pictures are what is left of it.

Ho, Jain, Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, arXiv:2006.11239: U-Net, linear schedule,
ancestral sampling. Nichol, Dhariwal, arXiv:2102.09672: cosine schedule. Salimans, Ho, arXiv:2202.00512: v prediction.
Song, Meng, Ermon, arXiv:2010.02502: DDIM and its inversion. Ho, Salimans, arXiv:2207.12598: classifier-free guidance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, pi
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, mse_loss, scaled_dot_product_attention, silu
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, ModelConfig, Phase
from ganlib.models.options import Option, per_image

STEPS, STEPS_AT_MOST = 20, 250
NOISE_STREAM = 2**32  # beyond all seeds: the noise of ancestral steps is not the start noise again


@dataclass(frozen=True)
class DDPMConfig(ModelConfig):
    class_conditional: bool = option(True, "obey the class, where the data set has classes")
    timesteps: int = option(1000, "T, the levels of noise", min=2)
    schedule: Literal["cosine", "linear"] = option("cosine", "how noise grows with the level")
    prediction: Literal["v", "epsilon"] = option("v", "what the U-Net predicts: v = α ε - σ x, or the noise ε")
    width: int = option(48, "channels at the highest resolution", min=4)
    multipliers: tuple[int, ...] = option((1, 2, 2), "channels at each lower resolution, in widths", min=1)
    blocks: int = option(1, "residual blocks at each resolution", min=1)
    attention: tuple[int, ...] = option((8,), "sizes of the maps that are attended over", min=1)
    dropout: float = option(0.0, "share of features dropped in each residual block", min=0.0, max=0.9)
    label_dropout: float = option(
        0.1, "share of training images whose class is withheld, for guidance", min=0.0, max=1.0
    )
    lr: float = option(4e-4, "Adam's learning rate", min=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.multipliers or self.image_size >> (len(self.multipliers) - 1) < 2:
            raise GanlibError(
                f"{len(self.multipliers)} multipliers do not fit {self.image_size} pixels; give one to "
                f"{self.image_size.bit_length() - 1}."
            )

    @classmethod
    def tiny(cls) -> DDPMConfig:
        return cls(image_size=16, channels=1, num_classes=3, width=8, multipliers=(1, 2), attention=(8,))

    @property
    def label_width(self) -> int:
        return self.num_classes if self.class_conditional else 0


def signal(c: DDPMConfig) -> Tensor:
    """ᾱ_t for t = 0 … T, float64, falling from 1."""
    t = torch.arange(c.timesteps + 1, dtype=torch.float64) / c.timesteps
    if c.schedule == "cosine":
        curve = torch.cos((t + 0.008) / 1.008 * pi / 2).square()
        betas = (1 - curve[1:] / curve[:-1]).clamp(max=0.999)
    else:  # the paper's 1e-4 … 0.02 at T = 1000, scaled to the same end at any T
        betas = (torch.linspace(1e-4, 0.02, c.timesteps, dtype=torch.float64) * 1000 / c.timesteps).clamp(max=0.999)
    return torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(8, channels // 4) or 1, channels)


class Residual(nn.Module):
    """Norm, SiLU, conv, the time's and class's scale and shift, norm, SiLU, dropout, conv; 1 x 1 shortcut."""

    def __init__(self, cin: int, cout: int, embedding: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.conv1 = norm(cin), nn.Conv2d(cin, cout, 3, padding=1)
        self.affine = nn.Linear(embedding, 2 * cout)
        self.norm2, self.dropout, self.conv2 = norm(cout), nn.Dropout(dropout), nn.Conv2d(cout, cout, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        self.shortcut = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.conv1(silu(self.norm1(x)))
        scale, shift = self.affine(embedding)[:, :, None, None].chunk(2, dim=1)
        h = self.conv2(self.dropout(silu(torch.addcmul(shift, self.norm2(h), 1 + scale))))
        return h + self.shortcut(x)


class Attention(nn.Module):
    """Every position attends to all, in heads of at most 64 channels, beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = max(channels // 64, 1)
        self.norm, self.qkv, self.out = (
            norm(channels),
            nn.Conv2d(channels, 3 * channels, 1),
            nn.Conv2d(channels, channels, 1),
        )
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, 3, self.heads, c // self.heads, h * w).transpose(3, 4).unbind(1)
        attended = scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(n, c, h, w)
        return x + self.out(attended)


class UNet(nn.Module):
    """Noisy images, their level of noise and their class to what the noise is told by."""

    def __init__(self, c: DDPMConfig) -> None:
        super().__init__()
        self.width, e = c.width, 4 * c.width
        self.time = nn.Sequential(nn.Linear(c.width, e), nn.SiLU(), nn.Linear(e, e))
        if c.label_width:
            self.label = nn.Linear(c.label_width + 1, e, bias=False)  # the last row: no class
        self.first = nn.Conv2d(c.channels, c.width, 3, padding=1)
        self.downs, self.ups, skips = nn.ModuleList(), nn.ModuleList(), [c.width]

        def level(cin: int, cout: int, size: int) -> nn.ModuleList:
            attention = Attention(cout) if size in c.attention else nn.Identity()
            return nn.ModuleList([Residual(cin, cout, e, c.dropout), attention])

        size, channels = c.image_size, c.width
        for i, multiplier in enumerate(c.multipliers):
            for _ in range(c.blocks):
                self.downs.append(level(channels, c.width * multiplier, size))
                channels = c.width * multiplier
                skips.append(channels)
            if i < len(c.multipliers) - 1:
                self.downs.append(nn.Conv2d(channels, channels, 3, 2, 1))
                skips.append(channels)
                size //= 2
        self.middle = nn.ModuleList([level(channels, channels, size), level(channels, channels, 0)])
        for i, multiplier in reversed(list(enumerate(c.multipliers))):
            for _ in range(c.blocks + 1):
                self.ups.append(level(channels + skips.pop(), c.width * multiplier, size))
                channels = c.width * multiplier
            if i:
                self.ups.append(nn.Conv2d(channels, channels, 3, padding=1))
                size *= 2
        self.last = nn.Sequential(norm(channels), nn.SiLU(), nn.Conv2d(channels, c.channels, 3, padding=1))
        nn.init.zeros_(self.last[2].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
        """(N, C, H, W), (N,) levels in 0 … 1, (N, K + 1) class weights or None -> (N, C, H, W)."""
        frequencies = torch.exp(torch.arange(self.width // 2, device=x.device) * (-log(10_000) * 2 / self.width))
        phases = 1000 * t[:, None].float() * frequencies
        e = self.time(nn.functional.pad(torch.cat([phases.sin(), phases.cos()], dim=1), (0, self.width % 2)))
        e = silu(e if y is None else e + self.label(y))
        h = self.first(x)
        skips = [h]
        for block in self.downs:
            h = self.through(block, h, e) if isinstance(block, nn.ModuleList) else block(h)
            skips.append(h)
        for block in self.middle:
            h = self.through(block, h, e)
        for block in self.ups:
            if isinstance(block, nn.ModuleList):
                h = self.through(block, torch.cat([h, skips.pop()], dim=1), e)
            else:
                h = block(interpolate(h, scale_factor=2))
        return self.last(h).float()

    @staticmethod
    def through(level: Any, h: Tensor, e: Tensor) -> Tensor:
        residual, attention = level
        return attention(residual(h, e))


@MODELS.register("ddpm")
class DDPM(GenerativeModel):
    family = "diffusion"
    display_name = "DDPM"
    colour = 5
    Config = DDPMConfig
    config: DDPMConfig
    averaged = ("unet",)
    signal: Tensor

    def __init__(self, config: DDPMConfig) -> None:
        super().__init__(config)
        self.unet = UNet(config)
        self.register_buffer("signal", signal(config).float(), persistent=False)
        self.loss_kind = f"squared error of {config.prediction}"
        most = min(config.timesteps, STEPS_AT_MOST)
        steps = Option(
            "steps", min(STEPS, most), "Denoising steps: more are finer and slower.", kind="int", min=1, max=most
        )
        sampler = Option(
            "sampler",
            "ddim",
            "ddim adds no noise on the way; ancestral does, of the seed, and wants more steps.",
            kind="choice",
            choices=("ddim", "ancestral"),
        )
        guidance = Option(
            "guidance",
            1.0,
            "How far towards the class and beyond: 0 forgets it, 1 is the model as trained, more exaggerates.",
            min=0.0,
            max=5.0,
            step=0.25,
        )
        self.options = (steps, sampler, guidance) if self.conditional else (steps, sampler)

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        return {"unet": Adam(self.unet.parameters(), self.config.lr)}

    def phases(self) -> list[Phase]:
        return [Phase("denoise", "unet", self.loss)]

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        x, n = batch.images, len(batch.images)
        t = torch.randint(1, self.config.timesteps + 1, (n,), device=x.device)
        noise = torch.randn_like(x)
        y = None
        if self.conditional:
            y = self.with_none(batch.labels)
            y[torch.rand(n, device=x.device) < self.config.label_dropout] = self.no_class
        target = noise if self.config.prediction == "epsilon" else self.v(x, noise, t)
        return mse_loss(self.unet(self.diffuse(x, noise, t), t / self.config.timesteps, y), target), {}

    # The diffusion: x_t = √ᾱ_t x₀ + √(1 - ᾱ_t) ε (equation 4).

    def roots(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """(N,) levels -> √ᾱ_t and √(1 - ᾱ_t), which multiply images."""
        s = self.signal[t]
        return per_image(s.sqrt(), like), per_image((1 - s).sqrt(), like)

    def diffuse(self, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """q(x_t | x₀) at this noise: (N, C, H, W), the same, (N,) -> (N, C, H, W)."""
        a, b = self.roots(t, x)
        return a * x + b * noise

    def v(self, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        a, b = self.roots(t, x)
        return a * noise - b * x

    def split(self, xt: Tensor, predicted: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """x_t and what the U-Net says of it -> its x₀ and its ε."""
        a, b = self.roots(t, xt)
        if self.config.prediction == "v":
            return a * xt - b * predicted, b * xt + a * predicted
        return (xt - b * predicted) / a, predicted

    def posterior(self, x: Tensor, xt: Tensor, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """q(x_s | x_t, x₀) for s < t: its mean, and its variance (equations 6 and 7, where s = t - 1)."""
        from_t, from_s = self.signal[t], self.signal[s]
        kept = from_t / from_s  # α of all steps between
        variance = (1 - from_s) / (1 - from_t) * (1 - kept)
        of_x, of_xt = from_s.sqrt() * (1 - kept) / (1 - from_t), kept.sqrt() * (1 - from_s) / (1 - from_t)
        return per_image(of_x, x) * x + per_image(of_xt, x) * xt, variance

    def predict(self, xt: Tensor, t: Tensor, y: Tensor | None, guidance: float | Tensor = 1.0) -> Tensor:
        """The U-Net's word, drawn from that without a class towards and beyond that with it (equation 6)."""
        level = t / self.config.timesteps
        weight = torch.as_tensor(guidance, dtype=xt.dtype, device=xt.device)
        if y is None or bool((weight == 1).all()):
            return self.unet(xt, level, y)
        without = self.no_class.expand_as(y)
        if bool((weight == 0).all()):
            return self.unet(xt, level, without)
        told, untold = self.unet(torch.cat([xt, xt]), level.repeat(2), torch.cat([y, without])).chunk(2)
        return untold + per_image(weight, xt) * (told - untold)

    # Sampling.

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.channels, self.config.image_size, self.config.image_size)

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        *_, last = self.trace(latents, labels, **options)
        return last

    def stages(self, *, steps: int | Tensor = STEPS, **others: Any) -> int:
        return int(torch.as_tensor(steps).max())

    def trace(
        self,
        latents: Latents,
        labels: Tensor | None = None,
        *,
        steps: int | Tensor = STEPS,
        sampler: str = "ddim",
        guidance: float | Tensor = 1.0,
    ) -> Iterator[Tensor]:
        """x₀ as it is predicted at each step; the last one is the image."""
        if not self.conditional:
            self.refuse_labels(labels)
        y = self.with_none(labels) if self.conditional else None
        x, generators = latents.z, [torch.Generator().manual_seed(NOISE_STREAM + s) for s in latents.seeds.tolist()]
        for t, s in self.steps(steps, len(x)):
            clean = self.split(x, self.predict(x, t, y, guidance), t)[0].clamp(-1, 1)
            if sampler == "ancestral":
                mean, variance = self.posterior(clean, x, t, s)
                fresh = torch.stack([torch.randn(x.shape[1:], generator=g) for g in generators]).to(x.device)
                after = mean + per_image(variance.sqrt(), x) * fresh
            else:
                a, b = self.roots(t, x)
                after = self.diffuse(clean, (x - a * clean) / b, s)
            done = per_image((t == s).to(x.dtype), x)  # an image with fewer steps than others waits for them
            x = torch.where(done > 0, x, after)
            yield torch.where(done > 0, x, clean)

    def steps(self, steps: int | Tensor, n: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Levels (N,) before and after each step, evenly from T to 0; an image may have a number of its own."""
        count = torch.as_tensor(steps, device=self.device).expand(n)
        for i in range(int(count.max())):
            before, after = (self.config.timesteps * (1 - (j / count)).clamp(min=0) for j in (i, i + 1))
            yield before.round().long(), after.round().long()

    def encode(self, images: Tensor) -> Latents:
        """(N, C, H, W) in [-1, 1] -> start noise whose images resemble the given ones: DDIM backwards, of no class."""
        y = self.no_class.expand(len(images), -1) if self.conditional else None
        x = images
        for t, s in reversed(list(self.steps(STEPS, len(x)))):
            clean, noise = self.split(x, self.predict(x, s, y), s)
            x = self.diffuse(clean, noise, t)
        return Latents(x, torch.zeros(len(images), dtype=torch.int64))

    @property
    def no_class(self) -> Tensor:
        """(K + 1,) weights that name no class."""
        return torch.eye(self.config.label_width + 1, device=self.device)[-1]

    def with_none(self, labels: Tensor | None) -> Tensor:
        """Labels -> (N, K + 1) weights, none on the last: that they have no class."""
        return nn.functional.pad(self.class_weights(labels), (0, 1))
