"""VQ-VAE: images as a small grid of codes from a learned codebook, and a transformer that predicts code after code.

van den Oord, Vinyals, Kavukcuoglu, "Neural Discrete Representation Learning", NeurIPS 2017, arXiv:1711.00937: vector
quantisation, commitment loss, codebook by moving averages (appendix A.1), a prior over the codes, which is learned at
the same time here. Radford et al., 2019: the prior as a causal transformer. Dhariwal et al., arXiv:2005.00341: unused
codes start anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot, pad
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, MOST_LAYERS, Batch, Latents, Phase
from ganlib.models.options import TEMPERATURE
from ganlib.nn.transformer import Block, Final
from ganlib.nn.unet import norm

DECAY = 0.99  # of the codebook's moving averages
LEAST_USE = 0.5  # vectors of a whole batch that a code must get on average, or it starts anew


@dataclass(frozen=True)
class VQVAEConfig(AttributesConfig):
    class_conditional: bool = option(True, "condition the prior on the class, where the data set has classes")
    downsamplings: int = option(2, "halvings of the image's size to that of the grid of codes", min=1, max=8)
    codes: int = option(256, "vectors of the codebook", min=2)
    code_width: int = option(32, "dimension of these vectors", min=1)
    width: int = option(64, "channels of encoder and decoder", min=4)
    blocks: int = option(2, "residual blocks of encoder and decoder", min=0, max=MOST_LAYERS)
    commitment: float = option(0.25, "β, the weight of the commitment loss", min=0.0)
    prior_width: int = option(128, "channels of the prior", min=4)
    prior_depth: int = option(4, "transformer blocks of the prior", min=1, max=MOST_LAYERS)
    prior_heads: int = option(4, "heads of attention of the prior", min=1)
    lr: float = option(5e-4, "Adam's learning rate", min=0.0)
    lr_prior: float = option(5e-4, "Adam's learning rate for the prior", min=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prior_width % self.prior_heads:
            raise GanlibError(
                f"prior_width must be a multiple of its {self.prior_heads} heads, not {self.prior_width}."
            )
        if self.image_size < 2 << self.downsamplings:
            raise GanlibError(
                f"{self.downsamplings} downsamplings do not fit {self.image_size} pixels; give at most "
                f"{self.image_size.bit_length() - 2}."
            )

    @classmethod
    def tiny(cls) -> VQVAEConfig:
        return cls(
            image_size=16,
            channels=1,
            num_classes=3,
            codes=16,
            code_width=4,
            width=8,
            blocks=1,
            prior_width=8,
            prior_depth=1,
            prior_heads=2,
        )

    @property
    def label_width(self) -> int:
        return super().label_width if self.class_conditional else 0

    @property
    def side(self) -> int:
        """Of the grid of codes."""
        return self.image_size >> self.downsamplings


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        convs = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 1)
        self.net = nn.Sequential(norm(width), nn.SiLU(), convs[0], norm(width), nn.SiLU(), convs[1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


class Codebook(nn.Module):
    """Vectors as means of the encoder's outputs that are nearest to them, by moving averages.

    A code of count 0 starts anew: the batch gives it a vector, which counts as one.
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.randn(codes, width))
        self.register_buffer("counts", torch.zeros(codes))  # so that the first batch replaces all
        self.register_buffer("sums", torch.zeros(codes, width))

    def nearest(self, x: Tensor) -> Tensor:
        """(M, width) -> (M,) codes."""
        with torch.autocast(x.device.type, enabled=False):  # of nearly equal distances rounding would decide
            return (self.vectors.square().sum(1) - 2 * x.float() @ self.vectors.T).argmin(1)

    @torch.no_grad()
    def add(self, x: Tensor, codes: Tensor) -> None:
        """A batch's vectors (M, width) with their codes, or those of a part of it: parts add up."""
        known = self.counts > 0
        used = one_hot(codes, len(known)).to(x) * known
        self.counts.add_(used.sum(0), alpha=1 - DECAY)
        with torch.autocast(x.device.type, enabled=False):
            self.sums.add_(used.T @ x, alpha=1 - DECAY)
        fresh = x[torch.randint(len(x), (len(known),), device=x.device)]
        self.vectors.copy_(torch.where(known[:, None], self.vectors, fresh))

    @torch.no_grad()
    def average(self) -> None:
        """Once a step, before its batch: the vectors become the means, codes without use start anew."""
        known = self.counts > 0
        self.sums.copy_(torch.where(known[:, None], self.sums, self.vectors))
        self.counts.copy_(torch.where(known, self.counts, torch.ones_like(self.counts)))
        self.vectors.copy_(self.sums / self.counts[:, None])
        kept = DECAY * (self.counts >= LEAST_USE)
        self.counts.mul_(kept)
        self.sums.mul_(kept[:, None])


