"""SAGAN: self-attention in G and D, spectral norm in both.

Zhang, Goodfellow, Metaxas, Odena, "Self-Attention Generative Adversarial Networks", ICML 2019, arXiv:1805.08318:
residual networks, class-conditional batch norm, projection, hinge loss, a higher learning rate for D.
``--backbone dcgan --no-class-conditional --loss non-saturating`` puts the attention into DCGAN's networks
instead, with cross-entropy and, if asked, one-sided label smoothing; ``--loss wasserstein`` is WGAN-GP's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import relu, relu_
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.optim import Optimizer

from ganlib.augment import diffaugment
from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import gradient_penalty, hinge_d, hinge_g, nonsaturating_d, nonsaturating_g, wasserstein_d
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, Batch, Latents, Phase
from ganlib.models.dcgan import NetworkConfig, dcgan_init, downsampling, upsampling, widths
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.models.techniques import (
    LabelSmoothing,
    Techniques,
    adam,
    add_feature_matching,
    batch_statistics,
    real_targets,
    reference_latents,
)
from ganlib.nn.attention import SelfAttention2d, attention_maps, log_gammas
from ganlib.nn.conditional_norm import ConditionalBatchNorm2d
from ganlib.nn.minibatch import JoinStatistics
from ganlib.nn.residual import DownBlock, UpBlock, Wrap, no_wrap
from ganlib.nn.virtual_norm import normalize_virtually


@dataclass(frozen=True)
class AttentiveConfig(AttributesConfig):
    """Sizes and learning rates of residual networks with attention, shared by architectures that use them."""

    attention: tuple[int, ...] = option((16,), "resolutions with self-attention, 0 = none", min=0)
    full_width_value: bool = option(False, "attention's values have all channels, and no layer stands behind them")
    class_conditional: bool = option(True, "condition on the class, where the data set has classes")
    spectral_norm: bool = option(True, "spectral norm in G and D")
    g_width: int = option(96, "channels of G below the last block; of a DCGAN, at the highest resolution", min=1)
    d_width: int = option(64, "channels of D; of a DCGAN, at the highest resolution", min=1)
    lr_g: float = option(1e-4, "Adam's learning rate for G", min=0.0)
    lr_d: float = option(4e-4, "Adam's learning rate for D", min=0.0)
    beta1: float = option(0.0, "Adam's β1", min=0.0, max=0.999)
    beta2: float = option(0.9, "Adam's β2", min=0.0, max=0.9999)

    def __post_init__(self) -> None:
        if isinstance(self.attention, int):  # as recipes of one layer have it
            object.__setattr__(self, "attention", (self.attention,))
        super().__post_init__()
        object.__setattr__(self, "attention", tuple(sorted({*self.attention} - {0})))
        sizes = [size for size in (8, 16, 32, 64, 128, 256, 512) if size < self.image_size]
        for size in self.attention:
            if size not in sizes:
                raise GanlibError(
                    f"attention must be 0 or one of {', '.join(map(str, sizes))} at {self.image_size} pixels, "
                    f"not {size}."
                )

    @property
    def label_width(self) -> int:
        return super().label_width if self.class_conditional else 0

    @property
    def wrap(self) -> Wrap:
        return spectral_norm if self.spectral_norm else no_wrap

    @property
    def d_wrap(self) -> Wrap:
        return self.wrap

    def attention_layer(self, channels: int, size: int, wrap: Wrap) -> SelfAttention2d:
        return SelfAttention2d(channels, wrap, full_width=self.full_width_value, size=size)


@dataclass(frozen=True)
class SAGANConfig(AttentiveConfig, Techniques, LabelSmoothing):
    z_dim: int = option(128, "latent dimension", min=1)
    backbone: Literal["residual", "dcgan"] = option("residual", "network architecture")
    loss: Literal["hinge", "non-saturating", "wasserstein"] = option("hinge", "loss of D and G")
    penalty: float = option(10.0, "λ, the weight of the gradient penalty of the Wasserstein loss", min=0.0)
    d_batch_norm: bool = option(True, "batch norm in D, of a DCGAN")
    weight_norm: bool = option(False, "weight norm in D in place of spectral norm")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backbone == "dcgan" and self.class_conditional and self.num_classes:
            raise GanlibError("DCGAN's networks take no class; add --no-class-conditional or leave --backbone out.")
        if self.loss != "non-saturating" and min(self.label_smoothing) < 1:
            name = "hinge" if self.loss == "hinge" else "critic"
            raise GanlibError(f"A {name} has no target to smooth; add --loss non-saturating or drop label_smoothing.")
        if self.loss == "wasserstein" and self.backbone == "dcgan" and self.d_batch_norm:
            raise GanlibError("The gradient penalty is of each image alone; add --no-d-batch-norm.")

    @property
    def d_wrap(self) -> Wrap:
        return weight_norm if self.weight_norm else self.wrap

    @classmethod
    def tiny(cls) -> SAGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, attention=(8,), z_dim=8, g_width=8, d_width=8)


class AttentiveNetwork(nn.Module):
    """Residual blocks with attention behind those that end in one of some resolutions."""

    def add_attention(self, c: AttentiveConfig, channels: Callable[[int], int], wrap: Wrap) -> None:
        """``channels``: of the maps of a resolution. The first layer has the name that recipes of one layer know."""
        self.attention_names = {size: f"attention_{size}" if i else "attention" for i, size in enumerate(c.attention)}
        for size, name in self.attention_names.items():
            self.add_module(name, c.attention_layer(channels(size), size, wrap))

    def attend(self, h: Tensor) -> Tensor:
        name = self.attention_names.get(h.shape[2])
        return h if name is None else getattr(self, name)(h)


class Generator(AttentiveNetwork):
    def __init__(self, c: SAGANConfig) -> None:
        super().__init__()
        ups = c.image_size.bit_length() - 3
        chs = [c.g_width] * ups + [max(c.g_width // 2, 1)]  # half the width at the highest resolution
        self.linear = c.wrap(nn.Linear(c.z_dim, 16 * chs[0]))
        norm = partial(ConditionalBatchNorm2d, num_classes=c.label_width)
        self.blocks = nn.ModuleList(UpBlock(chs[i], chs[i + 1], norm, c.wrap) for i in range(ups))
        self.add_attention(c, lambda size: chs[size.bit_length() - 3], c.wrap)
        self.norm = nn.BatchNorm2d(chs[-1])
        self.to_image = c.wrap(nn.Conv2d(chs[-1], c.channels, 3, padding=1))

    def forward(self, z: Tensor, y: Tensor | None) -> Tensor:
        """(N, z_dim), (N, label_width) weights or None -> (N, C, H, W) in [-1, 1]."""
        h = self.linear(z).unflatten(1, (-1, 4, 4)).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            h = self.attend(block(h, y))
        return self.to_image(relu_(self.norm(h))).tanh().float()


class Discriminator(AttentiveNetwork):
    """D(x, y) = v·φ(x) + e(y)·φ(x), with attention within φ."""

    def __init__(self, c: AttentiveConfig, join: JoinStatistics | None = None) -> None:
        super().__init__()
        w = c.d_width
        downs = c.image_size.bit_length() - 4  # to 8 x 8, where two more blocks keep the size
        self.blocks = nn.ModuleList(
            [
                DownBlock(c.channels, w, c.d_wrap, down=True, first=True),
                *(DownBlock(w, w, c.d_wrap, down=i < downs - 1) for i in range(downs + 1)),
            ]
        )
        self.add_attention(c, lambda size: w, c.d_wrap)
        self.join = join or JoinStatistics()
        self.linear = c.d_wrap(nn.Linear(w + self.join.extra, 1))
        if c.label_width:
            self.embed = c.d_wrap(nn.Linear(c.label_width, w, bias=False))

    def features_and_logits(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W), (N, label_width) weights or None -> features (N, d_width) and logits (N,)."""
        h = x
        for block in self.blocks:
            before, h = h.shape[2], block(h)
            if before > h.shape[2]:
                h = self.attend(h)
        features = relu(h).sum(dim=(2, 3))
        out = self.linear(self.join(features)).squeeze(1)
        if y is not None:
            out = out + (self.embed(y) * features).sum(1)
        return features, out.float()

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, C, H, W), (N, label_width) weights or None -> (N,) logits."""
        return self.features_and_logits(x, y)[1]


def insert_attention(
    layers: list[nn.Module], c: AttentiveConfig, wrap: Wrap, sizes: dict[int, int], channels: list[int]
) -> list[nn.Module]:
    """DCGAN's layers, wrapped, with attention after some rectifiers: ``sizes`` by their number, ``channels`` of all."""
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            wrap(layer)
    result: list[nn.Module] = []
    numbers = count()
    for layer in layers:
        result.append(layer)
        if isinstance(layer, (nn.ReLU, nn.LeakyReLU)) and (number := next(numbers)) in sizes:
            result.append(c.attention_layer(channels[number], sizes[number], wrap))
    return result


