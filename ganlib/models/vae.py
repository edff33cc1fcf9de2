"""VAE, with three kinds of networks: fully connected, convolutional, residual.

Kingma, Welling, "Auto-Encoding Variational Bayes", ICLR 2014, arXiv:1312.6114. The residual networks follow UNIT (Liu,
Breuel, Kautz, arXiv:1703.00848), which also has N(μ, I); their code is a map with a place for each 8 x 8 pixels. Class
conditions (Sohn, Lee, Yan, NeurIPS 2015) enter the decoder alone, so that an image can be encoded without its class.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim import Adam, Optimizer

from ganlib.augment import color
from ganlib.config import option
from ganlib.models.contract import MODELS, MOST_IMAGES, MOST_LAYERS, Batch, GenerativeModel, Latents, ModelConfig, Phase
from ganlib.models.dcgan import NetworkConfig, dcgan_init, downsampling, upsampling, widths
from ganlib.models.optimizers import CyclicRate, cycle_rate
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.nn.gaussian import kl_to_standard_normal, reparameterise
from ganlib.nn.resample import Upsample


@dataclass(frozen=True)
class VAEConfig(CyclicRate, ModelConfig):
    """Config shared by all variational autoencoders."""

    class_conditional: bool = option(False, "condition the decoder on the class, where the data set has classes")
    posterior: Literal["N(μ,σ)", "N(μ,I)"] = option(
        "N(μ,σ)", "approximate posterior: with learned deviations, or with 1"
    )
    kl_weight: float = option(0.1, "weight of the KL; 1 belongs to a decoder of variance 1/2", min=0.0)
    kl_warmup: int = option(0, "images in which that weight rises from 0", min=0, max=MOST_IMAGES)
    lr: float = option(1e-3, "Adam's learning rate", min=0.0)
    beta1: float = option(0.9, "Adam's β1", min=0.0, max=0.999)
    beta2: float = option(0.999, "Adam's β2", min=0.0, max=0.99999)
    eps: float = option(1e-8, "Adam's ε", min=0.0, max=1.0)
    colour_augmentation: float = option(
        0.0, "strength of random brightness, saturation and contrast of the training images, 0 = off", min=0.0, max=1.0
    )

    @property
    def label_width(self) -> int:
        return self.num_classes if self.class_conditional else 0

    def encoded(self, width: int) -> int:
        """Outputs of the encoder for codes of this width: means, and log variances where they are learned."""
        return width if self.posterior == "N(μ,I)" else 2 * width


class VAE(GenerativeModel):
    """``encoder()`` gives means of codes, and log variances beside them; ``decoder()`` takes code and class."""

    family = "VAE"
    config: VAEConfig
    ema_modules = ("G", "E")
    options = (TEMPERATURE,)
    loss_kind = "squared error + KL"
    training_defaults = {"batch_size": 128}
    kl_share: Tensor

    def __init__(self, config: VAEConfig) -> None:
        super().__init__(config)
        self.E, self.G = self.encoder(), self.decoder()
        self.register_buffer("kl_share", torch.tensor(0.0 if config.kl_warmup else 1.0))

    def encoder(self) -> nn.Module:
        """(N, C, H, W) -> (N, config.encoded(latent_shape[0]), …)."""
        raise NotImplementedError

    def decoder(self) -> nn.Module:
        """(N, latent_shape[0] + label_width, …) -> (N, C, H, W) in [-1, 1]."""
        raise NotImplementedError

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        optimizer = Adam(self.parameters(), c.lr, (c.beta1, c.beta2), c.eps)
        if c.cycle_steps:
            cycle_rate(optimizer, c.cycle_peak, c.cycle_steps)
        return {"VAE": optimizer}

    def phases(self) -> list[Phase]:
        return [Phase("total", "VAE", self.loss)]

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        warmup = self.config.kl_warmup  # without one it is 1, whatever share a start brings along from its source
        self.kl_share.fill_(min(images_seen / warmup, 1.0) if warmup else 1.0)
        return ()

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The negative ELBO for each pixel value, but for a constant, where the KL's weight is 1."""
        images = self.augmented(batch.images)
        mean, log_variance = self.posterior(images)
        reconstructions = self.decode(reparameterise(mean, log_variance), self.labels_if_conditional(batch.labels))
        squared_error, kl = mse_loss(reconstructions, images), kl_to_standard_normal(mean, log_variance).mean()
        weight = self.config.kl_weight * self.kl_share / images[0].numel()
        return squared_error + weight * kl, {"loss/kl": kl, "loss/mse": squared_error}

    def augmented(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1] -> the same with other colours, where the config says so."""
        strength = self.config.colour_augmentation
        return color(images, strength).clamp(-1, 1) if strength else images

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> mean and log variance of their codes, (N, *latent_shape) each."""
        encoded = self.E(images).float()
        if self.config.posterior == "N(μ,I)":
            return encoded, torch.zeros_like(encoded)
        mean, log_variance = encoded.chunk(2, dim=1)
        return mean, log_variance

    def decode(self, z: Tensor, labels: Tensor | None) -> Tensor:
        if not self.conditional:
            self.refuse_labels(labels)
            return self.G(z).float()
        y = self.class_weights(labels)
        label_maps = y.reshape(*y.shape, *[1] * (z.ndim - 2)).expand(-1, -1, *z.shape[2:])
        return self.G(torch.cat([z, label_maps], dim=1)).float()

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        return self.decode(latents.z * per_image(temperature, latents.z), labels)

    def encode(self, images: Tensor) -> Latents:
        """(N, C, H, W) in [-1, 1] -> the means of their codes."""
        mean, _ = self.posterior(images)
        return Latents(mean, torch.zeros(len(images), dtype=torch.int64))


