"""Optional abilities of models, tested by ``isinstance(model, Encodes)`` rather than by name."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from ganlib.models.contract import Latents


@runtime_checkable
class Encodes(Protocol):
    """Inverts ``generate``: VAEs, BiGAN, AAE, diffusion by DDIM."""

    def encode(self, images: Tensor) -> Latents:
        """(N, C, H, W) in [-1, 1] -> latents whose images resemble the given ones."""
        ...


@runtime_checkable
class EncodesByClass(Protocol):
    """Encodes an image as one of a class, as ``generate`` makes it of one: flows, diffusion, priors over codes."""

    encodes_by_class: bool

    def encode(self, images: Tensor, labels: Tensor | None = None) -> Latents:
        """(N, C, H, W) in [-1, 1], (N,) labels or (N, K) weights -> latents that generate them with these labels.

        Without labels, as images whose class is unknown.
        """
        ...


def encode(model: Encodes, images: Tensor, labels: Tensor | None) -> Latents:
    """(N, C, H, W) in [-1, 1] of these classes, None of an unconditional model -> latents to generate them from."""
    return model.encode(images, labels) if isinstance(model, EncodesByClass) else model.encode(images)


@runtime_checkable
class Scores(Protocol):
    """Has a discriminator or critic."""

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) in [-1, 1], (N,) labels or (N, K) weights -> (N,) logits, high for real."""
        ...


@runtime_checkable
class KnowsLikelihood(Protocol):
    """Has the exact likelihood of an image, or a bound of it that is tight: autoregressive models and flows."""

    def bits_per_dim(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) levels in [-1, 1], (N,) labels or (N, K) weights -> (N,) bits for each pixel value."""
        ...


@runtime_checkable
class MeasuresStraightness(Protocol):
    """Follows paths from noise to images."""

    def straightness(self, latents: Latents, labels: Tensor | None = None, *, steps: int = 50) -> Tensor:
        """(N,) how far each path departs from a straight line at even speed, 0 = not at all."""
        ...


@runtime_checkable
class Classifies(Protocol):
    """Names the class of an image."""

    def classify(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1] -> (N, K) logits."""
        ...


@runtime_checkable
class InfersCodes(Protocol):
    """Infers the latent codes behind an image."""

    def infer_codes(self, images: Tensor) -> list[Tensor]:
        """(N, C, H, W) in [-1, 1] -> (N, K) probabilities of each categorical code's values."""
        ...


@runtime_checkable
class Attends(Protocol):
    """Has self-attention in its generator."""

    def attention_maps(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> dict[int, Tensor]:
        """Side s of the maps -> (N, s², s²): how much each position counts at position j is row j, 1 in all.

        Positions run row by row. {} where the config has no attention.
        """
        ...
