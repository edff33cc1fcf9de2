"""DCGAN: strided-convolution generator and discriminator.

Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", ICLR 2016, arXiv:1511.06434
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.base import (
    MODELS,
    TEMPERATURE,
    Batch,
    GenerativeModel,
    Latents,
    ModelConfig,
    Phase,
    per_image,
)


@dataclass(frozen=True)
class NetworkConfig(ModelConfig):
    """Sizes and rates of DCGAN's networks, for every architecture that uses them."""

    z_dim: int = option(100, "latent dimension", min=1)
    width: int = option(64, "channels at the highest resolution, doubled at each lower one", min=1)
    lr: float = option(2e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.5, "Adam's first momentum", min=0.0, max=0.999)

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4)


@dataclass(frozen=True)
class DCGANConfig(NetworkConfig):
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
    def __init__(self, c: NetworkConfig, in_channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(*downsampling(c, in_channels), nn.Conv2d(widths(c)[-1], 1, 4)).apply(dcgan_init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N,) logits."""
        return self.net(x).flatten().float()


@MODELS.register("dcgan")
class DCGAN(GenerativeModel):
    Config = DCGANConfig
    config: DCGANConfig
    averaged = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "non-saturating"
    recipe = {"batch_size": 128}

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__(config)
        # Labels may be joined to either input; the unconditional network has none.
        self.G = Generator(config, config.z_dim + self.label_width)
        self.D = Discriminator(config, config.channels + self.label_width)

    @property
    def conditional(self) -> bool:
        return False

    @property
    def label_width(self) -> int:
        return self.config.num_classes if self.conditional else 0

    def optimizers(self) -> dict[str, Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {name: Adam(net.parameters(), self.config.lr, betas) for name, net in [("D", self.D), ("G", self.G)]}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = batch.labels if self.conditional else None
        fake_images = self.generate(self.random_latents(len(batch.images)), labels)
        # Real and fake in batches of their own, so that batch norm's statistics never mix them.
        real, fake = self.score(batch.images, labels), self.score(fake_images, labels)
        return self.d_loss(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = batch.labels if self.conditional else None
        images = self.generate(self.random_latents(len(batch.images)), labels)
        return self.g_loss(self.score(images, labels)), {}

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return nonsaturating_d(real, fake)

    def g_loss(self, fake: Tensor) -> Tensor:
        return nonsaturating_g(fake)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        self.refuse_labels(labels)
        return self.G(latents.z * per_image(temperature, latents.z))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) logits, high for real."""
        return self.D(images)
