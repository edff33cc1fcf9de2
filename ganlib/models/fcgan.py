"""FC-GAN: the first GAN, of fully connected networks.

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio, "Generative Adversarial
Networks", NeurIPS 2014, arXiv:1406.2661. Section 5: rectifiers in G; maxout and dropout in D. Section 3,
algorithm 1: k steps of D, each on images of its own, to one of G; the non-saturating loss for G. With
``--z-distribution uniform`` G sees its Gaussian latents' quantiles, uniform in [-1, 1] as the paper's noise, so that
seeds and interpolation stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from ganlib.config import option
from ganlib.losses import minimax_g, nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, ModelConfig, Phase
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.nn.maxout import Maxout


@dataclass(frozen=True)
class FCGANConfig(ModelConfig):
    z_dim: int = option(100, "latent dimension", min=1)
    z_distribution: Literal["normal", "uniform"] = option("normal", "of the noise that G sees")
    g_hidden: tuple[int, ...] = option((512, 512), "units of G's hidden layers", min=1)
    d_hidden: tuple[int, ...] = option((240, 240), "maxout units of D's hidden layers", min=1)
    pieces: int = option(2, "linear maps per maxout unit", min=1)
    dropout: float = option(0.3, "fraction of D's hidden units dropped in training", min=0.0, max=0.9)
    loss: Literal["non-saturating", "minimax"] = option("non-saturating", "what G minimises")
    d_steps: int = option(1, "steps of D to one of G", min=1)
    optimizer: Literal["adam", "sgd"] = option("adam", "Adam, or gradient descent with momentum")
    lr: float = option(2e-4, "learning rate", min=0.0)
    momentum: float = option(0.5, "momentum of gradient descent, or Adam's β1", min=0.0, max=0.999)

    @classmethod
    def tiny(cls) -> FCGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, g_hidden=(32,), d_hidden=(16,), pieces=2)


class Generator(nn.Module):
    """Batch norm before each rectifier, which the paper had not: without it deeper nets collapse."""

    def __init__(self, c: FCGANConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b in pairwise((c.z_dim, *c.g_hidden)):
            layers += [nn.Linear(a, b, bias=False), nn.BatchNorm1d(b), nn.ReLU()]
        shape = (c.channels, c.image_size, c.image_size)
        last = (c.z_dim, *c.g_hidden)[-1]
        self.net = nn.Sequential(
            *layers, nn.Linear(last, c.channels * c.image_size**2), nn.Unflatten(1, shape), nn.Tanh()
        )

    def forward(self, z: Tensor) -> Tensor:
        """(N, z_dim) -> (N, C, H, W) in [-1, 1]."""
        return self.net(z).float()


class Discriminator(nn.Module):
    def __init__(self, c: FCGANConfig) -> None:
        super().__init__()
        sizes = (c.channels * c.image_size**2, *c.d_hidden)
        hidden = [layer for a, b in pairwise(sizes) for layer in (Maxout(a, b, c.pieces), nn.Dropout(c.dropout))]
        self.net = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(sizes[-1], 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N,) logits."""
        return self.net(x).squeeze(1).float()


@MODELS.register("fcgan")
class FCGAN(GenerativeModel):
    family = "GAN"
    display_name = "GAN (fully connected)"
    colour = 2
    Config = FCGANConfig
    config: FCGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    training_defaults = {"batch_size": 128}

    def __init__(self, config: FCGANConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config), Discriminator(config)
        self.loss_kind = config.loss

    @property
    def conditional(self) -> bool:
        return False

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config

        def optimizer(net: nn.Module) -> Optimizer:
            if c.optimizer == "sgd":
                return SGD(net.parameters(), c.lr, c.momentum)
            return Adam(net.parameters(), c.lr, (c.momentum, 0.999))

        return {"D": optimizer(self.D), "G": optimizer(self.G)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g, every=self.config.d_steps)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)))
        real, fake = self.score(batch.images), self.score(fakes)
        return nonsaturating_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fake = self.score(self.generate(self.random_latents(len(batch.images))))
        return (minimax_g if self.config.loss == "minimax" else nonsaturating_g)(fake), {}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        self.refuse_labels(labels)
        z = latents.z * per_image(temperature, latents.z)
        return self.G(2 * torch.special.ndtr(z) - 1 if self.config.z_distribution == "uniform" else z)

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) logits, high for real."""
        return self.D(images)
