"""VAE-GAN: a variational autoencoder with its reconstruction error in the discriminator's features.

Larsen, Sønderby, Larochelle, Winther, "Autoencoding beyond pixels using a learned similarity metric",
ICML 2016, arXiv:1512.09300. Algorithm 1: E minimises L_prior + L_Dis_l, the decoder G γ·L_Dis_l - L_GAN,
D the GAN loss on real, decoded and sampled images. Convolutions after DCGAN.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, Phase
from ganlib.models.dcgan import Generator, NetworkConfig, dcgan_init, downsampling, widths
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.nn.gaussian import kl_to_standard_normal, reparameterise


@dataclass(frozen=True)
class VAEGANConfig(NetworkConfig):
    z_dim: int = option(128, "latent dimension", min=1)
    gamma: float = option(1e-3, "γ, the weight of likeness against the GAN loss in the decoder", min=0.0)

    @classmethod
    def tiny(cls) -> VAEGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4, gamma=0.1)


class Encoder(nn.Module):
    def __init__(self, c: VAEGANConfig) -> None:
        super().__init__()
        top = widths(c)[-1]
        self.net = nn.Sequential(*downsampling(c, c.channels), nn.Conv2d(top, 2 * c.z_dim, 4)).apply(dcgan_init)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> mean and log variance of the code, (N, z_dim) each."""
        mean, log_variance = self.net(x).flatten(1).float().chunk(2, dim=1)
        return mean, log_variance


class Discriminator(nn.Module):
    def __init__(self, c: VAEGANConfig) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*downsampling(c, c.channels)).apply(dcgan_init)
        self.head = nn.Conv2d(widths(c)[-1], 1, 4).apply(dcgan_init)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> (N,) logits, and (N, F) features in which likeness is measured."""
        h = self.trunk(x)
        return self.head(h).flatten().float(), h.flatten(1).float()


@MODELS.register("vaegan")
class VAEGAN(GenerativeModel):
    family = "GAN"
    display_name = "VAE-GAN"
    colour = 11
    Config = VAEGANConfig
    config: VAEGANConfig
    ema_modules = ("G", "E")
    options = (TEMPERATURE,)
    loss_kind = "non-saturating + likeness in D's features"

    def __init__(self, config: VAEGANConfig) -> None:
        super().__init__(config)
        self.G, self.E = Generator(config, config.z_dim), Encoder(config)
        self.D = Discriminator(config)

    @property
    def conditional(self) -> bool:
        return False

    def optimizers(self) -> dict[str, Optimizer]:
        lr, betas = self.config.lr, (self.config.beta1, 0.999)
        nets = [("E", self.E), ("G", self.G), ("D", self.D)]
        return {name: Adam(net.parameters(), lr, betas) for name, net in nets}

    def phases(self) -> list[Phase]:
        return [Phase("E", "E", self.loss_e), Phase("G", "G", self.loss_g), Phase("D", "D", self.loss_d)]

    def loss_e(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        mean, log_variance = self.E(batch.images)
        _, decoded_features = self.D(self.G(reparameterise(mean, log_variance)))
        prior = kl_to_standard_normal(mean, log_variance).mean()
        similarity = similarity_loss(self.D(batch.images)[1], decoded_features)
        return prior + similarity, {"loss/kl": prior, "loss/likeness": similarity}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        decoded, sampled = self.decode_and_sample(batch)
        (fake_decoded, decoded_features), (fake_sampled, _) = self.D(decoded), self.D(sampled)
        similarity = similarity_loss(self.D(batch.images)[1], decoded_features)
        return self.config.gamma * similarity + nonsaturating_g(fake_decoded) + nonsaturating_g(fake_sampled), {}

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Algorithm 1, except that the two kinds of fakes count as one: half of each, where the paper adds both up."""
        decoded, sampled = self.decode_and_sample(batch)
        real, fake = self.score(batch.images), torch.cat([self.score(decoded), self.score(sampled)])
        return nonsaturating_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def decode_and_sample(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Reconstructions of real images, and images generated from the prior."""
        decoded = self.G(reparameterise(*self.E(batch.images)))
        return decoded, self.generate(self.random_latents(len(batch.images)))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        self.refuse_labels(labels)
        return self.G(latents.z * per_image(temperature, latents.z))

    def encode(self, images: Tensor) -> Latents:
        """(N, C, H, W) in [-1, 1] -> the means of their codes."""
        mean, _ = self.E(images)
        return Latents(mean, torch.zeros(len(images), dtype=torch.int64))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) logits, high for real."""
        return self.D(images)[0]


def similarity_loss(real: Tensor, decoded: Tensor) -> Tensor:
    """-log N(real | decoded, 1) without its constant: (N, F), (N, F) -> scalar, the mean over images."""
    return 0.5 * (decoded - real).square().sum(1).mean()
