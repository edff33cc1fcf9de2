"""LAPGAN: a cascade of conditional GANs over a Laplacian pyramid.

Denton, Chintala, Szlam, Fergus, "Deep Generative Image Models using a Laplacian Pyramid of Adversarial
Networks", NeurIPS 2015, arXiv:1506.05751. The coarsest image is made from noise; each finer level adds a
difference image made from noise and the upsampled coarser image. All levels train on real pyramids,
independently of each other: ``--phases "*/16"`` trains the one at 16 pixels alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, ModelConfig, Phase
from ganlib.models.options import TEMPERATURE, per_image


@dataclass(frozen=True)
class LAPGANConfig(ModelConfig):
    coarsest: int = option(8, "size of the coarsest image, a power of two", min=4)
    class_conditional: bool = option(True, "every level sees the class, where the data set has classes")
    z_dim: int = option(100, "latent dimension of the coarsest level; finer ones have a plane of noise", min=1)
    hidden: int = option(512, "units of the coarsest level's two hidden layers", min=1)
    g_width: int = option(32, "channels of the finer levels' G", min=1)
    d_width: int = option(48, "channels of the finer levels' D, doubled in its second layer", min=1)
    dropout: float = option(0.3, "fraction of D's units dropped in training", min=0.0, max=0.9)
    finer_every: int = option(1, "the coarsest level, cheap and hard, takes so many steps to one of the others", min=1)
    lr: float = option(2e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.5, "Adam's β1", min=0.0, max=0.999)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.coarsest & (self.coarsest - 1) or self.coarsest > self.image_size:
            raise GanlibError(
                f"coarsest must be a power of two up to image_size ({self.image_size}), not {self.coarsest}."
            )

    @classmethod
    def tiny(cls) -> LAPGANConfig:
        return cls(
            image_size=16, channels=1, num_classes=3, coarsest=4, z_dim=8, hidden=16, g_width=8, d_width=8, dropout=0.0
        )

    @property
    def sizes(self) -> list[int]:
        """Of the pyramid's images, from the coarsest up."""
        levels = self.image_size.bit_length() - self.coarsest.bit_length()
        return [self.coarsest * 2**i for i in range(levels + 1)]

    @property
    def label_width(self) -> int:
        return self.num_classes if self.class_conditional else 0


def downsample(image: Tensor) -> Tensor:
    """Blurs and decimates: (N, C, 2s, 2s) -> (N, C, s, s)."""
    return avg_pool2d(image, 2)


def upsample(image: Tensor) -> Tensor:
    """Expands smoothly: (N, C, s, s) -> (N, C, 2s, 2s)."""
    return interpolate(image, scale_factor=2, mode="bilinear")


def laplacian_pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """The coarsest image, then the difference images from coarse to fine."""
    differences: list[Tensor] = []
    for _ in range(levels):
        coarser = downsample(image)
        differences.append(image - upsample(coarser))
        image = coarser
    return [image, *differences[::-1]]


def reconstruct_pyramid(pyramid: list[Tensor]) -> Tensor:
    """The image of a Laplacian pyramid."""
    image, *differences = pyramid
    for difference in differences:
        image = upsample(image) + difference
    return image


