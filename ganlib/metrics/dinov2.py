"""DINOv2's vision transformer, for torch-fidelity's extractor: that one fetches a program along with the weights.

Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", arXiv:2304.07193; the transformer is that
of Dosovitskiy et al., arXiv:2010.11929, with a learnt scale of each branch. Names are those of the published weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, scaled_dot_product_attention

HEAD = 64  # channels of an attention head, of every published size
NEAR = 0.1  # added to the side of the grid by the authors against rounding; the features depend on it


class Attention(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, d = x.shape
        q, k, v = self.qkv(x).view(n, tokens, 3, d // HEAD, HEAD).permute(2, 0, 3, 1, 4)  # (N, heads, T, HEAD)
        return self.proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, d))


class MLP(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(gelu(self.fc1(x)))


class Scale(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Block(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.norm1, self.attn, self.ls1 = nn.LayerNorm(d, eps=1e-6), Attention(d), Scale(d)
        self.norm2, self.mlp, self.ls2 = nn.LayerNorm(d, eps=1e-6), MLP(d), Scale(d)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Patches(nn.Module):
    def __init__(self, d: int, side: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, d, side, stride=side)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)  # (N, h * w, d)


class DinoV2(nn.Module):
    """Standardised images (N, 3, H, W), multiples of the patch -> (N, d): the class token. Sizes S, B and L."""

    def __init__(self, d: int, depth: int, side: int, positions: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, d))
        self.mask_token = nn.Parameter(torch.zeros(1, d))  # in the weights; only training needs it
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + positions, d))
        self.patch_embed = Patches(d, side)
        self.blocks = nn.ModuleList(Block(d) for _ in range(depth))
        self.norm = nn.LayerNorm(d, eps=1e-6)

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> DinoV2:
        """The network that these weights are of. KeyError, RuntimeError where they are of no such."""
        d, _, side, _ = tensors["patch_embed.proj.weight"].shape
        depth = len({key.split(".")[1] for key in tensors if key.startswith("blocks.")})
        network = cls(d, depth, side, tensors["pos_embed"].shape[1] - 1)
        network.load_state_dict(tensors)
        return network

    def forward(self, x: Tensor) -> Tensor:
        h, w = (size // self.patch_embed.proj.weight.shape[-1] for size in x.shape[2:])
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), self.patch_embed(x)], dim=1) + self.positions(h, w)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 0]

    def positions(self, h: int, w: int) -> Tensor:
        """(1, 1 + h * w, d): the learnt ones, resized to this grid."""
        of_class, of_grid = self.pos_embed.split([1, self.pos_embed.shape[1] - 1], dim=1)
        side = round(of_grid.shape[1] ** 0.5)
        if (h, w) == (side, side):
            return self.pos_embed
        grid = of_grid.transpose(1, 2).unflatten(2, (side, side))
        scale = ((h + NEAR) / side, (w + NEAR) / side)
        resized = interpolate(grid, scale_factor=scale, mode="bicubic")
        return torch.cat([of_class, resized.flatten(2).transpose(1, 2)], dim=1)