class DCGANGenerator(nn.Module):
    def __init__(self, c: SAGANConfig) -> None:
        super().__init__()
        sizes = NetworkConfig(c.image_size, c.channels, z_dim=c.z_dim, width=c.g_width)
        layers = upsampling(sizes, c.z_dim)
        nn.Sequential(*layers).apply(dcgan_init)
        attended = {size.bit_length() - 3: size for size in c.attention}  # rectifiers follow the maps of 4, 8, 16, …
        self.net = nn.Sequential(*insert_attention(layers, c, c.wrap, attended, widths(sizes)[::-1]), nn.Tanh())

    def forward(self, z: Tensor, y: None) -> Tensor:
        """(N, z_dim) -> (N, C, H, W) in [-1, 1]."""
        return self.net(z[:, :, None, None]).float()


class DCGANDiscriminator(nn.Module):
    def __init__(self, c: SAGANConfig, join: JoinStatistics) -> None:
        super().__init__()
        sizes = NetworkConfig(c.image_size, c.channels, z_dim=c.z_dim, width=c.d_width)
        norm = nn.BatchNorm2d if c.d_batch_norm else nn.Identity
        layers = [*downsampling(sizes, c.channels, norm), nn.Conv2d(widths(sizes)[-1] + join.extra, 1, 4)]
        nn.Sequential(*layers).apply(dcgan_init)
        attended = {(c.image_size // size).bit_length() - 2: size for size in c.attention}
        self.net = nn.Sequential(*insert_attention(layers, c, c.d_wrap, attended, widths(sizes)))
        self.join = join

    def features_and_logits(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> features (N, C', 4, 4) and logits (N,)."""
        features = self.net[:-1](x)
        return features, self.net[-1](self.join(features)).flatten().float()

    def forward(self, x: Tensor, y: None) -> Tensor:
        """(N, C, H, W) -> (N,) logits."""
        return self.features_and_logits(x, y)[1]


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
        c, dcgan = config, config.backbone == "dcgan"
        features = 16 * widths(NetworkConfig(c.image_size, width=c.d_width))[-1] if dcgan else c.d_width
        join = JoinStatistics(batch_statistics(c, features))
        self.G = DCGANGenerator(c) if dcgan else Generator(c)
        self.D = DCGANDiscriminator(c, join) if dcgan else Discriminator(c, join)
        if c.virtual_batch_norm:
            normalize_virtually(self.G, c.virtual_batch_norm, partial(reference_latents, self))
        self.loss_kind = f"{c.loss} + feature matching" if c.feature_matching else c.loss

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        betas = (c.beta1, c.beta2)
        return {"D": adam(self.D, c, c.lr_d, betas, c.d_weight_decay), "G": adam(self.G, c, c.lr_g, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g, every=self.config.d_steps)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        c, labels = self.config, self.labels_if_conditional(batch.labels)
        reals = self.augment(batch.images)
        fakes = self.augment(self.generate(self.random_latents(len(batch.images)), labels))
        # In separate passes, so that DCGAN's batch norm does not mix them.
        real, fake = self.score(reals, labels), self.score(fakes, labels)
        logs = {"D/real": real.mean(), "D/fake": fake.mean(), **log_gammas("D", self.D)}
        if c.loss == "hinge":
            return hinge_d(real, fake), logs
        if c.loss == "non-saturating":
            return nonsaturating_d(real, fake, real_targets(c, real)), logs
        with sdpa_kernel(SDPBackend.MATH):  # the others have no second derivative
            penalty = gradient_penalty(lambda images: self.score(images, labels), reals, fakes)
        return wasserstein_d(real, fake) + c.penalty * penalty, logs | {"D/penalty": penalty}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        fakes = self.augment(self.generate(self.random_latents(len(batch.images)), labels))
        features, logits = self.features_and_logits(fakes, labels)
        loss, logs = add_feature_matching(
            self.config,
            nonsaturating_g(logits) if self.config.loss == "non-saturating" else hinge_g(logits),  # the critic's, too
            features,
            lambda: self.features_and_logits(self.augment(batch.images), labels)[0],
        )
        return loss, logs | log_gammas("G", self.G)

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
        """(N, C, H, W), labels -> D's features (N, …) and logits (N,)."""
        return self.D.features_and_logits(images, self.embedding_weights(labels))

    def attention_maps(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> dict[int, Tensor]:
        return attention_maps(self.G, lambda: self.generate(latents, labels, **options))
