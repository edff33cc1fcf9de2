"""Parts of images that a model trains on, where whole ones cost more than they teach."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def random_crops(images: Tensor, side: int, generator: Generator | None = None) -> Tensor:
    """(N, C, H, W) -> (N, C, side, side): a part of each, at a place of its own, drawn from the CPU ``generator``."""
    height, width = images.shape[2:]
    tops = torch.randint(height - side + 1, (len(images),), generator=generator).tolist()
    lefts = torch.randint(width - side + 1, (len(images),), generator=generator).tolist()
    parts = [x[:, y : y + side, x0 : x0 + side] for x, y, x0 in zip(images, tops, lefts, strict=True)]
    return torch.stack(parts).contiguous(memory_format=torch.channels_last)
