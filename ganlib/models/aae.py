"""AAE: an autoencoder whose codes are made Gaussian by a discriminator on codes.

Makhzani, Shlens, Jaitly, Goodfellow, Frey, "Adversarial Autoencoders", 2015, arXiv:1511.05644. Each step first
reconstructs, then makes codes look like the prior. Where the data set has classes the decoder is conditioned on the
class (section 5), so that the code represents style alone. Convolutions after DCGAN.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, Phase
from ganlib.models.dcgan import Generator, NetworkConfig, dcgan_init, downsampling, widths
from ganlib.models.options import TEMPERATURE, per_image


@dataclass(frozen=True)
class AAEConfig(NetworkConfig):
    class_conditional: bool = option(True, "condition the decoder on the class, where the data set has classes")
    z_dim: int = option(64, "dimension of the code", min=1)
    hidden: int = option(512, "units of D's two layers", min=1)
    weight_adversarial: float = option(0.05, "weight of the prior beside the reconstruction", min=0.0)

    @property
    def label_width(self) -> int:
        return self.num_classes if self.class_conditional else 0


class Encoder(nn.Module):
    def __init__(self, c: AAEConfig) -> None:
        super().__init__()
        self.net = nn.Sequential(*downsampling(c, c.channels), nn.Conv2d(widths(c)[-1], c.z_dim, 4)).apply(dcgan_init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, z_dim)."""
        return self.net(x).flatten(1).float()


class Discriminator(nn.Module):
    """Tells codes of the prior from codes of images."""

    def __init__(self, c: AAEConfig) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(c.z_dim, c.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(c.hidden, c.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(c.hidden, 1),
        )

    def forward(self, z: Tensor) -> Tensor:
        """(N, z_dim) -> (N,) logits, high for the prior."""
        return self.net(z).squeeze(1).float()


@MODELS.register("aae")
class AAE(GenerativeModel):
    family = "GAN"
    display_name = "AAE"
    colour = 8
    Config = AAEConfig
    config: AAEConfig
    ema_modules = ("G", "E")
    options = (TEMPERATURE,)
    loss_kind = "squared error + non-saturating on codes"
    training_defaults = {"batch_size": 128}

    def __init__(self, config: AAEConfig) -> None:
        super().__init__(config)
        self.G, self.E = Generator(config, config.z_dim + config.label_width), Encoder(config)
        self.D = Discriminator(config)

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        lr, betas = self.config.lr, (self.config.beta1, 0.999)
        both = chain(self.G.parameters(), self.E.parameters())
        return {"GE": Adam(both, lr, betas), "D": Adam(self.D.parameters(), lr, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("GE", "GE", self.loss_ge)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        codes = self.E(batch.images)
        prior, encoded = self.D(torch.randn_like(codes)), self.D(codes)
        return nonsaturating_d(prior, encoded), {"D/real": prior.mean(), "D/fake": encoded.mean()}

    def loss_ge(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Reconstruction and regularisation in one step: both need the codes, and only E meets D."""
        codes = self.encode(batch.images)
        reconstructions = self.generate(codes, self.labels_if_conditional(batch.labels))
        squared_error, prior = mse_loss(reconstructions, batch.images), nonsaturating_g(self.D(codes.z))
        logs = {"loss/reconstruction": squared_error, "loss/prior": prior}
        return squared_error + self.config.weight_adversarial * prior, logs

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        z = latents.z * per_image(temperature, latents.z)
        if self.conditional:
            return self.G(torch.cat([z, self.class_weights(labels)], dim=1))
        self.refuse_labels(labels)
        return self.G(z)

    def encode(self, images: Tensor) -> Latents:
        """(N, C, H, W) in [-1, 1] -> latents whose images resemble the given ones."""
        return Latents(self.E(images), torch.zeros(len(images), dtype=torch.int64))