class Autoencoder(nn.Module):
    def __init__(self, c: VQVAEConfig) -> None:
        super().__init__()
        w = c.width
        down: list[nn.Module] = [nn.Conv2d(c.channels, w, 4, 2, 1)]
        up: list[nn.Module] = [nn.Conv2d(c.code_width, w, 3, padding=1), *(Residual(w) for _ in range(c.blocks))]
        for _ in range(c.downsamplings - 1):
            down += [nn.SiLU(), nn.Conv2d(w, w, 4, 2, 1)]
            up += [nn.ConvTranspose2d(w, w, 4, 2, 1), nn.SiLU()]
        down += [*(Residual(w) for _ in range(c.blocks)), norm(w), nn.SiLU(), nn.Conv2d(w, c.code_width, 1)]
        self.encoder = nn.Sequential(*down)
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(w, c.channels, 4, 2, 1))
        self.codebook = Codebook(c.codes, c.code_width)

    def decode(self, codes: Tensor) -> Tensor:
        """(N, side, side) codes, -1 where there is none -> (N, C, H, W)."""
        vectors = self.codebook.vectors[codes.clamp(min=0)] * (codes >= 0)[..., None]
        return self.decoder(vectors.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)).float()


class Prior(nn.Module):
    """p(code | the codes before it, class), row by row."""

    def __init__(self, c: VQVAEConfig) -> None:
        super().__init__()
        w = c.prior_width
        self.embed, self.start = nn.Embedding(c.codes, w), nn.Parameter(torch.zeros(w))
        self.positions = nn.Parameter(0.02 * torch.randn(c.side**2, w))
        self.condition = nn.Linear(c.label_width, w, bias=False) if c.label_width else None
        self.constant = nn.Parameter(torch.zeros(w))
        self.blocks = nn.ModuleList(Block(w, c.prior_heads, causal=True) for _ in range(c.prior_depth))
        self.final = Final(w, c.codes)

    def forward(self, codes: Tensor, y: Tensor | None) -> Tensor:
        """(N, T - 1) codes, (N, label_width) weights or None -> (N, T, codes) logits of the first T."""
        h = torch.cat([self.start.expand(len(codes), 1, -1), self.embed(codes)], dim=1)
        h = h + self.positions[: h.shape[1]]
        condition = self.constant.expand(len(codes), -1)
        if y is not None and self.condition is not None:
            condition = condition + self.condition(y)
        for block in self.blocks:
            h = block(h, condition)
        return self.final(h, condition).float()


