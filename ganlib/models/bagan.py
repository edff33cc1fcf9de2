"""BAGAN: a GAN for imbalanced data, begun as an autoencoder of all classes, from which rare ones profit.

Mariani, Scheidegger, Istrate, Bekas, Malossi, "BAGAN: Data Augmentation with Balancing GAN", 2018, arXiv:1803.09655.
D's trunk and G first learn to encode and to decode; codes of each class give its distribution of latents N(μ, Σ). Then
D tells K classes and "generated" apart, of which generated images are one part in K + 1, and G is asked for every
class alike. DCGAN's networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.contract import MODELS, MOST_IMAGES, Batch, GenerativeModel, Latents, Phase, Trainable
from ganlib.models.dcgan import Generator, NetworkConfig, dcgan_init, downsampling, widths
from ganlib.models.options import TEMPERATURE, per_image

RIDGE = 1e-3  # of a class's mean variance, added to its covariance: fewer codes than dimensions have no factor
WINDOWS = 4  # after each of so many parts of the autoencoder's training codes of before count 1/e: its encoder changed


@dataclass(frozen=True)
class BAGANConfig(NetworkConfig):
    autoencoder_images: int = option(100_000, "images of the training as an autoencoder", min=1, max=MOST_IMAGES)

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4, autoencoder_images=8)


class Discriminator(nn.Module):
    """One trunk that first encodes and then tells classes apart."""

    def __init__(self, c: BAGANConfig) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*downsampling(c, c.channels))
        self.code = nn.Conv2d(widths(c)[-1], c.z_dim, 4)
        self.classes = nn.Conv2d(widths(c)[-1], c.num_classes + 1, 4)
        self.apply(dcgan_init)

    def encode(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, z_dim)."""
        return self.code(self.trunk(x)).flatten(1).float()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, K + 1) logits; the last is of generated images."""
        return self.classes(self.trunk(x)).flatten(1).float()


class ClassMoments(nn.Module):
    """First and second moments of weighted codes by class: sums, so that a batch's are those of its shares together."""

    n: Tensor
    total: Tensor
    products: Tensor

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("n", torch.zeros(classes))
        self.register_buffer("total", torch.zeros(classes, width))
        self.register_buffer("products", torch.zeros(classes, width, width))

    @torch.no_grad()
    def add(self, codes: Tensor, labels: Tensor, weight: float = 1.0) -> None:
        """(N, width), (N,); those of no class are left out."""
        codes, labels = codes.float()[labels >= 0], labels[labels >= 0]
        self.n.index_add_(0, labels, torch.ones_like(codes[:, 0]), alpha=weight)
        self.total.index_add_(0, labels, codes, alpha=weight)
        self.products.index_add_(0, labels, codes[:, :, None] * codes[:, None, :], alpha=weight)

    def gaussians(self, unseen: Tensor) -> tuple[Tensor, Tensor]:
        """(K, width) means and (K, width, width) lower factors L of covariances L Lᵀ.

        A class that never occurred gets its mean of ``unseen``, (K, width), and I.
        """
        # On the CPU: not every GPU has float64.
        n, total, products = (t.cpu().double() for t in (self.n, self.total, self.products))
        seen, n = (n > 0)[:, None], n.clamp_min(1e-12)
        mean = total / n[:, None]
        covariance = products / n[:, None, None] - mean[:, :, None] * mean[:, None, :]
        variance = covariance.diagonal(dim1=1, dim2=2).mean(1).clamp_min(1e-6)
        # Where codes lie close together or are few, float32's rounding of the moments leaves eigenvalues below 0.
        values, vectors = torch.linalg.eigh(covariance)
        values = values.clamp_min(0) + RIDGE * variance[:, None]
        eye = torch.eye(mean.shape[1], dtype=torch.float64)
        factor = torch.linalg.cholesky((vectors * values[:, None, :]) @ vectors.mT)
        factor = torch.where(seen[:, :, None], factor, eye).to(unseen)
        return torch.where(seen.to(unseen.device), mean.to(unseen), unseen), factor


class BalancedGenerator(nn.Module):
    """DCGAN's generator, and the Gaussian of each class's latents."""

    mean: Tensor
    factor: Tensor

    def __init__(self, c: BAGANConfig) -> None:
        super().__init__()
        self.decode = Generator(c, c.z_dim)
        self.register_buffer("mean", torch.randn(c.num_classes, c.z_dim))  # apart until codes are known
        self.register_buffer("factor", torch.zeros(c.num_classes, c.z_dim, c.z_dim))
        self.factor.diagonal(dim1=1, dim2=2).fill_(1.0)

    def forward(self, z: Tensor, weights: Tensor) -> Tensor:
        """(N, z_dim) of N(0, I), (N, K) -> (N, C, H, W); of mixed classes mean and factor are mixed."""
        return self.decode(weights @ self.mean + torch.einsum("nk,kij,nj->ni", weights, self.factor, z))


