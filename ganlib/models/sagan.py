"""SAGAN: self-attention in G and D, spectral norm in both.

Zhang, Goodfellow, Metaxas, Odena, "Self-Attention Generative Adversarial Networks", ICML 2019, arXiv:1805.08318:
residual networks, class-conditional batch norm, projection, hinge loss, a higher learning rate for D.
``--backbone dcgan --no-class-conditional --loss non-saturating`` puts the attention into DCGAN's networks
instead, with cross-entropy and, if asked, one-sided label smoothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, relu_
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import hinge_d, hinge_g, nonsaturating_d, nonsaturating_g
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, Batch, Latents, Phase
from ganlib.models.dcgan import NetworkConfig, dcgan_init, downsampling, upsampling, widths
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.models.techniques import LabelSmoothing, real_targets
from ganlib.nn.attention import SelfAttention2d
from ganlib.nn.conditional_norm import ConditionalBatchNorm2d
from ganlib.nn.residual import DownBlock, UpBlock, Wrap, no_wrap


@dataclass(frozen=True)
class AttentiveConfig(AttributesConfig):
    """Sizes and learning rates of residual networks with attention, shared by architectures that use them."""

    attention: int = option(16, "resolution with self-attention, 0 = none", min=0)
    class_conditional: bool = option(True, "condition on the class, where the data set has classes")
    spectral_norm: bool = option(True, "spectral norm in G and D")
    g_width: int = option(96, "channels of G below the last block; of a DCGAN, at the highest resolution", min=1)
    d_width: int = option(64, "channels of D; of a DCGAN, at the highest resolution", min=1)
    lr_g: float = option(1e-4, "Adam's learning rate for G", min=0.0)
    lr_d: float = option(4e-4, "Adam's learning rate for D", min=0.0)
    beta1: float = option(0.0, "Adam's first momentum", min=0.0, max=0.999)
    beta2: float = option(0.9, "Adam's second momentum", min=0.0, max=0.9999)

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = [size for size in (8, 16, 32, 64, 128, 256, 512) if size < self.image_size]
        if self.attention and self.attention not in sizes:
            raise GanlibError(
                f"attention must be 0 or one of {', '.join(map(str, sizes))} at {self.image_size} pixels, "
                f"not {self.attention}."
            )

    @property
    def label_width(self) -> int:
        return super().label_width if self.class_conditional else 0

    @property
    def wrap(self) -> Wrap:
        return spectral_norm if self.spectral_norm else no_wrap


@dataclass(frozen=True)
class SAGANConfig(AttentiveConfig, LabelSmoothing):
    z_dim: int = option(128, "latent dimension", min=1)
    backbone: Literal["residual", "dcgan"] = option("residual", "network architecture")
    loss: Literal["hinge", "non-saturating"] = option("hinge", "loss of D and G")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backbone == "dcgan" and self.class_conditional and self.num_classes:
            raise GanlibError("DCGAN's networks take no class; add --no-class-conditional or leave --backbone out.")
        if self.loss == "hinge" and min(self.label_smoothing) < 1:
            raise GanlibError("A hinge has no target to smooth; add --loss non-saturating or drop label_smoothing.")

    @classmethod
    def tiny(cls) -> SAGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, attention=8, z_dim=8, g_width=8, d_width=8)


class Generator(nn.Module):
    def __init__(self, c: SAGANConfig) -> None:
        super().__init__()
        ups = c.image_size.bit_length() - 3
        chs = [c.g_width] * ups + [max(c.g_width // 2, 1)]  # half the width at the highest resolution
        self.linear = c.wrap(nn.Linear(c.z_dim, 16 * chs[0]))
        norm = partial(ConditionalBatchNorm2d, num_classes=c.label_width)
        self.blocks = nn.ModuleList(UpBlock(chs[i], chs[i + 1], norm, c.wrap) for i in range(ups))
        if c.attention:
            self.attention = SelfAttention2d(chs[c.attention.bit_length() - 3], c.wrap)
        self.norm = nn.BatchNorm2d(chs[-1])
        self.to_image = c.wrap(nn.Conv2d(chs[-1], c.channels, 3, padding=1))
        self.attention_size = c.attention

    def forward(self, z: Tensor, y: Tensor | None) -> Tensor:
        """(N, z_dim), (N, label_width) weights or None -> (N, C, H, W) in [-1, 1]."""
        h = self.linear(z).unflatten(1, (-1, 4, 4)).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            h = block(h, y)
            if h.shape[2] == self.attention_size:
                h = self.attention(h)
        return self.to_image(relu_(self.norm(h))).tanh().float()


class Discriminator(nn.Module):
    """D(x, y) = v·φ(x) + e(y)·φ(x), with attention within φ."""

    def __init__(self, c: AttentiveConfig) -> None:
        super().__init__()
        w = c.d_width
        downs = c.image_size.bit_length() - 4  # to 8 x 8, where two more blocks keep the size
        self.blocks = nn.ModuleList(
            [
                DownBlock(c.channels, w, c.wrap, down=True, first=True),
                *(DownBlock(w, w, c.wrap, down=i < downs - 1) for i in range(downs + 1)),
            ]
        )
        if c.attention:
            self.attention = SelfAttention2d(w, c.wrap)
        self.linear = c.wrap(nn.Linear(w, 1))
        if c.label_width:
            self.embed = c.wrap(nn.Linear(c.label_width, w, bias=False))
        self.attention_size = c.attention

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, C, H, W), (N, label_width) weights or None -> (N,) logits."""
        h = x
        for block in self.blocks:
            before, h = h.shape[2], block(h)
            if before > h.shape[2] == self.attention_size:
                h = self.attention(h)
        features = relu(h).sum(dim=(2, 3))
        out = self.linear(features).squeeze(1)
        if y is not None:
            out = out + (self.embed(y) * features).sum(1)
        return out.float()


