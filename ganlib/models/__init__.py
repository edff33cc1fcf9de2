"""One module per architecture; importing this package fills ``MODELS``."""

from ganlib.models import (  # noqa: F401  (import = registration)
    aae,
    acgan,
    bigan,
    biggan,
    cdcgan,
    cgan,
    classifier,
    dcgan,
    ddpm,
    fcgan,
    feature_vae,
    gran,
    infogan,
    lapgan,
    lsgan,
    pggan,
    sagan,
    sgan,
    sngan,
    stylegan2_ada,
    vae,
    vaegan,
    wgan,
    wgan_gp,
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
