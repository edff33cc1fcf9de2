"""One module per architecture; importing this package fills ``MODELS``."""

from ganlib.models import (  # noqa: F401  (import = registration)
    bigan,
    cdcgan,
    cgan,
    classifier,
    dcgan,
    fcgan,
    gran,
    infogan,
    lapgan,
    sngan,
)
from ganlib.models.base import MODELS, Batch, GenerativeModel, Latents, ModelConfig, Option, Phase, Trainable

__all__ = [
    "MODELS",
    "Batch",
    "GenerativeModel",
    "Latents",
    "ModelConfig",
    "Option",
    "Phase",
    "Trainable",
]