@dataclass(frozen=True)
class MLPConfig(VAEConfig):
    z_dim: int = option(64, "latent dimension", min=1)
    hidden: int = option(512, "units of the two hidden layers", min=1)

    @classmethod
    def tiny(cls) -> MLPConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, hidden=16)


@MODELS.register("vae_mlp")
class MLPVAE(VAE):
    """VAE: fully connected encoder and decoder."""

    display_name = "VAE (MLP)"
    colour = 0
    Config = MLPConfig
    config: MLPConfig

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def encoder(self) -> nn.Module:
        c = self.config
        pixels = c.channels * c.image_size**2
        return nn.Sequential(nn.Flatten(), *self.hidden(pixels), nn.Linear(c.hidden, c.encoded(c.z_dim)))

    def decoder(self) -> nn.Module:
        c = self.config
        shape = (c.channels, c.image_size, c.image_size)
        layers = [*self.hidden(c.z_dim + c.label_width), nn.Linear(c.hidden, prod(shape))]
        return nn.Sequential(*layers, nn.Unflatten(1, shape), nn.Tanh())

    def hidden(self, width: int) -> list[nn.Module]:
        h = self.config.hidden
        return [nn.Linear(width, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU()]


@dataclass(frozen=True)
class ConvolutionalConfig(VAEConfig):
    z_dim: int = option(64, "latent dimension", min=1)
    width: int = option(32, "channels at the highest resolution, doubled at each lower one", min=1)

    @classmethod
    def tiny(cls) -> ConvolutionalConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4)

    @property
    def sizes(self) -> NetworkConfig:
        return NetworkConfig(self.image_size, self.channels, width=self.width)


@MODELS.register("vae_conv")
class ConvolutionalVAE(VAE):
    """VAE: DCGAN's convolutions as encoder and decoder."""

    display_name = "VAE (convolutional)"
    colour = 1
    Config = ConvolutionalConfig
    config: ConvolutionalConfig

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def encoder(self) -> nn.Module:
        c = self.config
        last = nn.Conv2d(widths(c.sizes)[-1], c.encoded(c.z_dim), 4)
        return nn.Sequential(*downsampling(c.sizes, c.channels), last, nn.Flatten()).apply(dcgan_init)

    def decoder(self) -> nn.Module:
        c = self.config
        width = c.z_dim + c.label_width
        return nn.Sequential(nn.Unflatten(1, (width, 1, 1)), *upsampling(c.sizes, width), nn.Tanh()).apply(dcgan_init)


@dataclass(frozen=True)
class ResidualConfig(VAEConfig):
    width: int = option(32, "channels of the first layer, doubled by each of the next two", min=1)
    code_width: int = option(16, "channels of the residual blocks and of the code", min=1)
    blocks: int = option(4, "residual blocks in encoder and decoder", min=0, max=MOST_LAYERS)

    @classmethod
    def tiny(cls) -> ResidualConfig:
        return cls(image_size=16, channels=1, num_classes=3, width=4, code_width=4, blocks=1)


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        convs = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        self.net = nn.Sequential(*conv_norm_relu(next(convs), channels), next(convs), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


def conv_norm_relu(conv: nn.Module, channels: int) -> list[nn.Module]:
    return [conv, nn.BatchNorm2d(channels), nn.ReLU()]


@MODELS.register("vae_residual")
class ResidualVAE(VAE):
    """VAE: residual blocks, and a code that is a small feature map."""

    display_name = "VAE (residual)"
    colour = 9
    Config = ResidualConfig
    config: ResidualConfig

    @property
    def latent_shape(self) -> tuple[int, ...]:
        side = self.config.image_size // 8
        return (self.config.code_width, side, side)

    def encoder(self) -> nn.Module:
        c = self.config
        w, r = c.width, c.code_width
        return nn.Sequential(
            *conv_norm_relu(nn.Conv2d(c.channels, w, 7, 2, 3, bias=False), w),
            *conv_norm_relu(nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False), 2 * w),
            *conv_norm_relu(nn.Conv2d(2 * w, 4 * w, 4, 2, 1, bias=False), 4 * w),
            *conv_norm_relu(nn.Conv2d(4 * w, r, 1, bias=False), r),
            *(Residual(r) for _ in range(c.blocks)),
            nn.Conv2d(r, c.encoded(r), 1),
        )

    def decoder(self) -> nn.Module:
        c = self.config
        w, r = c.width, c.code_width
        return nn.Sequential(
            *conv_norm_relu(nn.Conv2d(r + c.label_width, r, 1, bias=False), r),
            *(Residual(r) for _ in range(c.blocks)),
            Upsample(),
            *conv_norm_relu(nn.Conv2d(r, 4 * w, 5, padding=2, bias=False), 4 * w),
            Upsample(),
            *conv_norm_relu(nn.Conv2d(4 * w, 2 * w, 5, padding=2, bias=False), 2 * w),
            Upsample(),
            nn.Conv2d(2 * w, c.channels, 7, padding=3),
            nn.Tanh(),
        )