class CoarsestGenerator(nn.Module):
    """Two rectifier layers on noise and class."""

    def __init__(self, c: LAPGANConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a in (c.z_dim + c.label_width, c.hidden):
            layers += [nn.Linear(a, c.hidden, bias=False), nn.BatchNorm1d(c.hidden), nn.ReLU()]
        shape = (c.channels, c.coarsest, c.coarsest)
        self.net = nn.Sequential(
            *layers, nn.Linear(c.hidden, c.channels * c.coarsest**2), nn.Unflatten(1, shape), nn.Tanh()
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """(N, z_dim), (N, K) class weights -> (N, C, s, s) in [-1, 1]."""
        return self.net(torch.cat([z, y], dim=1)).float()


class CoarsestDiscriminator(nn.Module):
    def __init__(self, c: LAPGANConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a in (c.channels * c.coarsest**2 + c.label_width, c.hidden):
            layers += [nn.Linear(a, c.hidden), nn.LeakyReLU(0.2), nn.Dropout(c.dropout)]
        self.net = nn.Sequential(*layers, nn.Linear(c.hidden, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(N, C, s, s), (N, K) class weights -> (N,) logits."""
        return self.net(torch.cat([x.flatten(1), y], dim=1)).squeeze(1).float()


class DifferenceGenerator(nn.Module):
    """Three convolutions on the upsampled coarser image, a plane of noise and a plane made from the class."""

    def __init__(self, c: LAPGANConfig, size: int) -> None:
        super().__init__()
        w = c.g_width
        last = nn.Conv2d(w, c.channels, 5, padding=2)
        nn.init.normal_(last.weight, std=0.002)  # initial difference images are close to 0
        if c.label_width:
            self.plane = nn.Sequential(nn.Linear(c.label_width, size**2), nn.Unflatten(1, (1, size, size)))
        self.net = nn.Sequential(
            nn.Conv2d(c.channels + 1 + bool(c.label_width), w, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(w, w, 5, padding=2, bias=False),
            nn.BatchNorm2d(w),
            nn.ReLU(),
            last,
        )

    def forward(self, blurred: Tensor, noise: Tensor, y: Tensor) -> Tensor:
        """(N, C, s, s), (N, 1, s, s), (N, K) class weights -> (N, C, s, s) difference image."""
        planes = [blurred, noise] + ([self.plane(y)] if y.shape[1] else [])
        return self.net(torch.cat(planes, dim=1)).float()


class DifferenceDiscriminator(nn.Module):
    """Sees the difference added to the upsampled coarser image, and the class's plane."""

    def __init__(self, c: LAPGANConfig, size: int) -> None:
        super().__init__()
        w = c.d_width
        if c.label_width:
            self.plane = nn.Sequential(nn.Linear(c.label_width, size**2), nn.Unflatten(1, (1, size, size)))
        self.net = nn.Sequential(
            nn.Conv2d(c.channels + bool(c.label_width), w, 5, 2, 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(w, 2 * w, 5, 2, 2, bias=False),
            nn.BatchNorm2d(2 * w),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Dropout(c.dropout),
            nn.Linear(2 * w * (size // 4) ** 2, 1),
        )

    def forward(self, difference: Tensor, blurred: Tensor, y: Tensor) -> Tensor:
        """(N, C, s, s), (N, C, s, s), (N, K) class weights -> (N,) logits."""
        planes = [blurred + difference] + ([self.plane(y)] if y.shape[1] else [])
        return self.net(torch.cat(planes, dim=1)).squeeze(1).float()


@MODELS.register("lapgan")
class LAPGAN(GenerativeModel):
    family = "GAN"
    display_name = "LAPGAN"
    colour = 6
    Config = LAPGANConfig
    config: LAPGANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "non-saturating"

    def __init__(self, config: LAPGANConfig) -> None:
        super().__init__(config)
        finer = config.sizes[1:]
        self.G = nn.ModuleList([CoarsestGenerator(config), *(DifferenceGenerator(config, s) for s in finer)])
        self.D = nn.ModuleList([CoarsestDiscriminator(config), *(DifferenceDiscriminator(config, s) for s in finer)])

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            f"{name}/{size}": Adam(nets[level].parameters(), c.lr, (c.beta1, 0.999))
            for level, size in enumerate(c.sizes)
            for name, nets in [("D", self.D), ("G", self.G)]
        }

    def phases(self) -> list[Phase]:
        return [
            Phase(
                f"{name}/{size}", f"{name}/{size}", partial(loss, level), every=self.config.finer_every if level else 1
            )
            for level, size in enumerate(self.config.sizes)
            for name, loss in [("D", self.loss_d), ("G", self.loss_g)]
        ]

    def loss_d(self, level: int, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        y = self.batch_weights(batch)
        target, blurred = self.real_level(level, batch.images)
        real = self.discriminate(level, target, blurred, y)
        fake = self.discriminate(level, self.sample_level(level, blurred, y), blurred, y)
        size = self.config.sizes[level]
        return nonsaturating_d(real, fake), {f"D/real/{size}": real.mean(), f"D/fake/{size}": fake.mean()}

    def loss_g(self, level: int, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        y = self.batch_weights(batch)
        _, blurred = self.real_level(level, batch.images)
        return nonsaturating_g(self.discriminate(level, self.sample_level(level, blurred, y), blurred, y)), {}

    def real_level(self, level: int, images: Tensor) -> tuple[Tensor, Tensor]:
        """This level's target for real images, and its input, the upsampled coarser image."""
        for _ in self.config.sizes[level + 1 :]:
            images = downsample(images)
        if level == 0:
            return images, images.new_zeros(len(images), 0)
        blurred = upsample(downsample(images))
        return images - blurred, blurred

    def sample_level(self, level: int, blurred: Tensor, y: Tensor) -> Tensor:
        """This level's output for random noise; for training only."""
        shape = (self.config.z_dim,) if level == 0 else (1, *blurred.shape[2:])
        noise = torch.randn(len(y), *shape, device=y.device)
        return self.G[0](noise, y) if level == 0 else self.G[level](blurred, noise, y)

    def discriminate(self, level: int, x: Tensor, blurred: Tensor, y: Tensor) -> Tensor:
        return self.D[0](x, y) if level == 0 else self.D[level](x, blurred, y)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim + sum(size**2 for size in self.config.sizes[1:]),)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        *_, image = self.trace(latents, labels, temperature=temperature)
        return image

    def trace(
        self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0
    ) -> Iterator[Tensor]:
        """The image after each level, from the coarsest to the full size."""
        z0 = (latents.z * per_image(temperature, latents.z))[:, : self.config.z_dim]
        image = self.G[0](z0, self.label_weights(labels, len(latents)))
        yield image
        yield from self.refine(image, latents, labels, temperature=temperature)

    def refine(
        self, image: Tensor, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0
    ) -> Iterator[Tensor]:
        """(N, C, s, s) of one of the pyramid's sizes -> the image after each finer level, with the latents' noise."""
        y = self.label_weights(labels, len(latents))
        sizes = self.config.sizes[1:]
        z = (latents.z * per_image(temperature, latents.z))[:, self.config.z_dim :]
        planes = z.split([size**2 for size in sizes], dim=1)
        for level, (size, plane) in enumerate(zip(sizes, planes, strict=True), start=1):
            if size <= image.shape[2]:
                continue
            blurred = upsample(image)
            image = (blurred + self.G[level](blurred, plane.unflatten(1, (1, size, size)), y)).clamp(-1, 1)
            yield image

    def stages(self, **options: float | Tensor) -> int:
        return len(self.config.sizes)

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logits of the finest level, high for real images of that class."""
        y = self.label_weights(labels, len(images))
        finest = len(self.config.sizes) - 1
        return self.discriminate(finest, *self.real_level(finest, images), y)

    def batch_weights(self, batch: Batch) -> Tensor:
        return self.label_weights(self.labels_if_conditional(batch.labels), len(batch.images))

    def label_weights(self, labels: Tensor | None, n: int) -> Tensor:
        """(N, K) class weights, K = 0 where the model is unconditional."""
        if self.conditional:
            return self.class_weights(labels)
        self.refuse_labels(labels)
        return torch.zeros(n, 0, device=self.device)
