"""InfoGAN: latent codes that Q must recover from G's images.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel, "InfoGAN: Interpretable Representation Learning by
Information Maximizing Generative Adversarial Nets", NeurIPS 2016, arXiv:1606.03657. Networks and rates as in
its appendix C: DCGAN's, with Q on D's trunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, sqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot
from torch.optim import Adam, Optimizer

from ganlib.augment import Policy, diffaugment
from ganlib.config import option
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, Phase
from ganlib.models.dcgan import Generator, NetworkConfig, dcgan_init, downsampling, widths
from ganlib.models.options import TEMPERATURE, Option, from_seed, per_image


@dataclass(frozen=True)
class InfoGANConfig(NetworkConfig):
    z_dim: int = option(62, "dimension of the noise beside the codes", min=1)
    categories: tuple[int, ...] = option((10,), "values of each categorical code", min=2)
    continuous: int = option(2, "continuous codes, uniform in [-1, 1]", min=0)
    hidden: int = option(128, "units of Q's own layer", min=1)
    diffaugment: tuple[Policy, ...] = option((), "how to alter at random all images that D and Q see")
    lr_g: float = option(1e-3, "Adam's learning rate for G", min=0.0)
    weight_categorical: float = option(1.0, "λ, the weight of the categorical codes' information", min=0.0)
    weight_continuous: float = option(0.1, "λ, the weight of the continuous codes' information", min=0.0)

    @classmethod
    def tiny(cls) -> InfoGANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=8, width=4, categories=(3,), hidden=8)


class Codes(NamedTuple):
    categorical: list[Tensor]  # (N, K) one-hot each
    continuous: Tensor  # (N, C), in [-1, 1] unless a user asks for more


class Posterior(NamedTuple):
    """Q(c|x), Q's distribution of the codes given an image."""

    categorical: list[Tensor]  # (N, K) logits each
    mean: Tensor  # (N, C)
    log_variance: Tensor  # (N, C)

    def log_likelihood(self, codes: Codes) -> tuple[Tensor, Tensor]:
        """log Q(c|x) in nats, (N,) of the categorical and (N,) of the continuous codes."""
        zeros = self.mean.new_zeros(len(self.mean))
        categorical = [
            -cross_entropy(q, c, reduction="none") for q, c in zip(self.categorical, codes.categorical, strict=True)
        ]
        squares = (codes.continuous - self.mean) ** 2 / self.log_variance.exp()
        densities = -0.5 * (squares + self.log_variance + log(2 * pi))
        return sum(categorical, zeros), densities.sum(1)


def information_bound(log_likelihood: Tensor, entropy: float) -> Tensor:
    """L_I = E[log Q(c|x)] + H(c), in nats: never above I(c; x), equal to it where Q is the posterior (lemma 5.1)."""
    return log_likelihood.mean() + entropy


class Discriminator(nn.Module):
    """D and Q share all convolutions; each has an output layer of its own, Q one more layer before it."""

    def __init__(self, c: InfoGANConfig) -> None:
        super().__init__()
        top = widths(c)[-1]
        self.trunk = nn.Sequential(*downsampling(c, c.channels))
        self.d = nn.Conv2d(top, 1, 4)
        outputs = sum(c.categories) + 2 * c.continuous
        self.q = nn.Sequential(
            nn.Conv2d(top, c.hidden, 4, bias=False),
            nn.BatchNorm2d(c.hidden),
            nn.LeakyReLU(0.2),
            nn.Conv2d(c.hidden, outputs, 1),
        )
        self.split = [*c.categories, c.continuous, c.continuous]
        self.apply(dcgan_init)

    def forward(self, x: Tensor) -> tuple[Tensor, Posterior]:
        """(N, C, H, W) -> (N,) D's logits and Q's posterior."""
        h = self.trunk(x)
        *categorical, mean, log_variance = self.q(h).flatten(1).float().split(self.split, dim=1)
        # Bounded: an overconfident Q would dominate G's gradient.
        return self.d(h).flatten().float(), Posterior(categorical, mean, log_variance.clamp(-2, 2))


