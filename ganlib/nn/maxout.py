"""Maxout: the largest of several linear maps.

Goodfellow, Warde-Farley, Mirza, Courville, Bengio, "Maxout Networks", ICML 2013, arXiv:1302.4389
"""

from __future__ import annotations

from torch import Tensor, nn


class Maxout(nn.Module):
    """A fully connected layer of ``out_features`` units with ``pieces`` linear maps each."""

    def __init__(self, in_features: int, out_features: int, pieces: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features * pieces)
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_features) -> (N, out_features)."""
        return self.linear(x).unflatten(1, (-1, self.pieces)).amax(2)
