"""BiGAN: an encoder beside the generator; D tells pairs (x, E(x)) from pairs (G(z), z).

Donahue, Krähenbühl, Darrell, "Adversarial Feature Learning", ICLR 2017, arXiv:1605.09782. At the optimum E
inverts G (theorem 2). Networks after DCGAN; D joins the two halves above the image's convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, Phase
from ganlib.models.dcgan import Generator, NetworkConfig, dcgan_init, downsampling, widths
from ganlib.models.options import TEMPERATURE, per_image


@dataclass(frozen=True)
class BiGANConfig(NetworkConfig):
    z_dim: int = option(64, "latent dimension", min=1)
    hidden: int = option(256, "units of D above the two halves of a pair", min=1)
    lr_d: float = option(1e-4, "Adam's learning rate for D, which two networks together have to keep up with", min=0.0)

    @classmethod
    def tiny(cls) -> BiGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4, hidden=16)


class Encoder(nn.Module):
    """Codes are normalised to the prior's mean and variance, which D could otherwise tell apart trivially."""

    def __init__(self, c: BiGANConfig) -> None:
        super().__init__()
        self.net = nn.Sequential(*downsampling(c, c.channels), nn.Conv2d(widths(c)[-1], c.z_dim, 4)).apply(dcgan_init)
        self.norm = nn.BatchNorm1d(c.z_dim, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, z_dim)."""
        return self.norm(self.net(x).flatten(1)).float()


class Discriminator(nn.Module):
    def __init__(self, c: BiGANConfig) -> None:
        super().__init__()
        self.image = nn.Sequential(*downsampling(c, c.channels), nn.Conv2d(widths(c)[-1], c.hidden, 4), nn.Flatten())
        self.latent = nn.Linear(c.z_dim, c.hidden)
        self.joint = nn.Sequential(
            nn.LeakyReLU(0.2), nn.Linear(2 * c.hidden, c.hidden), nn.LeakyReLU(0.2), nn.Linear(c.hidden, 1)
        )
        self.image.apply(dcgan_init)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """(N, C, H, W), (N, z_dim) -> (N,) logits."""
        return self.joint(torch.cat([self.image(x), self.latent(z)], dim=1)).squeeze(1).float()


@MODELS.register("bigan")
class BiGAN(GenerativeModel):
    family = "GAN"
    display_name = "BiGAN"
    colour = 1
    Config = BiGANConfig
    config: BiGANConfig
    ema_modules = ("G", "E")
    options = (TEMPERATURE,)
    loss_kind = "non-saturating"
    training_defaults = {"batch_size": 128}

    def __init__(self, config: BiGANConfig) -> None:
        super().__init__(config)
        self.G, self.E = Generator(config, config.z_dim), Encoder(config)
        self.D = Discriminator(config)

    @property
    def conditional(self) -> bool:
        return False

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        betas = (c.beta1, 0.999)
        both = chain(self.G.parameters(), self.E.parameters())
        return {"D": Adam(self.D.parameters(), c.lr_d, betas), "GE": Adam(both, c.lr, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("GE", "GE", self.loss_ge)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        encoded, generated = self.pair_logits(batch)
        return nonsaturating_d(encoded, generated), {"D/real": encoded.mean(), "D/fake": generated.mean()}

    def loss_ge(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """G and E minimise the loss with exchanged labels (section 3.4)."""
        encoded, generated = self.pair_logits(batch)
        return nonsaturating_g(generated) + nonsaturating_g(-encoded), {}

    def pair_logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """D's logits of encoded pairs (x, E(x)) and of generated pairs (G(z), z)."""
        latents = self.random_latents(len(batch.images))
        return self.score(batch.images), self.D(self.generate(latents), latents.z)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        self.refuse_labels(labels)
        return self.G(latents.z * per_image(temperature, latents.z))

    def encode(self, images: Tensor) -> Latents:
        """(N, C, H, W) in [-1, 1] -> latents whose images resemble the given ones."""
        return Latents(self.E(images), torch.zeros(len(images), dtype=torch.int64))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) logits of the pairs (x, E(x)), high for real."""
        return self.D(images, self.E(images))
