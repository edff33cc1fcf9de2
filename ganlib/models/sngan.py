"""SNGAN with projection: residual networks, spectral norm in D, class-conditional batch norm in G, hinge loss.

Miyato, Kataoka, Koyama, Yoshida, "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
arXiv:1802.05957; Miyato, Koyama, "cGANs with Projection Discriminator", ICLR 2018, arXiv:1802.05637.
Two learning rates as in Heusel et al., arXiv:1706.08500, so that one D step per G step is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, relu_
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.optim import Optimizer

from ganlib.augment import diffaugment
from ganlib.config import option
from ganlib.losses import hinge_d, hinge_g
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, Batch, Latents, Phase
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.models.techniques import (
    Techniques,
    adam,
    add_feature_matching,
    batch_statistics,
    reference_latents,
)
from ganlib.nn.conditional_norm import ConditionalBatchNorm2d
from ganlib.nn.minibatch import JoinStatistics
from ganlib.nn.residual import DownBlock, UpBlock
from ganlib.nn.virtual_norm import normalize_virtually


@dataclass(frozen=True)
class SNGANConfig(Techniques, AttributesConfig):
    z_dim: int = option(128, "latent dimension", min=1)
    g_width: int = option(96, "channels of G below the last block", min=1)
    d_width: int = option(64, "channels of D", min=1)
    lr_g: float = option(1e-4, "Adam's learning rate for G", min=0.0)
    lr_d: float = option(4e-4, "Adam's learning rate for D", min=0.0)
    beta1: float = option(0.0, "Adam's β1", min=0.0, max=0.999)
    beta2: float = option(0.99, "Adam's β2", min=0.0, max=0.9999)
    weight_norm: bool = option(False, "weight norm in D in place of spectral norm")

    @classmethod
    def tiny(cls) -> SNGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, g_width=8, d_width=8)


class Generator(nn.Module):
    def __init__(self, c: SNGANConfig) -> None:
        super().__init__()
        ups = c.image_size.bit_length() - 3
        chs = [c.g_width] * ups + [max(c.g_width // 2, 1)]  # half the width at the highest resolution
        self.linear = nn.Linear(c.z_dim, 16 * chs[0])
        norm = partial(ConditionalBatchNorm2d, num_classes=c.label_width)
        self.blocks = nn.ModuleList(UpBlock(chs[i], chs[i + 1], norm) for i in range(ups))
        self.norm = nn.BatchNorm2d(chs[-1])
        self.to_image = nn.Conv2d(chs[-1], c.channels, 3, padding=1)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(m.weight)

    def forward(self, z: Tensor, y: Tensor | None) -> Tensor:
        """(N, z_dim), (N, label_width) weights or None -> (N, C, H, W) in [-1, 1]."""
        h = self.linear(z).unflatten(1, (-1, 4, 4)).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            h = block(h, y)
        return self.to_image(relu_(self.norm(h))).tanh().float()


class Discriminator(nn.Module):
    """D(x, y) = v·φ(x) + e(y)·φ(x): an unconditional part plus the projection on the class's embedding."""

    def __init__(self, c: SNGANConfig) -> None:
        super().__init__()
        w, norm = c.d_width, weight_norm if c.weight_norm else spectral_norm
        downs = max(c.image_size.bit_length() - 4, 1)  # to 8 x 8, where two more blocks keep the size
        self.blocks = nn.Sequential(
            DownBlock(c.channels, w, norm, down=True, first=True),
            *[DownBlock(w, w, norm, down=i < downs - 1) for i in range(downs + 1)],
        )
        self.join = JoinStatistics(batch_statistics(c, w))
        self.linear = norm(nn.Linear(w + self.join.extra, 1))
        if c.label_width:
            self.embed = norm(nn.Linear(c.label_width, w, bias=False))

    def forward(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W), (N, label_width) weights or None -> features (N, d_width) and logits (N,)."""
        features = relu(self.blocks(x)).sum(dim=(2, 3))
        out = self.linear(self.join(features)).squeeze(1)
        if y is not None:
            out = out + (self.embed(y) * features).sum(1)
        return features, out.float()


@MODELS.register("sngan")
class SNGAN(EmbedsAttributes):
    family = "GAN"
    display_name = "SNGAN"
    colour = 2
    Config = SNGANConfig
    config: SNGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "hinge"

    def __init__(self, config: SNGANConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config), Discriminator(config)
        if config.virtual_batch_norm:
            normalize_virtually(self.G, config.virtual_batch_norm, partial(reference_latents, self))
        if config.feature_matching:
            self.loss_kind += " + feature matching"

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        betas = (c.beta1, c.beta2)
        return {"D": adam(self.D, c, c.lr_d, betas, c.d_weight_decay), "G": adam(self.G, c, c.lr_g, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g, every=self.config.d_steps)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        fakes = self.generate(self.random_latents(len(batch.images)), labels)
        images = self.augment(batch.images), self.augment(fakes)
        if self.config.uses_batch_statistics:
            real, fake = (self.score(x, labels) for x in images)
        else:  # D has no batch norm, so real and fake can share one pass
            both = None if labels is None else labels.repeat(2)
            real, fake = self.score(torch.cat(images), both).chunk(2)
        return hinge_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        fakes = self.generate(self.random_latents(len(batch.images)), labels)
        features, logits = self.features_and_logits(self.augment(fakes), labels)
        return add_feature_matching(
            self.config,
            hinge_g(logits),
            features,
            lambda: self.features_and_logits(self.augment(batch.images), labels)[0],
        )

    def augment(self, images: Tensor) -> Tensor:
        return diffaugment(images, self.config.diffaugment)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        return self.G(latents.z * per_image(temperature, latents.z), self.embedding_weights(labels))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logits, high for real images of that class."""
        return self.features_and_logits(images, labels)[1]

    def features_and_logits(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W), labels -> D's features (N, d_width) and logits (N,)."""
        return self.D(images, self.embedding_weights(labels))
