"""How far images are apart to the eye: distances of EfficientNet-Lite0's features, which every machine has.

Johnson, Alahi, Fei-Fei, ECCV 2016, arXiv:1603.08155: features as a loss. Zhang et al., CVPR 2018, arXiv:1801.03924:
features of unit length at each place, as LPIPS compares them; each place and scale alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import interpolate, normalize

from ganlib.nn.efficientnet import feature_pyramid, to_rgb

FEATURE_SIDE = 64  # pixels to which smaller images are enlarged
FEATURE_STRIDES = slice(0, 3)  # of the pyramid: 4, 8 and 16
STRIDE = 4  # pixels: what is moved by less has other features


def perceptual_features(images: Tensor) -> list[Tensor]:
    """(N, 1 or 3, H, W) in [-1, 1] -> (N, C', H', W') at three scales.

    GanlibError for other channels, and where the weights are not installed.
    """
    x = to_rgb(images)
    if x.shape[2] < FEATURE_SIDE:
        x = interpolate(x, size=(FEATURE_SIDE, FEATURE_SIDE), mode="bilinear", align_corners=False)
    return [normalize(f, dim=1) for f in feature_pyramid(x.device)(x)[FEATURE_STRIDES]]


def feature_distance(features: Sequence[Tensor], others: Sequence[Tensor]) -> Tensor:
    """Of two lists of ``perceptual_features``, the second of N images or one: (N,) in [0, 4]."""
    parts = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(features, others, strict=True)]
    return sum(parts[1:], parts[0]) / len(parts)
