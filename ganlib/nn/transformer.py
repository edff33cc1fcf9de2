"""Transformer blocks whose norms' scale and shift, and whose branches' weights, follow from a condition.

Vaswani et al., arXiv:1706.03762; Peebles, Xie, "Scalable Diffusion Models with Transformers", arXiv:2212.09748, section
3.2: adaLN-Zero, where each block starts as the identity.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, silu

from ganlib.nn.unet import sinusoids


class Block(nn.Module):
    def __init__(self, width: int, heads: int, *, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.norm1, self.norm2 = (nn.LayerNorm(width, elementwise_affine=False, eps=1e-6) for _ in range(2))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, T, width), (N, width) -> (N, T, width)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(silu(condition))[:, None].chunk(6, dim=2)
        x = x + gate1 * self.attend(self.norm1(x) * (1 + scale1) + shift1)
        return x + gate2 * self.mlp(self.norm2(x) * (1 + scale2) + shift2)

    def attend(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.out(scaled_dot_product_attention(q, k, v, is_causal=self.causal).transpose(1, 2).flatten(2))


class Final(nn.Module):
    """Norm with scale and shift from the condition, and a linear layer that starts at 0."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.modulation, self.linear = nn.Linear(width, 2 * width), nn.Linear(width, out)
        for layer in (self.modulation, self.linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, T, width), (N, width) -> (N, T, out)."""
        shift, scale = self.modulation(silu(condition))[:, None].chunk(2, dim=2)
        return self.linear(self.norm(x) * (1 + scale) + shift)


def grid_positions(side: int, width: int) -> Tensor:
    """(side², width): sines and cosines of each position's row, then of its column."""
    axis = sinusoids(torch.arange(side, device="cpu") / 1000, width // 2)
    return torch.cat([axis.repeat_interleave(side, 0), axis.repeat(side, 1)], dim=1)
