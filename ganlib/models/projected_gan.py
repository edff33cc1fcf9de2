"""Projected GAN: D sees images through the frozen, randomly mixed features of a network trained on ImageNet.

Sauer, Chitta, Müller, Geiger, "Projected GANs Converge Faster", NeurIPS 2021, arXiv:2111.01007: random mixing across
channels and scales (section 3.2), a spectrally normalised head for each of four scales, EfficientNet-Lite. Classes by
projection as in Miyato, Koyama, arXiv:1802.05637; G is SNGAN's. The features belong to no run: they are loaded where D
is used, and never saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim import Adam, Optimizer

from ganlib.augment import Policy, diffaugment
from ganlib.config import option
from ganlib.losses import hinge_d, hinge_g
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, Batch, Latents, Phase
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.models.sngan import Generator, SNGANConfig
from ganlib.nn.efficientnet import STRIDES, feature_pyramid, require_grey_or_rgb, to_rgb
from ganlib.nn.resample import upsample


@dataclass(frozen=True)
class ProjectedGANConfig(AttributesConfig):
    feature_side: int = option(64, "pixels of a side that images are resized to for D's features", min=32, max=1024)
    z_dim: int = option(128, "latent dimension", min=1)
    g_width: int = option(96, "channels of G below the last block", min=1)
    mixed_width: int = option(64, "channels of the mixed features, and of D's heads", min=1)
    lr_g: float = option(2e-4, "Adam's learning rate for G", min=0.0)
    lr_d: float = option(4e-4, "Adam's learning rate for D", min=0.0)
    beta2: float = option(0.99, "Adam's β2; β1 is 0", min=0.0, max=0.9999)
    diffaugment: tuple[Policy, ...] = option(
        ("translation",), "what DiffAugment alters at random in all images that D sees"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require_grey_or_rgb(self.channels)

    @classmethod
    def tiny(cls) -> ProjectedGANConfig:
        return cls(
            image_size=16, channels=1, num_classes=3, z_dim=8, g_width=8, mixed_width=8, feature_side=32, diffaugment=()
        )

    @property
    def generator(self) -> SNGANConfig:
        shared = {name: getattr(self, name) for name in ("image_size", "channels", "num_classes", "attributes")}
        return SNGANConfig(**shared, z_dim=self.z_dim, g_width=self.g_width)


class RandomMixing(nn.Module):
    """Fixed random convolutions: 1 x 1 within each scale, 3 x 3 from each scale into the next finer one."""

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        for i, cin in enumerate(widths):
            self.register_buffer(f"channels{i}", torch.randn(width, cin, 1, 1) * cin**-0.5)
            if i:
                self.register_buffer(f"scales{i}", torch.randn(width, width, 3, 3) * (9 * width) ** -0.5)

    def forward(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """(N, C_i, H_i, W_i) from fine to coarse -> (N, width, H_i, W_i)."""
        mixed: list[Tensor] = []
        for i in reversed(range(len(pyramid))):
            h = conv2d(pyramid[i], self.get_buffer(f"channels{i}"))
            if mixed:
                coarser = conv2d(mixed[0], self.get_buffer(f"scales{i + 1}"), padding=1)
                h = h + upsample(coarser, h.shape[2], "bilinear")
            mixed.insert(0, h)
        return mixed


class Head(nn.Module):
    """Convolutions with spectral norm down to 4 x 4 positions or fewer; at each a logit, with the class projected."""

    def __init__(self, side: int, width: int, label_width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(width, width, 3, padding=1)]
        while side > 4:
            layers.append(nn.Conv2d(width, width, 4, 2, 1))
            side //= 2
        self.convs = nn.ModuleList(spectral_norm(layer) for layer in layers)
        self.to_logits = spectral_norm(nn.Conv2d(width, 1, 1))
        if label_width:
            self.embed = spectral_norm(nn.Linear(label_width, width, bias=False))

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        """(N, width, H, W), (N, label_width) weights or None -> (N, positions) logits."""
        for conv in self.convs:
            h = leaky_relu(conv(h), 0.2)
        logits = self.to_logits(h).flatten(1)
        if y is not None:
            logits = logits + (self.embed(y)[:, :, None] * h.flatten(2)).sum(1)
        return logits.float()


class Discriminator(nn.Module):
    def __init__(self, c: ProjectedGANConfig) -> None:
        super().__init__()
        self.side = c.feature_side
        self.mixing = RandomMixing([width for width, _ in STRIDES.values()], c.mixed_width)
        sides = [-(-c.feature_side // stride) for stride in STRIDES]
        self.heads = nn.ModuleList(Head(side, c.mixed_width, c.label_width) for side in sides)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, C, H, W), (N, label_width) weights or None -> (N, positions of all scales) logits."""
        x = interpolate(to_rgb(x), size=(self.side, self.side), mode="bilinear", antialias=x.shape[2] > self.side)
        mixed = self.mixing(feature_pyramid(x.device)(x))
        return torch.cat([head(h, y) for head, h in zip(self.heads, mixed, strict=True)], dim=1)


@MODELS.register("projected_gan")
class ProjectedGAN(EmbedsAttributes):
    family = "GAN"
    display_name = "Projected GAN"
    colour = 3
    Config = ProjectedGANConfig
    config: ProjectedGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "hinge"

    def __init__(self, config: ProjectedGANConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config.generator), Discriminator(config)

    def before_training(self) -> None:
        """GanlibError where the features' weights are not installed."""
        feature_pyramid(self.device)

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        betas = (0.0, c.beta2)
        return {"D": Adam(self.D.parameters(), c.lr_d, betas), "G": Adam(self.G.parameters(), c.lr_g, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The hinge at every position of every scale."""
        y = self.embedding_weights(self.labels_if_conditional(batch.labels))
        fakes = self.fakes(batch)
        images = torch.cat([self.augment(batch.images), self.augment(fakes)])
        real, fake = self.D(images, None if y is None else y.repeat(2, 1)).chunk(2)
        return hinge_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        y = self.embedding_weights(self.labels_if_conditional(batch.labels))
        return hinge_g(self.D(self.augment(self.fakes(batch)), y)), {}

    def fakes(self, batch: Batch) -> Tensor:
        return self.generate(self.random_latents(len(batch.images)), self.labels_if_conditional(batch.labels))

    def augment(self, images: Tensor) -> Tensor:
        return diffaugment(images, self.config.diffaugment)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        return self.G(latents.z * per_image(temperature, latents.z), self.embedding_weights(labels))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) mean logits, high for real images of that class."""
        return self.D(images, self.embedding_weights(labels)).mean(1)
