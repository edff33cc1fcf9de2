"""How near outputs come to wanted images: PSNR, SSIM, distance of features. Each image has its own number.

SSIM: Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13 (2004), doi:10.1109/TIP.2003.819861, with its Gaussian window.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.devices import on_device
from ganlib.images import from_uint8
from ganlib.nn.perceptual import feature_distance, perceptual_features

MOST_DECIBELS = 100.0  # of images that are equal, which have no error to divide by
LEAST_SIDE = 11  # pixels of SSIM's window

Images = NDArray[np.uint8]  # (N, H, W, C)


def psnr(outputs: Images, targets: Images) -> NDArray[np.float64]:
    """(N,) dB: 10 log₁₀ (255² / mean squared error)."""
    errors = np.square(outputs.astype(np.float64) - targets).mean(axis=(1, 2, 3))
    return np.minimum(20 * np.log10(255) - 10 * np.log10(np.maximum(errors, 1e-12)), MOST_DECIBELS)


def ssim(outputs: Images, targets: Images) -> NDArray[np.float64]:
    """(N,), the mean over channels, of images of 11 pixels a side or more; NaN of smaller ones."""
    from skimage.metrics import structural_similarity

    if min(outputs.shape[1:3]) < LEAST_SIDE:
        return np.full(len(outputs), np.nan)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    pairs = zip(outputs, targets, strict=True)
    return np.array([structural_similarity(a, b, data_range=255, channel_axis=-1, **settings) for a, b in pairs])


def perceptual_distance(outputs: Images, targets: Images, device: torch.device | str = "cpu") -> NDArray[np.float64]:
    """(N,) by EfficientNet-Lite0. GanlibError where its weights are not installed."""
    device = torch.device(device)

    def compute() -> NDArray[np.float64]:
        ours, theirs = (perceptual_features(from_uint8(images, device)) for images in (outputs, targets))
        return feature_distance(ours, theirs).double().cpu().numpy()

    return on_device(device, compute)


SIMILARITIES: dict[str, Callable[[Images, Images], NDArray[np.float64]]] = {
    "psnr": psnr,
    "ssim": ssim,
    "feature_distance": perceptual_distance,
}
"""By the name that records have."""
