"""WGAN-GP: the critic is kept Lipschitz by a penalty on its gradient.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, "Improved Training of Wasserstein GANs", NeurIPS 2017,
arXiv:1704.00028. Algorithm 1: λ = 10, several steps of the critic to one of G, Adam with β = (0, 0.9); no
batch norm in the critic, since the penalty is on the gradient at each image alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.losses import gradient_penalty, wasserstein_d
from ganlib.models.contract import MODELS, Batch
from ganlib.models.wgan import CriticConfig, WassersteinGAN


@dataclass(frozen=True)
class WGANGPConfig(CriticConfig):
    lr: float = option(1e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.0, "Adam's β1", min=0.0, max=0.999)
    beta2: float = option(0.9, "Adam's β2", min=0.0, max=0.9999)
    penalty: float = option(10.0, "λ, the weight of the gradient penalty", min=0.0)


@MODELS.register("wgan_gp")
class WGANGP(WassersteinGAN):
    display_name = "WGAN-GP"
    colour = 7
    Config = WGANGPConfig
    config: WGANGPConfig
    norm = nn.Identity

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        nets = [("D", self.D), ("G", self.G)]
        return {name: Adam(net.parameters(), c.lr, (c.beta1, c.beta2)) for name, net in nets}

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)))
        real, fake = self.score(torch.cat([batch.images, fakes])).chunk(2)
        penalty = gradient_penalty(self.score, batch.images, fakes)
        logs = {"D/real": real.mean(), "D/fake": fake.mean(), "D/penalty": penalty}
        return wasserstein_d(real, fake) + self.config.penalty * penalty, logs
