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
    edm,
    fcgan,
    feature_vae,
    flow_matching,
    gran,
    infogan,
    lapgan,
    lsgan,
    pggan,
    projected_gan,
    r3gan,
    sagan,
    sgan,
    sngan,
    stylegan2_ada,
    vae,
    vaegan,
    wgan,
    wgan_gp,
)
from ganlib.models.abilities import Classifies, Encodes, InfersCodes, Scores
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, ModelConfig, Phase, Trainable, blueprint
from ganlib.models.options import FROM_SEED, SEED_LIMIT, Option

__all__ = [
    "FROM_SEED",
    "MODELS",
    "SEED_LIMIT",
    "Batch",
    "Classifies",
    "Encodes",
    "GenerativeModel",
    "InfersCodes",
    "Latents",
    "ModelConfig",
    "Option",
    "Phase",
    "Scores",
    "Trainable",
    "blueprint",
]
