"""One module per architecture; importing this package fills ``MODELS``."""

from ganlib.models import cdcgan, classifier, dcgan, sngan  # noqa: F401  (import = registration)
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
