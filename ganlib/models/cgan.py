"""CGAN: fully connected networks with the class joined on both sides.

Mirza, Osindero, "Conditional Generative Adversarial Nets", 2014, arXiv:1411.1784. Section 4.1: noise and
one-hot class go through rectifier layers of their own into a joint one; D does the same with maxout units.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, ModelConfig, Phase
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.nn.maxout import Maxout


@dataclass(frozen=True)
class CGANConfig(ModelConfig):
    z_dim: int = option(100, "latent dimension", min=1)
    g_noise: int = option(200, "units of G's layer on the noise", min=1)
    g_class: int = option(200, "units of G's layer on the class", min=1)
    g_joint: int = option(512, "units of G's joint layer", min=1)
    d_image: int = option(240, "maxout units of D's layer on the image", min=1)
    d_class: int = option(50, "maxout units of D's layer on the class", min=1)
    d_joint: int = option(240, "maxout units of D's joint layer", min=1)
    pieces: int = option(2, "linear maps per maxout unit", min=1)
    dropout: float = option(0.3, "fraction of D's hidden units dropped in training", min=0.0, max=0.9)
    lr: float = option(2e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.5, "Adam's β1", min=0.0, max=0.999)

    @classmethod
    def tiny(cls) -> CGANConfig:
        return cls(
            image_size=16,
            channels=1,
            num_classes=3,
            z_dim=8,
            g_noise=16,
            g_class=8,
            g_joint=32,
            d_image=16,
            d_class=8,
            d_joint=16,
            pieces=2,
        )


class Generator(nn.Module):
    """Batch norm before each rectifier, which the paper had not: without it deeper nets collapse."""

    def __init__(self, c: CGANConfig) -> None:
        super().__init__()

        def rectified(a: int, b: int) -> nn.Module:
            return nn.Sequential(nn.Linear(a, b, bias=False), nn.BatchNorm1d(b), nn.ReLU())

        self.noise = rectified(c.z_dim, c.g_noise)
        self.label = nn.Sequential(nn.Linear(c.num_classes, c.g_class), nn.ReLU())
        self.joint = rectified(c.g_noise + c.g_class, c.g_joint)
        shape = (c.channels, c.image_size, c.image_size)
        self.to_image = nn.Sequential(
            nn.Linear(c.g_joint, c.channels * c.image_size**2), nn.Unflatten(1, shape), nn.Tanh()
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """(N, z_dim), (N, K) class weights -> (N, C, H, W) in [-1, 1]."""
        h = torch.cat([self.noise(z), self.label(y)], dim=1)
        return self.to_image(self.joint(h)).float()


class Discriminator(nn.Module):
    def __init__(self, c: CGANConfig) -> None:
        super().__init__()
        self.image = nn.Sequential(nn.Flatten(), Maxout(c.channels * c.image_size**2, c.d_image, c.pieces))
        self.label = Maxout(c.num_classes, c.d_class, c.pieces)
        self.joint = Maxout(c.d_image + c.d_class, c.d_joint, c.pieces)
        self.linear = nn.Linear(c.d_joint, 1)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(N, C, H, W), (N, K) class weights -> (N,) logits."""
        h = self.dropout(torch.cat([self.image(x), self.label(y)], dim=1))
        return self.linear(self.dropout(self.joint(h))).squeeze(1).float()


@MODELS.register("cgan")
class CGAN(GenerativeModel):
    family = "GAN"
    display_name = "CGAN"
    colour = 7
    Config = CGANConfig
    config: CGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "non-saturating"
    training_defaults = {"batch_size": 128}

    def __init__(self, config: CGANConfig) -> None:
        if config.num_classes < 2:
            raise GanlibError("cgan needs a data set with at least two classes; fcgan does without.")
        super().__init__(config)
        self.G, self.D = Generator(config), Discriminator(config)

    def optimizers(self) -> dict[str, Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {name: Adam(net.parameters(), self.config.lr, betas) for name, net in [("D", self.D), ("G", self.G)]}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)), batch.labels)
        real, fake = self.score(batch.images, batch.labels), self.score(fakes, batch.labels)
        return nonsaturating_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)), batch.labels)
        return nonsaturating_g(self.score(fakes, batch.labels)), {}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        return self.G(latents.z * per_image(temperature, latents.z), self.class_weights(labels))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logits, high for real images of that class."""
        return self.D(images, self.class_weights(labels))
