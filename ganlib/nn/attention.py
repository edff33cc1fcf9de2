"""Self-attention over the positions of a feature map.

Zhang, Goodfellow, Metaxas, Odena, "Self-Attention Generative Adversarial Networks", ICML 2019, arXiv:1805.08318,
section 3
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ganlib.nn.residual import Wrap, no_wrap


class SelfAttention2d(nn.Module):
    """x + γ v(Σ_i softmax_i(f(x_i)·g(x_j)) h(x_i)) at each position j; γ starts at 0, where it is the identity.

    With ``full_width`` h has all channels, and v is the identity. ``size``: side of the maps, its name in logs.
    """

    def __init__(self, channels: int, wrap: Wrap = no_wrap, *, full_width: bool = False, size: int = 0) -> None:
        super().__init__()
        narrow = max(channels // 8, 1)
        self.f = wrap(nn.Conv2d(channels, narrow, 1, bias=False))
        self.g = wrap(nn.Conv2d(channels, narrow, 1, bias=False))
        self.h = wrap(nn.Conv2d(channels, channels if full_width else narrow, 1, bias=False))
        self.v = nn.Identity() if full_width else wrap(nn.Conv2d(narrow, channels, 1, bias=False))
        self.gamma = nn.Parameter(torch.zeros(()))
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        key, query, value = (m(x).flatten(2).transpose(1, 2) for m in (self.f, self.g, self.h))  # (N, HW, C / 8)
        attended = scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.gamma.to(x.dtype) * self.v(attended.transpose(1, 2).unflatten(2, x.shape[2:]))

    def weights(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, HW, HW): row j says how much each position counts at position j, 1 in all."""
        key, query = (m(x).flatten(2).float() for m in (self.f, self.g))  # (N, C / 8, HW)
        return torch.einsum("nci,ncj->nji", key, query).softmax(dim=2)


def attention_layers(net: nn.Module) -> dict[int, SelfAttention2d]:
    """By the side of their maps."""
    return {layer.size: layer for layer in net.modules() if isinstance(layer, SelfAttention2d)}


def log_gammas(name: str, net: nn.Module) -> dict[str, Tensor]:
    """γ of each layer, for the log: 0 where attention does not count yet."""
    return {f"{name}/gamma/{size}": layer.gamma.clone() for size, layer in attention_layers(net).items()}


def attention_maps(net: nn.Module, forward: Callable[[], Any]) -> dict[int, Tensor]:
    """``SelfAttention2d.weights`` of every layer of ``net`` as ``forward`` runs it."""
    maps: dict[int, Tensor] = {}

    def record(layer: SelfAttention2d, inputs: tuple[Tensor], output: Tensor) -> None:
        maps[layer.size] = layer.weights(inputs[0])

    hooks = [layer.register_forward_hook(record) for layer in attention_layers(net).values()]
    try:
        forward()
    finally:
        for hook in hooks:
            hook.remove()
    return maps
