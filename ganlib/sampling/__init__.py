"""Seeds to images, in chunks, in the device's thread, never through a global generator.

generate        all images of some seeds                    growing        images as they come about, stage by stage
interpolation   paths through a latent space                request        what a page, a link or a command asks for
transformation  images through image-to-image models        keyframes      requests for interpolations
"""

from ganlib.sampling.generate import CHUNK, check_options, in_chunks, sample, sample_chunks, sample_stages
from ganlib.sampling.growing import Growing
from ganlib.sampling.interpolation import ORDERS, PATHS, interpolate, latent_path
from ganlib.sampling.transformation import Transformed, degrade, transform, transform_chunks

__all__ = [
    "CHUNK",
    "ORDERS",
    "PATHS",
    "Growing",
    "Transformed",
    "check_options",
    "degrade",
    "in_chunks",
    "interpolate",
    "latent_path",
    "sample",
    "sample_chunks",
    "sample_stages",
    "transform",
    "transform_chunks",
]