def insert_attention(layers: list[nn.Module], index: int, channels: int, wrap: Wrap) -> list[nn.Module]:
    """DCGAN's layers with spectral norm and with attention after rectifier number ``index``."""
    rectifiers = [i for i, layer in enumerate(layers) if isinstance(layer, (nn.ReLU, nn.LeakyReLU))]
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            wrap(layer)
    if not channels:
        return layers
    after = rectifiers[index] + 1
    return [*layers[:after], SelfAttention2d(channels, wrap), *layers[after:]]


class DCGANGenerator(nn.Module):
    def __init__(self, c: SAGANConfig) -> None:
        super().__init__()
        sizes = NetworkConfig(c.image_size, c.channels, z_dim=c.z_dim, width=c.g_width)
        layers = upsampling(sizes, c.z_dim)
        nn.Sequential(*layers).apply(dcgan_init)
        index = c.attention.bit_length() - 3  # rectifiers follow the maps of 4, 8, 16, …
        channels = widths(sizes)[::-1][index] if c.attention else 0
        self.net = nn.Sequential(*insert_attention(layers, index, channels, c.wrap), nn.Tanh())

    def forward(self, z: Tensor, y: None) -> Tensor:
        """(N, z_dim) -> (N, C, H, W) in [-1, 1]."""
        return self.net(z[:, :, None, None]).float()


class DCGANDiscriminator(nn.Module):
    def __init__(self, c: SAGANConfig) -> None:
        super().__init__()
        sizes = NetworkConfig(c.image_size, c.channels, z_dim=c.z_dim, width=c.d_width)
        layers = [*downsampling(sizes, c.channels), nn.Conv2d(widths(sizes)[-1], 1, 4)]
        nn.Sequential(*layers).apply(dcgan_init)
        index = (c.image_size // c.attention).bit_length() - 2 if c.attention else 0
        channels = widths(sizes)[index] if c.attention else 0
        self.net = nn.Sequential(*insert_attention(layers, index, channels, c.wrap))

    def forward(self, x: Tensor, y: None) -> Tensor:
        """(N, C, H, W) -> (N,) logits."""
        return self.net(x).flatten().float()


@MODELS.register("sagan")
class SAGAN(EmbedsAttributes):
    family = "GAN"
    display_name = "SAGAN"
    colour = 10
    Config = SAGANConfig
    config: SAGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)

    def __init__(self, config: SAGANConfig) -> None:
        super().__init__(config)
        networks = {"residual": (Generator, Discriminator), "dcgan": (DCGANGenerator, DCGANDiscriminator)}
        generator, discriminator = networks[config.backbone]
        self.G, self.D = generator(config), discriminator(config)
        self.loss_kind = config.loss

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        betas = (c.beta1, c.beta2)
        return {"D": Adam(self.D.parameters(), c.lr_d, betas), "G": Adam(self.G.parameters(), c.lr_g, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        fakes = self.generate(self.random_latents(len(batch.images)), labels)
        # In separate passes, so that DCGAN's batch norm does not mix them.
        real, fake = self.score(batch.images, labels), self.score(fakes, labels)
        if self.config.loss == "hinge":
            loss = hinge_d(real, fake)
        else:
            loss = nonsaturating_d(real, fake, real_targets(self.config, real))
        return loss, {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        fake = self.score(self.generate(self.random_latents(len(batch.images)), labels), labels)
        return (hinge_g if self.config.loss == "hinge" else nonsaturating_g)(fake), {}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        return self.G(latents.z * per_image(temperature, latents.z), self.embedding_weights(labels))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logits, high for real images of that class."""
        return self.D(images, self.embedding_weights(labels))
