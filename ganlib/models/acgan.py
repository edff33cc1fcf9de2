"""ACGAN: D also classifies, and G is trained for images classified as intended.

Odena, Olah, Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017,
arXiv:1610.09585. D maximises L_S + L_C, G maximises L_C - L_S, with the class joined to z; DCGAN's networks,
dropout in D as in the paper's appendix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, Phase
from ganlib.models.dcgan import Generator, NetworkConfig, dcgan_init, downsampling, widths
from ganlib.models.options import TEMPERATURE, per_image


@dataclass(frozen=True)
class ACGANConfig(NetworkConfig):
    dropout: float = option(0.3, "fraction of D's uppermost features dropped in training", min=0.0, max=0.9)
    weight_class: float = option(1.0, "weight of the class in both losses", min=0.0)


class Discriminator(nn.Module):
    def __init__(self, c: ACGANConfig) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*downsampling(c, c.channels), nn.Dropout(c.dropout))
        self.source = nn.Conv2d(widths(c)[-1], 1, 4)
        self.classes = nn.Conv2d(widths(c)[-1], c.num_classes, 4)
        self.apply(dcgan_init)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> (N,) logits of being real, (N, K) logits of the classes."""
        h = self.trunk(x)
        return self.source(h).flatten().float(), self.classes(h).flatten(1).float()


@MODELS.register("acgan")
class ACGAN(GenerativeModel):
    family = "GAN"
    display_name = "ACGAN"
    colour = 8
    Config = ACGANConfig
    config: ACGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "non-saturating + class"
    training_defaults = {"batch_size": 128}

    def __init__(self, config: ACGANConfig) -> None:
        if config.num_classes < 2:
            raise GanlibError("acgan needs a data set with at least two classes; dcgan does without.")
        super().__init__(config)
        self.G = Generator(config, config.z_dim + config.num_classes)
        self.D = Discriminator(config)

    def optimizers(self) -> dict[str, Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {name: Adam(net.parameters(), self.config.lr, betas) for name, net in [("D", self.D), ("G", self.G)]}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)), batch.labels)
        real, class_logits_real = self.D(batch.images)
        fake, class_logits_fake = self.D(fakes)
        class_loss = cross_entropy(class_logits_real, batch.labels) + cross_entropy(class_logits_fake, batch.labels)
        accuracy = (class_logits_real.argmax(1) == batch.labels).float().mean()
        logs = {"D/real": real.mean(), "D/fake": fake.mean(), "D/accuracy": accuracy}
        return nonsaturating_d(real, fake) + self.config.weight_class * class_loss, logs

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fake, class_logits = self.D(self.generate(self.random_latents(len(batch.images)), batch.labels))
        return nonsaturating_g(fake) + self.config.weight_class * cross_entropy(class_logits, batch.labels), {}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        z = latents.z * per_image(temperature, latents.z)
        return self.G(torch.cat([z, self.class_weights(labels)], dim=1))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logits of being real and of that class: L_S + L_C for each image."""
        source, class_logits = self.D(images)
        return source + (self.class_weights(labels) * class_logits.log_softmax(1)).sum(1)

    def classify(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, K) logits of the classes."""
        return self.D(images)[1]
