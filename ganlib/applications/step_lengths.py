"""How far the images of a path move from frame to frame, as eyes see it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.devices import on_device
from ganlib.images import from_uint8
from ganlib.nn.perceptual import feature_distance, perceptual_features

CHUNK = 32


def step_lengths(frames: NDArray[np.uint8], device: torch.device, *, closed: bool = False) -> NDArray[np.float32]:
    """(F, H, W, C) uint8 -> (F - 1,) square roots of ``feature_distance`` between neighbouring frames.

    (F,) of a ``closed`` path, whose last frame neighbours the first. Unlike its square, this distance adds up along a
    path. GanlibError where the network's weights are not installed.
    """
    order = [*range(len(frames)), *([0] if closed else [])]

    @torch.inference_mode()
    def compute() -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(order) - 1, CHUNK):
            part = order[start : start + CHUNK + 1]
            features = perceptual_features(from_uint8(frames[part], device))
            parts.append(feature_distance([f[:-1] for f in features], [f[1:] for f in features]).sqrt())
        return torch.cat(parts).cpu().numpy()

    return on_device(device, compute)
