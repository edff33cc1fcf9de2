"""WGAN-GP: the critic is kept Lipschitz by a penalty on its gradient.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, "Improved Training of Wasserstein GANs", NeurIPS 2017,
arXiv:1704.00028. Algorithm 1: λ = 10, several steps of the critic to one of G, Adam with β = (0, 0.9); no
batch norm in the critic, since the penalty is on the gradient at each image alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.losses import wasserstein_d, wasserstein_g
from ganlib.models.base import MODELS, TEMPERATURE, Batch, GenerativeModel, Latents, Phase, per_image
from ganlib.models.dcgan import Generator, NetworkConfig
from ganlib.models.wgan import Critic


@dataclass(frozen=True)
class WGANGPConfig(NetworkConfig):
    lr: float = option(1e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.0, "Adam's first momentum", min=0.0, max=0.999)
    beta2: float = option(0.9, "Adam's second momentum", min=0.0, max=0.9999)
    penalty: float = option(10.0, "λ, the weight of the gradient penalty", min=0.0)
    critic_steps: int = option(5, "steps of the critic to one of G", min=1)


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """E[(‖∇D(x̂)‖ - 1)²] at points x̂ drawn evenly from the lines between pairs of images, (N, …) -> scalar."""
    t = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    between = torch.lerp(real, fake, t).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@MODELS.register("wgan_gp")
class WGANGP(GenerativeModel):
    Config = WGANGPConfig
    config: WGANGPConfig
    averaged = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "wasserstein"

    def __init__(self, config: WGANGPConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config, config.z_dim), Critic(config)

    @property
    def conditional(self) -> bool:
        return False

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        nets = [("D", self.D), ("G", self.G)]
        return {name: Adam(net.parameters(), c.lr, (c.beta1, c.beta2)) for name, net in nets}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g, every=self.config.critic_steps)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)))
        real, fake = self.score(torch.cat([batch.images, fakes])).chunk(2)
        penalty = gradient_penalty(self.score, batch.images, fakes)
        logs = {"D/real": real.mean(), "D/fake": fake.mean(), "D/penalty": penalty}
        return wasserstein_d(real, fake) + self.config.penalty * penalty, logs

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        return wasserstein_g(self.score(self.generate(self.random_latents(len(batch.images))))), {}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        self.refuse_labels(labels)
        return self.G(latents.z * per_image(temperature, latents.z))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) the critic's values, high for real."""
        return self.D(images)
