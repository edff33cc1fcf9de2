"""The U-Net of diffusion models: residual blocks at each resolution, attention at some, conditioned on a noise level.

Ho, Jain, Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, arXiv:2006.11239, appendix B; scale and
shift from the embedding as in Nichol, Dhariwal, arXiv:2102.09672.
"""

from __future__ import annotations

from math import log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention, silu

from ganlib.nn.resample import upsample


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(8, channels // 4) or 1, channels)


class ResidualBlock(nn.Module):
    """Norm, SiLU, conv, norm with scale and shift from the embedding, SiLU, dropout, conv; 1 x 1 shortcut."""

    def __init__(self, cin: int, cout: int, embedding: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.conv1 = norm(cin), nn.Conv2d(cin, cout, 3, padding=1)
        self.affine = nn.Linear(embedding, 2 * cout)
        self.norm2, self.dropout, self.conv2 = norm(cout), nn.Dropout(dropout), nn.Conv2d(cout, cout, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        self.shortcut = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.conv1(silu(self.norm1(x)))
        scale, shift = self.affine(embedding)[:, :, None, None].chunk(2, dim=1)
        h = self.conv2(self.dropout(silu(torch.addcmul(shift, self.norm2(h), 1 + scale))))
        return h + self.shortcut(x)


class AttentionBlock(nn.Module):
    """x + self-attention over all positions, with heads of at most 64 channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = max(channels // 64, 1)
        self.norm, self.qkv, self.out = (
            norm(channels),
            nn.Conv2d(channels, 3 * channels, 1),
            nn.Conv2d(channels, channels, 1),
        )
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, 3, self.heads, c // self.heads, h * w).transpose(3, 4).unbind(1)
        attended = scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(n, c, h, w)
        return x + self.out(attended)


class UNet(nn.Module):
    """Predicts an image's noise, velocity or itself from the noisy image, its noise level and its class."""

    def __init__(
        self,
        image_size: int,
        channels: int,
        *,
        width: int,
        multipliers: tuple[int, ...],
        blocks: int,
        attention: tuple[int, ...],
        dropout: float,
        label_width: int,
        extra_width: int = 0,
    ) -> None:
        """``multipliers``: channels at each resolution, in widths; ``attention``: the resolutions that have it;
        ``label_width`` and ``extra_width``: columns of two further conditions, 0 = none."""
        super().__init__()
        self.width, e = width, 4 * width
        self.time = nn.Sequential(nn.Linear(width, e), nn.SiLU(), nn.Linear(e, e))
        if label_width:
            self.label = nn.Linear(label_width, e, bias=False)
        if extra_width:
            self.extra = nn.Linear(extra_width, e, bias=False)
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.downs, self.ups, skips = nn.ModuleList(), nn.ModuleList(), [width]

        def level(cin: int, cout: int, size: int) -> nn.ModuleList:
            block = AttentionBlock(cout) if size in attention else nn.Identity()
            return nn.ModuleList([ResidualBlock(cin, cout, e, dropout), block])

        size, features = image_size, width
        for i, multiplier in enumerate(multipliers):
            for _ in range(blocks):
                self.downs.append(level(features, width * multiplier, size))
                features = width * multiplier
                skips.append(features)
            if i < len(multipliers) - 1:
                self.downs.append(nn.Conv2d(features, features, 3, 2, 1))
                skips.append(features)
                size //= 2
        self.middle = nn.ModuleList([level(features, features, size), level(features, features, 0)])
        for i, multiplier in reversed(list(enumerate(multipliers))):
            for _ in range(blocks + 1):
                self.ups.append(level(features + skips.pop(), width * multiplier, size))
                features = width * multiplier
            if i:
                self.ups.append(nn.Conv2d(features, features, 3, padding=1))
                size *= 2
        self.last = nn.Sequential(norm(features), nn.SiLU(), nn.Conv2d(features, channels, 3, padding=1))
        nn.init.zeros_(self.last[2].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor, level: Tensor, y: Tensor | None, extra: Tensor | None = None) -> Tensor:
        """(N, C, H, W), (N,) noise levels of order 1, (N, label_width), (N, extra_width) or None -> (N, C, H, W)."""
        e = self.time(sinusoids(level, self.width))
        e = e if y is None else e + self.label(y)
        e = silu(e if extra is None else e + self.extra(extra))
        h = self.first(x)
        skips = [h]
        for block in self.downs:
            h = self.apply_level(block, h, e) if isinstance(block, nn.ModuleList) else block(h)
            skips.append(h)
        for block in self.middle:
            h = self.apply_level(block, h, e)
        for block in self.ups:
            if isinstance(block, nn.ModuleList):
                h = self.apply_level(block, torch.cat([h, skips.pop()], dim=1), e)
            else:
                h = block(upsample(h))
        return self.last(h).float()

    @staticmethod
    def apply_level(level: Any, h: Tensor, e: Tensor) -> Tensor:
        residual, attention = level
        return attention(residual(h, e))


def sinusoids(level: Tensor, width: int) -> Tensor:
    """(N,) levels of order 1 -> (N, width): their sines and cosines at frequencies from 1000 down to 0.1."""
    frequencies = torch.exp(torch.arange(width // 2, device=level.device) * (-log(10_000) * 2 / width))
    angles = 1000 * level[:, None].float() * frequencies
    return pad(torch.cat([angles.sin(), angles.cos()], dim=1), (0, width % 2))
