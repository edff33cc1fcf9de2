"""SGAN: a discriminator with K + 1 outputs learns a classifier from few labels.

Odena, "Semi-Supervised Learning with Generative Adversarial Networks", 2016, arXiv:1606.01583; losses and
feature matching after Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016,
arXiv:1606.03498, section 5. Images of label -1 are unlabelled: D learns from them only that they are real.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import feature_matching, nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, Phase
from ganlib.models.dcgan import Generator, NetworkConfig, dcgan_init, downsampling, widths
from ganlib.models.options import TEMPERATURE, per_image


@dataclass(frozen=True)
class SGANConfig(NetworkConfig):
    dropout: float = option(0.5, "fraction of D's uppermost features dropped in training", min=0.0, max=0.9)
    weight_adversarial: float = option(
        1.0, "weight of telling real from fake; 0 leaves the supervised baseline", min=0.0
    )
    g_loss: Literal["feature matching", "non-saturating"] = option("feature matching", "what G minimises")


class Discriminator(nn.Module):
    def __init__(self, c: SGANConfig) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*downsampling(c, c.channels))
        self.head = nn.Sequential(nn.Dropout(c.dropout), nn.Conv2d(widths(c)[-1], c.num_classes + 1, 4))
        self.apply(dcgan_init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, K + 1) logits, the last for fake."""
        return self.head(self.trunk(x)).flatten(1).float()


def realness(logits: Tensor) -> Tensor:
    """(N, K + 1) -> (N,) the logit of being in any of the K real classes."""
    return logits[:, :-1].logsumexp(1) - logits[:, -1]


@MODELS.register("sgan")
class SGAN(GenerativeModel):
    family = "GAN"
    display_name = "SGAN"
    colour = 10
    Config = SGANConfig
    config: SGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    training_defaults = {"batch_size": 128, "labels": 4000}

    def __init__(self, config: SGANConfig) -> None:
        if config.num_classes < 2:
            raise GanlibError("sgan needs a data set with at least two classes; dcgan does without.")
        super().__init__(config)
        self.G, self.D = Generator(config, config.z_dim), Discriminator(config)
        self.loss_kind = f"K + 1 classes, {config.g_loss}"

    @property
    def conditional(self) -> bool:
        return False

    def optimizers(self) -> dict[str, Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {name: Adam(net.parameters(), self.config.lr, betas) for name, net in [("D", self.D), ("G", self.G)]}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        logits = self.D(batch.images)
        # The mean over a batch without labelled images would be 0 / 0.
        num_labelled = (batch.labels >= 0).sum().clamp(min=1)
        classes = logits[:, :-1]
        supervised = cross_entropy(classes, batch.labels, ignore_index=-1, reduction="sum") / num_labelled
        logs = {"D/supervised": supervised, "D/accuracy": (classes.argmax(1) == batch.labels).sum() / num_labelled}
        if not self.config.weight_adversarial:
            return supervised, logs
        real, fake = realness(logits), self.score(self.generate(self.random_latents(len(batch.images))))
        logs |= {"D/real": real.mean(), "D/fake": fake.mean()}
        return supervised + self.config.weight_adversarial * nonsaturating_d(real, fake), logs

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)))
        if self.config.g_loss == "non-saturating":
            return nonsaturating_g(self.score(fakes)), {}
        with torch.no_grad():
            real = self.D.trunk(batch.images)
        return feature_matching(real, self.D.trunk(fakes)), {}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        self.refuse_labels(labels)
        return self.G(latents.z * per_image(temperature, latents.z))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) logits, high for real."""
        return realness(self.D(images))

    def classify(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, K) logits of the real classes."""
        return self.D(images)[:, :-1]
