"""Residual blocks that double or halve the resolution.

Miyato et al., arXiv:1802.05957, appendix B, after He et al., arXiv:1603.05027 and Gulrajani et al., arXiv:1704.00028
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, relu, relu_

from ganlib.nn.resample import upsample

Wrap = Callable[[nn.Module], nn.Module]  # applied to each layer, such as spectral norm


def no_wrap(layer: nn.Module) -> nn.Module:
    return layer


class UpBlock(nn.Module):
    """Doubles the resolution: norm, ReLU, up, conv, norm, ReLU, conv; 1 x 1 shortcut."""

    def __init__(self, cin: int, cout: int, norm: Callable[[int], nn.Module], wrap: Wrap = no_wrap) -> None:
        super().__init__()
        self.norm1 = norm(cin)
        self.conv1 = wrap(nn.Conv2d(cin, cout, 3, padding=1))
        self.norm2 = norm(cout)
        self.conv2 = wrap(nn.Conv2d(cout, cout, 3, padding=1))
        self.shortcut = wrap(nn.Conv2d(cin, cout, 1))

    def forward(self, x: Tensor, y: Any) -> Tensor:
        """(N, C, H, W) and what the norms are conditioned on -> (N, C', 2H, 2W)."""
        h = self.conv1(upsample(relu_(self.norm1(x, y))))
        h = self.conv2(relu_(self.norm2(h, y)))
        # A 1 x 1 convolution commutes with nearest-neighbour upsampling and costs a quarter below it.
        return h + upsample(self.shortcut(x))


class DownBlock(nn.Module):
    """(ReLU,) conv, ReLU, conv, (average pooling); 1 x 1 shortcut. The first block has no ReLU in front."""

    def __init__(self, cin: int, cout: int, wrap: Wrap, down: bool, first: bool = False) -> None:
        super().__init__()
        hidden = max(cout // 2, 1) if first else cout  # the first block has the highest resolution
        self.conv1 = wrap(nn.Conv2d(cin, hidden, 3, padding=1))
        self.conv2 = wrap(nn.Conv2d(hidden, cout, 3, padding=1))
        self.shortcut = wrap(nn.Conv2d(cin, cout, 1)) if down or cin != cout else nn.Identity()
        self.down, self.first = down, first

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv2(relu_(self.conv1(x if self.first else relu(x))))
        if self.down:
            h, x = avg_pool2d(h, 2), avg_pool2d(x, 2)
        return h + self.shortcut(x)
