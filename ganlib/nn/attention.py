"""Self-attention over the positions of a feature map.

Zhang, Goodfellow, Metaxas, Odena, "Self-Attention Generative Adversarial Networks", ICML 2019, arXiv:1805.08318,
section 3
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ganlib.nn.residual import Wrap, no_wrap


class SelfAttention2d(nn.Module):
    """x + γ v(Σ_i softmax_i(f(x_i)·g(x_j)) h(x_i)) at each position j; γ starts at 0, where it is the identity."""

    def __init__(self, channels: int, wrap: Wrap = no_wrap) -> None:
        super().__init__()
        narrow = max(channels // 8, 1)
        self.f = wrap(nn.Conv2d(channels, narrow, 1, bias=False))
        self.g = wrap(nn.Conv2d(channels, narrow, 1, bias=False))
        self.h = wrap(nn.Conv2d(channels, narrow, 1, bias=False))
        self.v = wrap(nn.Conv2d(narrow, channels, 1, bias=False))
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        key, query, value = (m(x).flatten(2).transpose(1, 2) for m in (self.f, self.g, self.h))  # (N, HW, C / 8)
        attended = scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.gamma.to(x.dtype) * self.v(attended.transpose(1, 2).unflatten(2, x.shape[2:]))