@MODELS.register("infogan")
class InfoGAN(GenerativeModel):
    family = "GAN"
    display_name = "InfoGAN"
    colour = 4
    Config = InfoGANConfig
    config: InfoGANConfig
    ema_modules = ("G",)
    loss_kind = "non-saturating + information"
    training_defaults = {"batch_size": 128}

    def __init__(self, config: InfoGANConfig) -> None:
        super().__init__(config)
        c = config
        self.G = Generator(c, c.z_dim + sum(c.categories) + c.continuous)
        self.D = Discriminator(c)
        first = len(c.categories) + 1
        self.options = (
            TEMPERATURE,
            *(
                Option(f"c{i}", None, f"Categorical code {i}: one of {k} kinds of picture.", "int", 0, k - 1)
                for i, k in enumerate(c.categories, start=1)
            ),
            *(
                Option(f"c{i}", None, f"Continuous code {i}: learned within -1 and 1.", "float", -2.0, 2.0, 0.1)
                for i in range(first, first + c.continuous)
            ),
        )

    @property
    def conditional(self) -> bool:
        return False

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        betas = (c.beta1, 0.999)
        return {"D": Adam(self.D.parameters(), c.lr, betas), "G": Adam(self.G.parameters(), c.lr_g, betas)}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        latents = self.random_latents(len(batch.images))
        real, _ = self.D(self.augment(batch.images))
        fake, posterior = self.D(self.augment(self.generate(latents)))
        information, logs = self.information(posterior, self.codes(latents))
        return nonsaturating_d(real, fake) - information, {"D/real": real.mean(), "D/fake": fake.mean()} | logs

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        latents = self.random_latents(len(batch.images))
        fake, posterior = self.D(self.augment(self.generate(latents)))
        information, _ = self.information(posterior, self.codes(latents))
        return nonsaturating_g(fake) - information, {}

    def augment(self, images: Tensor) -> Tensor:
        return diffaugment(images, self.config.diffaugment)

    def information(self, posterior: Posterior, codes: Codes) -> tuple[Tensor, dict[str, Tensor]]:
        """λ L_I, and the bounds in nats."""
        c = self.config
        categorical, continuous = posterior.log_likelihood(codes)
        categorical_bound = information_bound(categorical, sum(log(k) for k in c.categories))
        continuous_bound = information_bound(continuous, c.continuous * log(2))
        weighted = c.weight_categorical * categorical_bound + c.weight_continuous * continuous_bound
        return weighted, {"information/categorical": categorical_bound, "information/continuous": continuous_bound}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Noise, then K numbers for each categorical code, then one for each continuous code."""
        c = self.config
        return (c.z_dim + sum(c.categories) + c.continuous,)

    def codes(self, latents: Latents, **given_codes: float | Tensor | None) -> Codes:
        """The codes of these seeds: the largest of K normal numbers is uniform among K, Φ of one in [0, 1]."""
        c = self.config
        _, *parts, normal = latents.z.split([c.z_dim, *c.categories, c.continuous], dim=1)
        categorical = [
            one_hot(from_seed(given_codes.get(f"c{i}"), part.argmax(1).float()).long(), part.shape[1]).float()
            for i, part in enumerate(parts, start=1)
        ]
        uniform = torch.erf(normal / sqrt(2))
        columns = [
            from_seed(given_codes.get(f"c{i}"), column)
            for i, column in enumerate(uniform.unbind(1), start=len(parts) + 1)
        ]
        return Codes(categorical, torch.stack(columns, dim=1) if columns else uniform)

    def generate(
        self,
        latents: Latents,
        labels: Tensor | None = None,
        *,
        temperature: float | Tensor = 1.0,
        **given_codes: Any,
    ) -> Tensor:
        """Codes c1, c2, … come from the seed where they are not given; temperature scales the noise alone."""
        self.refuse_labels(labels)
        if unknown := given_codes.keys() - {o.name for o in self.options}:
            raise TypeError(f"generate() got an unexpected option {min(unknown)!r}")
        noise = latents.z[:, : self.config.z_dim]
        codes = self.codes(latents, **given_codes)
        return self.G(torch.cat([noise * per_image(temperature, noise), *codes.categorical, codes.continuous], dim=1))

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) logits, high for real."""
        return self.D(images)[0]

    def infer_codes(self, images: Tensor) -> list[Tensor]:
        """(N, C, H, W) -> (N, K) probabilities of each categorical code's values, by Q."""
        return [logits.softmax(1) for logits in self.D(images)[1].categorical]
