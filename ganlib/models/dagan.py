"""DAGAN: another image of the same class from an image and noise, also of classes that training never saw.

Antoniou, Storkey, Edwards, "Data Augmentation Generative Adversarial Networks", 2017, arXiv:1711.04340: a U-Net whose
bottleneck takes the noise, a critic that sees pairs (an image, another of its class or a generated one), Wasserstein
loss with gradient penalty, Adam 1e-4 with β = (0, 0.9), five steps of the critic to one of G. A batch is half images in
their turn and half partners, each of which is any other image of its class: rare classes keep their share.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import gradient_penalty, wasserstein_d, wasserstein_g
from ganlib.models.contract import MODELS, Batch, ModelConfig, Phase
from ganlib.models.image_to_image import ImageToImage, Task

BOTTLENECK = 4  # pixels of a side


@dataclass(frozen=True)
class DAGANConfig(ModelConfig):
    z_dim: int = option(100, "dimension of the noise", min=1)
    width: int = option(64, "channels of the first layers of G and D, doubled at each up to 8 times", min=1)
    d_steps: int = option(5, "steps of the critic to one of G", min=1, max=1000)
    penalty: float = option(10.0, "λ, the weight of the gradient penalty", min=0.0)
    lr: float = option(1e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.0, "Adam's β1", min=0.0, max=0.999)
    beta2: float = option(0.9, "Adam's β2", min=0.0, max=0.9999)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.z_dim > self.image_size**2:
            raise GanlibError(
                f"z_dim is at most the number of pixels, {self.image_size**2:,} here, not {self.z_dim:,}."
            )

    @classmethod
    def tiny(cls) -> DAGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4, d_steps=1)

    @property
    def widths(self) -> list[int]:
        """Channels from full resolution's first layer down to the bottleneck."""
        levels = self.image_size.bit_length() - BOTTLENECK.bit_length()
        return [self.width * min(2**i, 8) for i in range(levels)]


class NoisyUNet(nn.Module):
    """Encoder and decoder with a shortcut at each resolution; noise joins at the bottleneck."""

    def __init__(self, c: DAGANConfig) -> None:
        super().__init__()
        widths = c.widths
        self.z_dim = c.z_dim
        self.downs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(cin, cout, 4, 2, 1), nn.BatchNorm2d(cout), nn.LeakyReLU(0.2))
            for cin, cout in pairwise([c.channels, *widths])
        )
        self.noise = nn.Linear(c.z_dim, widths[-1] * BOTTLENECK**2)
        ups = []
        for i in reversed(range(len(widths))):
            cout = widths[max(i - 1, 0)]
            ups.append(nn.Sequential(nn.ConvTranspose2d(2 * widths[i], cout, 4, 2, 1), nn.BatchNorm2d(cout), nn.ReLU()))
        self.ups = nn.ModuleList(ups)
        self.last = nn.Sequential(nn.Conv2d(widths[0] + c.channels, c.channels, 3, padding=1), nn.Tanh())

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """(N, C, H, W), (N, z_dim) -> (N, C, H, W) in [-1, 1]."""
        skips = [x]
        for down in self.downs:
            skips.append(down(skips[-1]))
        h = self.noise(z).view(len(z), -1, BOTTLENECK, BOTTLENECK)
        for up in self.ups:
            h = up(torch.cat([h, skips.pop()], dim=1))
        return self.last(torch.cat([h, skips.pop()], dim=1)).float()


class PairCritic(nn.Module):
    """Layer norm instead of batch norm, as the penalty is on the gradient at each pair alone."""

    def __init__(self, c: DAGANConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for cin, cout in pairwise([2 * c.channels, *c.widths]):
            layers += [nn.Conv2d(cin, cout, 4, 2, 1), nn.GroupNorm(1, cout), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*layers, nn.Conv2d(c.widths[-1], 1, BOTTLENECK), nn.Flatten(0))

    def forward(self, pairs: Tensor) -> Tensor:
        """(N, 2C, H, W) -> (N,) high for two real images of one class."""
        return self.net(pairs).float()


@MODELS.register("dagan")
class DAGAN(ImageToImage):
    family = "image-to-image"
    display_name = "DAGAN"
    colour = 9
    Config = DAGANConfig
    config: DAGANConfig
    ema_modules = ("G",)
    in_pairs = True
    loss_kind = "Wasserstein + gradient penalty, of pairs"

    def __init__(self, config: DAGANConfig) -> None:
        if not config.num_classes:
            raise GanlibError("dagan learns from pairs of one class and needs a data set with classes.")
        super().__init__(config)
        self.G = NoisyUNet(config)
        self.D = PairCritic(config)

    @property
    def task(self) -> Task:
        return "augmentation"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return self.config.channels + 1, self.config.image_size, self.config.image_size

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        networks = {"D": self.D, "G": self.G}
        return {name: Adam(net.parameters(), c.lr, (c.beta1, c.beta2)) for name, net in networks.items()}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g, every=self.config.d_steps)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        x, others = both_ways(batch.images)
        with torch.no_grad():
            fakes = self.transform(self.degrade(x))
        real, fake = torch.cat([x, others], dim=1), torch.cat([x, fakes], dim=1)
        scores, penalty = self.D(torch.cat([real, fake])).chunk(2), gradient_penalty(self.D, real, fake)
        logs = {"D/real": scores[0].mean(), "D/fake": scores[1].mean(), "D/penalty": penalty}
        return wasserstein_d(*scores) + self.config.penalty * penalty, logs

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        x = batch.images
        return wasserstein_g(self.D(torch.cat([x, self.transform(self.degrade(x))], dim=1))), {}

    def degrade(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Nothing is taken away: a channel of noise is added, of which the first ``z_dim`` values count."""
        noise = torch.randn(len(images), 1, *images.shape[2:], generator=generator)
        return torch.cat([images, noise.to(images)], dim=1)

    def transform(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        images, noise = inputs[:, :-1], inputs[:, -1].flatten(1)[:, : self.config.z_dim]
        return self.G(images, noise)

    def visible(self, inputs: Tensor) -> Tensor:
        return inputs[:, :-1]


def both_ways(images: Tensor) -> tuple[Tensor, Tensor]:
    """A batch in pairs (N, C, H, W) -> (N, C, H, W) twice: each image, and the other one of its pair."""
    first, second = images.chunk(2)
    return images, torch.cat([second, first])
