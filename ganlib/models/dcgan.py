"""DCGAN: strided-convolution generator and discriminator.

Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", ICLR 2016, arXiv:1511.06434
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganlib.augment import diffaugment
from ganlib.config import option
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, ModelConfig, Phase
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.models.techniques import (
    DCGANTechniques,
    adam,
    add_feature_matching,
    batch_statistics,
    normalize_weights,
    real_targets,
    reference_latents,
)
from ganlib.nn.minibatch import JoinStatistics
from ganlib.nn.virtual_norm import normalize_virtually


@dataclass(frozen=True)
class NetworkConfig(ModelConfig):
    """Sizes and rates of DCGAN's networks, for every architecture that uses them."""

    z_dim: int = option(100, "latent dimension", min=1)
    width: int = option(64, "channels at the highest resolution, doubled at each lower one", min=1)
    lr: float = option(2e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.5, "Adam's β1", min=0.0, max=0.999)

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4)


@dataclass(frozen=True)
class DCGANConfig(DCGANTechniques, NetworkConfig):
    pass


def widths(c: NetworkConfig) -> list[int]:
    """Channels from the highest resolution (image_size / 2) down to 4 x 4."""
    return [c.width * 2**i for i in range(c.image_size.bit_length() - 3)]


def dcgan_init(module: nn.Module) -> None:
    """Section 4: all weights from N(0, 0.02); batch norm's scale around 1."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def upsampling(c: NetworkConfig, in_features: int) -> list[nn.Module]:
    """Layers (N, in_features, 1, 1) -> (N, C, H, W): batch norm and ReLU after every one but the last."""
    chs = widths(c)[::-1]
    layers: list[nn.Module] = [nn.ConvTranspose2d(in_features, chs[0], 4, bias=False)]
    for a, b in pairwise(chs):
        layers += [nn.BatchNorm2d(a), nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)]
    return [*layers, nn.BatchNorm2d(chs[-1]), nn.ReLU(), nn.ConvTranspose2d(chs[-1], c.channels, 4, 2, 1)]


def downsampling(
    c: NetworkConfig, in_channels: int, norm: Callable[[int], nn.Module] = nn.BatchNorm2d
) -> list[nn.Module]:
    """Layers (N, in_channels, H, W) -> (N, widths[-1], 4, 4): ``norm`` in all but the first, LeakyReLU 0.2."""
    chs = widths(c)
    layers: list[nn.Module] = [nn.Conv2d(in_channels, chs[0], 4, 2, 1), nn.LeakyReLU(0.2)]
    for a, b in pairwise(chs):
        layers += [nn.Conv2d(a, b, 4, 2, 1, bias=norm is nn.Identity), norm(b), nn.LeakyReLU(0.2)]
    return layers


class Generator(nn.Module):
    def __init__(self, c: NetworkConfig, in_features: int) -> None:
        super().__init__()
        self.net = nn.Sequential(*upsampling(c, in_features), nn.Tanh()).apply(dcgan_init)

    def forward(self, z: Tensor) -> Tensor:
        """(N, in_features) -> (N, C, H, W) in [-1, 1]."""
        return self.net(z[:, :, None, None]).float()


class Discriminator(nn.Module):
    def __init__(
        self,
        c: NetworkConfig,
        in_channels: int,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        join: JoinStatistics | None = None,
    ) -> None:
        super().__init__()
        self.join = join or JoinStatistics()
        trunk = downsampling(c, in_channels, norm)
        self.net = nn.Sequential(*trunk, nn.Conv2d(widths(c)[-1] + self.join.extra, 1, 4)).apply(dcgan_init)

    def features_and_logits(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, in_channels, H, W) -> features (N, widths[-1], 4, 4) and logits (N,)."""
        features = self.net[:-1](x)
        return features, self.net[-1](self.join(features)).flatten().float()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N,) logits."""
        return self.features_and_logits(x)[1]


@MODELS.register("dcgan")
class DCGAN(GenerativeModel):
    family = "GAN"
    display_name = "DCGAN"
    colour = 0
    Config = DCGANConfig
    config: DCGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "non-saturating"
    training_defaults = {"batch_size": 128}

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__(config)
        c = config
        # A conditional subclass concatenates labels to both inputs.
        self.G = Generator(c, c.z_dim + self.label_width)
        norm = nn.BatchNorm2d if c.d_batch_norm else nn.Identity
        join = JoinStatistics(batch_statistics(c, widths(c)[-1] * 4 * 4))
        self.D = Discriminator(c, c.channels + self.label_width, norm, join)
        normalize_weights(self.D, c)
        if c.virtual_batch_norm:
            normalize_virtually(self.G, c.virtual_batch_norm, self.reference_inputs)
        if c.feature_matching:
            self.loss_kind += " + feature matching"

    @property
    def conditional(self) -> bool:
        return False

    @property
    def label_width(self) -> int:
        return self.config.num_classes if self.conditional else 0

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        betas = (c.beta1, 0.999)
        return {"D": adam(self.D, c, c.lr_d or c.lr, betas, c.d_weight_decay), "G": adam(self.G, c, c.lr, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g, every=self.config.d_steps)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        fake_images = self.generate(self.random_latents(len(batch.images)), labels)
        # Real and fake in batches of their own, so that batch norm's statistics never mix them.
        real, fake = (self.score(self.augment(images), labels) for images in (batch.images, fake_images))
        target = real_targets(self.config, real)
        return self.d_loss(real, fake, target), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        images = self.generate(self.random_latents(len(batch.images)), labels)
        features, logits = self.features_and_logits(self.augment(images), labels)
        return add_feature_matching(
            self.config,
            self.g_loss(logits),
            features,
            lambda: self.features_and_logits(self.augment(batch.images), labels)[0],
        )

    def d_loss(self, real: Tensor, fake: Tensor, target: Tensor | float = 1.0) -> Tensor:
        """D's loss on logits (N,). ``target``: probability that D should give real images, a scalar or (N,)."""
        return nonsaturating_d(real, fake, target)

    def g_loss(self, fake: Tensor) -> Tensor:
        return nonsaturating_g(fake)

    def augment(self, images: Tensor) -> Tensor:
        return diffaugment(images, self.config.diffaugment)

    def reference_inputs(self, n: int) -> tuple[Tensor]:
        """G's reference batch of virtual batch norm: n latents, with one-hot classes where conditional."""
        z, labels = reference_latents(self, n)
        return (z if labels is None else torch.cat([z, labels], dim=1),)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        self.refuse_labels(labels)
        return self.G(latents.z * per_image(temperature, latents.z))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels where conditional -> (N,) logits, high for real."""
        return self.features_and_logits(images, labels)[1]

    def features_and_logits(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> D's features (N, …) and logits (N,)."""
        return self.D.features_and_logits(images)
