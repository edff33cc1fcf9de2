"""WGAN: a critic instead of a discriminator, kept Lipschitz by clipping its weights.

Arjovsky, Chintala, Bottou, "Wasserstein GAN", ICML 2017, arXiv:1701.07875. Algorithm 1: RMSProp, several
steps of the critic to one of G. Both networks are DCGAN's; the critic's batch norm is clipped with its weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.optim import Optimizer, RMSprop

from ganlib.config import option
from ganlib.losses import wasserstein_d, wasserstein_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, Phase
from ganlib.models.dcgan import Generator, NetworkConfig, dcgan_init, downsampling, widths
from ganlib.models.options import TEMPERATURE, per_image


@dataclass(frozen=True)
class CriticConfig(NetworkConfig):
    critic_steps: int = option(5, "steps of the critic to one of G", min=1)


@dataclass(frozen=True)
class WGANConfig(CriticConfig):
    lr: float = option(5e-5, "RMSProp's learning rate", min=0.0)
    beta1: float = option(0.0, "RMSProp's momentum; the paper found that it unsettles the critic", min=0.0, max=0.999)
    clip: float = option(0.01, "the critic's weights stay within this distance of 0", min=1e-6)


class ClippedRMSprop(RMSprop):
    """RMSProp after whose steps every weight lies in [-clip, clip]."""

    def __init__(self, net: nn.Module, lr: float, momentum: float, clip: float) -> None:
        super().__init__(net.parameters(), lr, momentum=momentum)
        self.clip = clip

    def step(self, closure: None = None) -> None:
        super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                p.data.clamp_(-self.clip, self.clip)


class Critic(nn.Module):
    def __init__(self, c: NetworkConfig, norm: type[nn.Module]) -> None:
        super().__init__()
        trunk = downsampling(c, c.channels, norm)
        self.net = nn.Sequential(*trunk, nn.Conv2d(widths(c)[-1], 1, 4)).apply(dcgan_init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N,) values without bounds, high for real."""
        return self.net(x).flatten().float()


class WassersteinGAN(GenerativeModel):
    """G and critic in turns; how the critic is kept Lipschitz is left to the architecture."""

    family = "GAN"
    config: CriticConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "wasserstein"
    norm: ClassVar[type[nn.Module]]
    """Of the critic's features."""

    def __init__(self, config: CriticConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config, config.z_dim), Critic(config, self.norm)

    @property
    def conditional(self) -> bool:
        return False

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g, every=self.config.critic_steps)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)))
        real, fake = self.score(batch.images), self.score(fakes)
        return wasserstein_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

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


@MODELS.register("wgan")
class WGAN(WassersteinGAN):
    display_name = "WGAN"
    colour = 5
    Config = WGANConfig
    config: WGANConfig
    norm = nn.BatchNorm2d

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            "D": ClippedRMSprop(self.D, c.lr, c.beta1, c.clip),
            "G": RMSprop(self.G.parameters(), c.lr, momentum=c.beta1),
        }
