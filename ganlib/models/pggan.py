"""PGGAN: G and D grow from 4 pixels to the target, a resolution at a time.

Karras, Aila, Laine, Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability, and Variation", ICLR
2018, arXiv:1710.10196. A new block fades in beside the old output, then the grown networks stabilise; both are
counted in images. Equalised learning rate, pixel norm in G, minibatch standard deviation in D. G ends in a tanh,
where the paper's is linear, so that pictures keep their range. ``--normalization "spectral + batch"`` has spectral
norm in both networks, in D times He's gain, and batch norm in G instead; ``--loss`` chooses least squares or WGAN-GP
with the paper's drift. Minibatch discrimination and other techniques may be added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import register_parametrization
from torch.optim import Optimizer

from ganlib.augment import diffaugment
from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import gradient_penalty, least_squares_d, least_squares_g, wasserstein_d, wasserstein_g
from ganlib.models.contract import MODELS, MOST_IMAGES, Batch, GenerativeModel, Latents, ModelConfig, Phase
from ganlib.models.techniques import (
    LabelSmoothing,
    Techniques,
    adam,
    add_feature_matching,
    batch_statistics,
    real_targets,
    reference_latents,
)
from ganlib.nn.equalized import PixelNorm, Scale, equalize
from ganlib.nn.minibatch import JoinStatistics
from ganlib.nn.resample import Upsample, upsample
from ganlib.nn.virtual_norm import normalize_virtually

T = TypeVar("T")
DRIFT = 1e-3  # appendix A.1: keeps the critic's values near 0


@dataclass(frozen=True)
class PGGANConfig(Techniques, LabelSmoothing, ModelConfig):
    minibatch_stddev: bool = option(True, "minibatch standard deviation in D")
    z_dim: int = option(128, "latent dimension", min=1)
    width: int = option(32, "channels at the highest resolution, doubled at each lower one", min=1)
    max_width: int = option(256, "most channels at any resolution", min=1)
    normalization: Literal["equalized + pixel", "spectral + batch"] = option(
        "equalized + pixel", "of weights in G and D + of G's features"
    )
    loss: Literal["least squares", "wasserstein"] = option("least squares", "loss of D and G")
    penalty: float = option(10.0, "λ, the weight of the gradient penalty of the Wasserstein loss", min=0.0)
    lr: float = option(1e-3, "Adam's learning rate", min=0.0)
    beta1: float = option(0.0, "Adam's β1", min=0.0, max=0.999)
    beta2: float = option(0.99, "Adam's β2", min=0.0, max=0.9999)
    fade: int = option(100_000, "images in which a new block fades in", min=0, max=MOST_IMAGES)
    stabilize: int = option(
        100_000, "images at each resolution after that; the last one has no end", min=0, max=MOST_IMAGES
    )
    multipliers: tuple[float, ...] = option(
        (1.0,), "what fade and stabilize are multiplied by at 4, 8, … pixels; the last holds for all above", min=0.0
    )
    batch_sizes: tuple[int, ...] = option(
        (), "images per step at 4, 8, … pixels; the last holds for all above; none = the training's", min=2
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("multipliers", "batch_sizes"):
            if (n := len(getattr(self, name))) > len(self.resolutions):
                listed = ", ".join(map(str, self.resolutions))
                raise GanlibError(f"{name} has {n} values for {len(self.resolutions)} resolutions ({listed} pixels).")
        if not self.multipliers:
            raise GanlibError("multipliers needs at least one value; 1 leaves fade and stabilize as they are.")
        if self.loss == "wasserstein" and min(self.label_smoothing) < 1:
            raise GanlibError("A critic has no target to smooth; drop label_smoothing or --loss wasserstein.")
        if self.weight_norm:
            raise GanlibError(f"{self.normalization} sets the scale of PGGAN's weights already; drop weight_norm.")
        if self.virtual_batch_norm and self.normalization != "spectral + batch":
            raise GanlibError('PGGAN has batch norm only with --normalization "spectral + batch"; add it.')

    @classmethod
    def tiny(cls) -> PGGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4, max_width=8, fade=4, stabilize=4)

    @property
    def resolutions(self) -> list[int]:
        return [4 << depth for depth in range(self.image_size.bit_length() - 2)]

    @property
    def widths(self) -> list[int]:
        """Channels at each resolution."""
        return [min(self.width * self.image_size // size, self.max_width) for size in self.resolutions]

    def stage(self, images_seen: int) -> tuple[int, float]:
        """How many blocks the networks have grown by, and α, the weight of the newest one."""
        remaining = float(images_seen)
        for depth in range(len(self.resolutions)):
            multiplier = at_depth(self.multipliers, depth)
            fade = self.fade * multiplier if depth else 0.0
            if remaining < fade:
                return depth, remaining / fade
            remaining -= fade + self.stabilize * multiplier
            if remaining < 0:
                break
        return depth, 1.0


def at_depth(values: tuple[T, ...], depth: int) -> T:
    """The value of this resolution; the last one holds for all above."""
    return values[min(depth, len(values) - 1)]


def resize(images: Tensor, size: int) -> Tensor:
    """(N, C, H, W) -> (N, C, size, size) by the nearest neighbour: there and back up to a multiple changes nothing."""
    return images if images.shape[2] == size else interpolate(images, size, mode="nearest")


def spectral(layer: nn.Linear | nn.Conv2d, gain: float = sqrt(2)) -> nn.Module:
    """Weights of spectral norm ``gain``, biases that start at 0, as in ``equalize``; for layers that no norm follows.

    At norm 1 each layer with its LeakyReLU about halves what differs between images, and PyTorch's random biases
    swamp what is left: of 32 pixels or more, D answers the same to all.
    """
    register_parametrization(spectral_norm(layer), "weight", Scale(gain))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ProgressiveNetwork(nn.Module):
    """A network with its current depth and α in a buffer."""

    stage: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("stage", torch.tensor([0.0, 1.0]))

    @property
    def depth(self) -> int:
        return int(self.stage[0])

    @property
    def alpha(self) -> float:
        return float(self.stage[1])


class Generator(ProgressiveNetwork):
    def __init__(self, c: PGGANConfig) -> None:
        super().__init__()
        chs = c.widths
        self.equalized = c.normalization == "equalized + pixel"
        self.base = nn.Sequential(
            *self.layer(nn.Linear(c.z_dim, chs[0] * 16), nn.Unflatten(1, (chs[0], 4, 4)), width=chs[0]),
            *self.layer(nn.Conv2d(chs[0], chs[0], 3, padding=1), width=chs[0]),
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                Upsample(),
                *self.layer(nn.Conv2d(a, b, 3, padding=1), width=b),
                *self.layer(nn.Conv2d(b, b, 3, padding=1), width=b),
            )
            for a, b in pairwise(chs)
        )
        self.to_image = nn.ModuleList(
            equalize(conv, gain=1) if self.equalized else spectral_norm(conv)
            for conv in (nn.Conv2d(width, c.channels, 1) for width in chs)
        )

    def layer(self, linear: nn.Module, *after: nn.Module, width: int) -> Iterable[nn.Module]:
        if self.equalized:
            return [equalize(linear), *after, nn.LeakyReLU(0.2), PixelNorm()]
        return [spectral_norm(linear), *after, nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]

    def forward(self, z: Tensor) -> Tensor:
        """(N, z_dim) -> (N, C, s, s) in [-1, 1] at the resolution s that is grown."""
        depth, alpha = self.depth, self.alpha
        h = self.base(PixelNorm()(z) if self.equalized else z)
        for block in self.blocks[: max(depth - 1, 0)]:
            h = block(h)
        if depth == 0:
            return self.to_image[0](h).tanh().float()
        x = self.to_image[depth](self.blocks[depth - 1](h))
        if alpha < 1:
            x = upsample(self.to_image[depth - 1](h)).lerp(x, alpha)
        return x.tanh().float()


class Discriminator(ProgressiveNetwork):
    def __init__(self, c: PGGANConfig) -> None:
        super().__init__()
        wrap: Callable[..., nn.Module] = equalize if c.normalization == "equalized + pixel" else spectral
        chs = c.widths
        self.from_image = nn.ModuleList(
            nn.Sequential(wrap(nn.Conv2d(c.channels, width, 1)), nn.LeakyReLU(0.2)) for width in chs
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                wrap(nn.Conv2d(b, b, 3, padding=1)),
                nn.LeakyReLU(0.2),
                wrap(nn.Conv2d(b, a, 3, padding=1)),
                nn.LeakyReLU(0.2),
                nn.AvgPool2d(2),
            )
            for a, b in pairwise(chs)
        )
        join = JoinStatistics(batch_statistics(c, chs[0] * 4 * 4))
        self.head = nn.Sequential(
            join,
            wrap(nn.Conv2d(chs[0] + join.extra, chs[0], 3, padding=1)),
            nn.LeakyReLU(0.2),
            wrap(nn.Conv2d(chs[0], chs[0], 4)),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            wrap(nn.Linear(chs[0], 1), gain=1),
        )

    def features_and_logits(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, s, s) at the resolution s that is grown -> features (N, C') and logits (N,)."""
        depth, alpha = self.depth, self.alpha
        h = self.from_image[depth](x)
        if depth:
            h = self.blocks[depth - 1](h)
        if alpha < 1:
            h = self.from_image[depth - 1](avg_pool2d(x, 2)).lerp(h, alpha)
        for block in list(self.blocks[: max(depth - 1, 0)])[::-1]:
            h = block(h)
        features = self.head[:-1](h)
        return features, self.head[-1](features).flatten().float()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, s, s) at the resolution s that is grown -> (N,) logits."""
        return self.features_and_logits(x)[1]


@MODELS.register("pggan")
class PGGAN(GenerativeModel):
    family = "GAN"
    display_name = "PGGAN"
    colour = 11
    Config = PGGANConfig
    config: PGGANConfig
    ema_modules = ("G",)
    training_defaults = {"batch_size": 16}

    def __init__(self, config: PGGANConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config), Discriminator(config)
        if config.virtual_batch_norm:
            normalize_virtually(self.G, config.virtual_batch_norm, lambda n: (reference_latents(self, n)[0],))
        self.loss_kind = f"{config.loss} + feature matching" if config.feature_matching else config.loss

    @property
    def conditional(self) -> bool:
        return False

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        betas = (c.beta1, c.beta2)
        return {"D": adam(self.D, c, c.lr, betas, c.d_weight_decay), "G": adam(self.G, c, c.lr, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g, every=self.config.d_steps)]

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        depth, alpha = self.config.stage(images_seen)
        has_grown = depth > self.G.depth
        for net in (self.G, self.D):
            net.stage.copy_(torch.tensor([depth, alpha]))
        return ("D", "G") if has_grown else ()  # Adam's moments belong to the smaller networks

    def batch_size(self, images_seen: int, default: int) -> int:
        sizes = self.config.batch_sizes
        return at_depth(sizes, self.config.stage(images_seen)[0]) if sizes else default

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        c = self.config
        reals = self.augment(self.fade_reals(batch.images))
        fakes = self.augment(self.generate(self.random_latents(len(batch.images))))
        # In separate passes, so that minibatch standard deviation does not mix them.
        real, fake = self.score(reals), self.score(fakes)
        size, alpha = real.new_tensor([4 << self.G.depth, self.G.alpha])
        logs = {"D/real": real.mean(), "D/fake": fake.mean(), "resolution": size, "alpha": alpha}
        if c.loss == "least squares":
            return least_squares_d(real, fake, real_targets(c, real)), logs
        penalty = gradient_penalty(self.score, reals, fakes)
        loss = wasserstein_d(real, fake) + c.penalty * penalty + DRIFT * real.square().mean()
        return loss, logs | {"D/penalty": penalty}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.augment(self.generate(self.random_latents(len(batch.images))))
        features, logits = self.features_and_logits(fakes)
        return add_feature_matching(
            self.config,
            (least_squares_g if self.config.loss == "least squares" else wasserstein_g)(logits),
            features,
            lambda: self.features_and_logits(self.augment(self.fade_reals(batch.images)))[0],
        )

    def augment(self, images: Tensor) -> Tensor:
        return diffaugment(images, self.config.diffaugment)

    def fade_reals(self, images: Tensor) -> Tensor:
        """Real images in the detail that G's have: between two resolutions while a block fades in (appendix A)."""
        x = resize(images, 4 << self.G.depth)
        if self.G.alpha < 1:
            x = resize(resize(x, x.shape[2] // 2), x.shape[2]).lerp(x, self.G.alpha)
        return resize(x, self.config.image_size)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None) -> Tensor:
        self.refuse_labels(labels)
        return resize(self.G(latents.z), self.config.image_size)

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) logits, or the critic's values, high for real; only the grown resolution is seen."""
        return self.features_and_logits(images)[1]

    def features_and_logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> D's features (N, C') and logits (N,)."""
        return self.D.features_and_logits(resize(images, 4 << self.D.depth))
