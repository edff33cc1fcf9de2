"""BigGAN: one class embedding for all layers, a part of z for each level, orthogonal regularisation, truncation.

Brock, Donahue, Simonyan, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", ICLR 2019,
arXiv:1809.11096. D is SAGAN's. Truncation maps z to the truncated normal by its quantiles, so that a seed keeps
its image's character; the paper resamples values outside instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu_
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.losses import hinge_d, hinge_g
from ganlib.models.attributes import EmbedsAttributes
from ganlib.models.contract import MODELS, Batch, Latents, Phase, Trainable
from ganlib.models.options import Option
from ganlib.models.sagan import AttentiveConfig, AttentiveNetwork, Discriminator
from ganlib.nn.attention import attention_maps, log_gammas
from ganlib.nn.residual import UpBlock
from ganlib.nn.standing_norm import Condition, StandingBatchNorm2d

NO_TRUNCATION = 3.0  # thresholds from here on leave z unchanged: 0.3 % of a normal distribution lie beyond
THRESHOLDS = (0.0, 0.5, 1.0, 1.5, 2.0)  # truncations for which standing statistics are measured
STANDING_IMAGES = 256  # images over which each is measured

TRUNCATION = Option(
    "truncation",
    NO_TRUNCATION,
    f"z stays within this distance of 0: lower is more typical and more alike, {NO_TRUNCATION:g} is unlimited.",
    min=0.0,
    max=NO_TRUNCATION,
    step=0.05,
)


@dataclass(frozen=True)
class BigGANConfig(AttentiveConfig):
    z_chunk: int = option(32, "latent dimensions of each level", min=1)
    embedding: int = option(64, "dimension of the class embedding that all levels share", min=1)
    orthogonal: float = option(1e-4, "β, the weight of orthogonal regularisation of G", min=0.0)

    @classmethod
    def tiny(cls) -> BigGANConfig:
        return cls(
            image_size=16, channels=1, num_classes=3, attention=(8,), g_width=8, d_width=8, z_chunk=4, embedding=4
        )

    @property
    def levels(self) -> int:
        """Of z: the 4 x 4 map's and one for each block."""
        return self.image_size.bit_length() - 2


class Generator(AttentiveNetwork):
    def __init__(self, c: BigGANConfig) -> None:
        super().__init__()
        ups = c.levels - 1
        chs = [c.g_width] * ups + [max(c.g_width // 2, 1)]  # half the width at the highest resolution
        if c.label_width:
            self.embed = nn.Linear(c.label_width, c.embedding, bias=False)
        width = c.z_chunk + (c.embedding if c.label_width else 0)
        norm = partial(StandingBatchNorm2d, width=width, thresholds=THRESHOLDS, wrap=c.wrap)
        self.linear = c.wrap(nn.Linear(c.z_chunk, 16 * chs[0]))
        self.blocks = nn.ModuleList(UpBlock(chs[i], chs[i + 1], norm, c.wrap) for i in range(ups))
        self.add_attention(c, lambda size: chs[size.bit_length() - 3], c.wrap)
        self.norm = StandingBatchNorm2d(chs[-1], 0, THRESHOLDS)
        self.to_image = c.wrap(nn.Conv2d(chs[-1], c.channels, 3, padding=1))
        self.levels = c.levels

    def forward(self, z: Tensor, y: Tensor | None, truncation: Tensor) -> Tensor:
        """(N, levels · z_chunk), (N, label_width) weights or None, (N,) -> (N, C, H, W) in [-1, 1]."""
        first, *parts = z.chunk(self.levels, dim=1)
        shared = [] if y is None else [self.embed(y)]
        h = self.linear(first).unflatten(1, (-1, 4, 4)).contiguous(memory_format=torch.channels_last)
        for block, part in zip(self.blocks, parts, strict=True):
            h = self.attend(block(h, Condition(torch.cat([*shared, part], dim=1), truncation)))
        h = self.norm(h, Condition(z[:, :0], truncation))
        return self.to_image(relu_(h)).tanh().float()


def truncate(z: Tensor, threshold: Tensor) -> Tensor:
    """(N, D) normal, (N,) -> the value of the same quantile in the normal truncated to [-threshold, threshold]."""
    t = threshold.to(z)[:, None]
    below = torch.special.ndtr(-t)
    truncated = torch.special.ndtri(below + torch.special.ndtr(z) * (1 - 2 * below))
    return torch.where(t < NO_TRUNCATION, truncated, z)


def orthogonal_penalty(weight: Tensor) -> Tensor:
    """‖W Wᵀ ⊙ (1 - I)‖² of filters as rows (equation 3): pushes them apart and leaves their lengths free."""
    rows = weight.flatten(1)
    gram = rows @ rows.T
    return (gram - gram.diag().diag()).square().sum()


@MODELS.register("biggan")
class BigGAN(EmbedsAttributes):
    family = "GAN"
    display_name = "BigGAN"
    colour = 3
    Config = BigGANConfig
    config: BigGANConfig
    ema_modules = ("G",)
    options = (TRUNCATION,)
    loss_kind = "hinge"

    def __init__(self, config: BigGANConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config), Discriminator(config)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.orthogonal_(next(p for p in m.parameters() if p.ndim > 1))

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
        # D has no batch norm, so real and fake can share one pass.
        both = None if labels is None else labels.repeat(2)
        real, fake = self.score(torch.cat([batch.images, fakes]), both).chunk(2)
        return hinge_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean(), **log_gammas("D", self.D)}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        labels = self.labels_if_conditional(batch.labels)
        adversarial = hinge_g(self.score(self.generate(self.random_latents(len(batch.images)), labels), labels))
        penalty = self.orthogonality()
        return adversarial + self.config.orthogonal * penalty, {"G/orthogonal": penalty, **log_gammas("G", self.G)}

    def orthogonality(self) -> Tensor:
        """The penalty of all of G's weights but the class embedding's, whose rows are no filters."""
        parameters = self.G.named_parameters()
        return torch.stack(
            [orthogonal_penalty(p) for name, p in parameters if p.ndim > 1 and "embed" not in name]
        ).sum()

    @torch.no_grad()
    def before_saving(self, trained: Trainable) -> None:
        """Measures the standing statistics of each truncation, on the same seeds every time."""
        norms = [m for m in self.G.modules() if isinstance(m, StandingBatchNorm2d)]
        latents = self.latents(range(STANDING_IMAGES))
        labels = torch.arange(STANDING_IMAGES) % self.config.num_classes if self.conditional else None
        for row, threshold in enumerate(THRESHOLDS):
            for m in norms:
                m.measuring = row
            self.generate(latents, labels, truncation=threshold)
        for m in norms:
            m.measuring = None

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.levels * self.config.z_chunk,)

    def generate(
        self, latents: Latents, labels: Tensor | None = None, *, truncation: float | Tensor = NO_TRUNCATION
    ) -> Tensor:
        z = latents.z
        threshold = torch.as_tensor(truncation, dtype=z.dtype, device=z.device).expand(len(z))
        return self.G(truncate(z, threshold), self.embedding_weights(labels), threshold)

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logits, high for real images of that class."""
        return self.D(images, self.embedding_weights(labels))

    def attention_maps(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> dict[int, Tensor]:
        return attention_maps(self.G, lambda: self.generate(latents, labels, **options))