@MODELS.register("bagan")
class BAGAN(GenerativeModel):
    family = "GAN"
    display_name = "BAGAN"
    colour = 11
    Config = BAGANConfig
    config: BAGANConfig
    ema_modules = ("G",)
    summed_buffers = ("moments.n", "moments.total", "moments.products")
    options = (TEMPERATURE,)
    loss_kind = "squared error, then class or generated"
    training_defaults = {"batch_size": 128}
    adversarial: Tensor
    code_weight = 1.0  # in the moments, of the codes of the present step

    def __init__(self, config: BAGANConfig) -> None:
        if config.num_classes < 2:
            raise GanlibError("bagan balances classes and needs a data set with two or more; dcgan does without.")
        super().__init__(config)
        k, d = config.num_classes, config.z_dim
        self.G = BalancedGenerator(config)
        self.D = Discriminator(config)
        self.moments = ClassMoments(k, d)
        self.register_buffer("adversarial", torch.tensor(0.0))  # 1 once the autoencoder has ended

    def optimizers(self) -> dict[str, Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {name: Adam(net.parameters(), self.config.lr, betas) for name, net in [("D", self.D), ("G", self.G)]}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def check_budget(self, images: int) -> None:
        first = self.config.autoencoder_images
        if not self.adversarial and 0 < images <= first:
            raise GanlibError(
                f"bagan's first {first:,} images only train an autoencoder, and with {images:,} its GAN would never "
                "begin; choose more --images or fewer --autoencoder-images."
            )

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        if self.adversarial:
            return ()
        progress = images_seen / self.config.autoencoder_images
        if progress >= 1:
            self.take_gaussians(self)
            self.adversarial.fill_(1.0)
            return ("D", "G")
        if images_seen == 0:  # a start from an autoencoder brings moments along, weighted by that run's images
            for moment in self.moments.buffers():
                moment.zero_()
        self.code_weight = exp(WINDOWS * (progress - 1))
        return ()

    def before_saving(self, trained: Trainable) -> None:
        """Of an autoencoder the Gaussians of the codes so far, so that it can be sampled from."""
        if isinstance(trained, BAGAN) and not trained.adversarial:
            self.take_gaussians(trained)

    def take_gaussians(self, trained: BAGAN) -> None:
        mean, factor = trained.moments.gaussians(self.G.mean)
        self.G.mean.copy_(mean)
        self.G.factor.copy_(factor)

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        if not self.adversarial:
            codes = self.D.encode(batch.images)
            self.moments.add(codes.detach(), batch.labels, self.code_weight)
            return mse_loss(self.G.decode(codes), batch.images), {}
        k = self.config.num_classes
        fakes = self.generate_any(max(len(batch.images) // k, 1))[0]
        real, fake = self.D(batch.images), self.D(fakes)
        loss_real = cross_entropy(real, batch.labels, reduction="sum")
        loss_fake = cross_entropy(fake, torch.full_like(batch.labels[: len(fake)], k), reduction="sum")
        logs = {
            "D/accuracy": (real.argmax(1) == batch.labels).float().mean(),
            "D/fake": fake.softmax(1)[:, k].mean(),
        }
        return (loss_real + loss_fake) / (len(real) + len(fake)), logs

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        if not self.adversarial:
            error = mse_loss(self.G.decode(self.D.encode(batch.images)), batch.images)
            return error, {"loss/mse": error}
        fakes, labels = self.generate_any(len(batch.images))
        return cross_entropy(self.D(fakes), labels), {}

    def generate_any(self, n: int) -> tuple[Tensor, Tensor]:
        """n images of classes drawn alike, and these."""
        labels = torch.randint(self.config.num_classes, (n,), device=self.device)
        return self.generate(self.random_latents(n), labels), labels

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        return self.G(latents.z * per_image(temperature, latents.z), self.class_weights(labels))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logit of the class against being generated."""
        log_p = self.D(images).log_softmax(1)
        return (self.class_weights(labels) * log_p[:, :-1]).sum(1) - log_p[:, -1]

    def classify(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, K) logits of the classes."""
        return self.D(images)[:, :-1]