@MODELS.register("vqvae")
class VQVAE(EmbedsAttributes):
    """Its latents are one normal number for each code, by whose distribution function the code is drawn."""

    family = "VAE"
    display_name = "VQ-VAE"
    colour = 6
    Config = VQVAEConfig
    config: VQVAEConfig
    ema_modules = ("autoencoder", "prior")
    summed_buffers = ("autoencoder.codebook.counts", "autoencoder.codebook.sums")
    drawn_buffers = ("autoencoder.codebook.vectors",)
    options = (TEMPERATURE,)
    loss_kind = "squared error + cross-entropy of the codes"
    encodes_by_class = True
    differentiable = False

    def __init__(self, config: VQVAEConfig) -> None:
        super().__init__(config)
        self.autoencoder, self.prior = Autoencoder(config), Prior(config)

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            "autoencoder": Adam(self.autoencoder.parameters(), c.lr),
            "prior": Adam(self.prior.parameters(), c.lr_prior),
        }

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        if images_seen:  # before the first batch there is nothing to average
            self.autoencoder.codebook.average()
        return ()

    def phases(self) -> list[Phase]:
        return [Phase("autoencoder", "autoencoder", self.loss), Phase("prior", "prior", self.loss_prior)]

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Squared error, and β ‖z_e - sg[e]‖²; gradients pass the quantisation straight through (equation 3)."""
        encoded = self.autoencoder.encoder(batch.images).float()
        flat = encoded.permute(0, 2, 3, 1).flatten(0, 2)
        codes = self.autoencoder.codebook.nearest(flat)
        quantised = self.autoencoder.codebook.vectors[codes].view(len(encoded), *encoded.shape[2:], -1)
        quantised = quantised.permute(0, 3, 1, 2)
        if self.training:  # after the vectors were taken: a code that starts anew has another from then on
            self.autoencoder.codebook.add(flat.detach(), codes)
        commitment = mse_loss(encoded, quantised)
        straight = encoded + (quantised - encoded).detach()
        error = mse_loss(self.autoencoder.decoder(straight).float(), batch.images)
        shares = one_hot(codes, self.config.codes).float().mean(0)
        perplexity = (-(shares * shares.clamp(min=1e-9).log()).sum()).exp()
        return error + self.config.commitment * commitment, {"loss/mse": error, "codes/used": perplexity}

    def loss_prior(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Nats a code."""
        with torch.no_grad():
            codes = self.codes_of(batch.images)
        logits = self.prior(codes[:, :-1], self.embedding_weights(self.labels_if_conditional(batch.labels)))
        return cross_entropy(logits.transpose(1, 2), codes), {}

    def codes_of(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, side²) codes, row by row."""
        encoded = self.autoencoder.encoder(images).permute(0, 2, 3, 1)
        return self.autoencoder.codebook.nearest(encoded.flatten(0, 2)).view(len(images), -1)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.side**2,)

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        *_, image = self.trace(latents, labels, **options)
        return image

    def stages(self, **options: Any) -> int:
        return self.config.side

    def trace(
        self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0
    ) -> Iterator[Tensor]:
        """The image after each row of codes."""
        y, n, side = self.embedding_weights(labels), len(latents), self.config.side
        t = torch.as_tensor(temperature, dtype=torch.float32, device=self.device).expand(n).clamp(min=1e-3)
        uniform = torch.special.erfc(-latents.z / sqrt(2)) / 2  # torch's ndtr is 0 below -5.6
        codes = torch.full((n, side**2), -1, device=self.device)
        for i in range(side**2):
            order, ends = distribution(self.prior(codes[:, :i], y)[:, -1] / t[:, None])
            place = (ends < uniform[:, i : i + 1]).sum(1, keepdim=True).clamp(max=self.config.codes - 1)
            codes[:, i] = order.gather(1, place).squeeze(1)
            if (i + 1) % side == 0:
                yield self.decode(codes)

    def decode(self, codes: Tensor) -> Tensor:
        side = self.config.side
        return self.autoencoder.decode(codes.view(-1, side, side)).clamp(-1, 1)

    def encode(self, images: Tensor, labels: Tensor | None = None) -> Latents:
        """(N, C, H, W) in [-1, 1] -> latents by which ``generate`` draws their codes; without labels, of all classes
        mixed. Code by code, as there: logits of all at once are rounded otherwise."""
        codes, y = self.codes_of(images), self.encoding_weights(labels, len(images))
        z = torch.empty(codes.shape, device=self.device)
        for i in range(codes.shape[1]):
            order, ends = distribution(self.prior(codes[:, :i], y)[:, -1])
            place = (order == codes[:, i : i + 1]).int().argmax(1, keepdim=True)
            middle = (pad(ends, (1, 0)).gather(1, place) + ends.gather(1, place)) / 2
            z[:, i] = torch.special.ndtri(middle.clamp(min=torch.finfo(middle.dtype).tiny)).squeeze(1)
        return Latents(z, torch.zeros(len(images), dtype=torch.int64))


def distribution(logits: Tensor) -> tuple[Tensor, Tensor]:
    """(N, codes) -> the codes from the rarest to the likeliest, and the probability up to the end of each.

    In this order the part of [0, 1] that draws a code is no smaller than its end / codes: rounding leaves even a code
    of probability 1e-30 numbers that draw it.
    """
    logits, order = logits.sort(dim=1, stable=True)
    return order, logits.softmax(1).cumsum(1)
