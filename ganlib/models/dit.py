"""DiT: DDPM's diffusion with a transformer over patches in place of the U-Net.

Peebles, Xie, "Scalable Diffusion Models with Transformers", ICCV 2023, arXiv:2212.09748.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.contract import MODELS, MOST_LAYERS
from ganlib.models.ddpm import DDPM, DiffusionConfig
from ganlib.nn.transformer import Block, Final, grid_positions
from ganlib.nn.unet import sinusoids


@dataclass(frozen=True)
class DiTConfig(DiffusionConfig):
    patch: int = option(2, "pixels of a patch's side", min=1, max=64)
    width: int = option(128, "channels of each patch", min=4)
    depth: int = option(6, "transformer blocks", min=1, max=MOST_LAYERS)
    heads: int = option(4, "heads of attention", min=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % self.patch:
            raise GanlibError(f"Patches of {self.patch} pixels do not divide images of {self.image_size}.")
        if self.width % self.heads or self.width % 4:
            raise GanlibError(f"width must be a multiple of 4 and of the {self.heads} heads, not {self.width}.")

    @classmethod
    def tiny(cls) -> DiTConfig:
        return cls(image_size=16, channels=1, num_classes=3, patch=4, width=8, depth=2, heads=2)


class Transformer(nn.Module):
    positions: Tensor

    def __init__(self, c: DiTConfig) -> None:
        super().__init__()
        w = c.width
        self.patch = c.patch
        self.time = nn.Sequential(nn.Linear(w, w), nn.SiLU(), nn.Linear(w, w))
        if c.label_width:
            self.label = nn.Linear(c.label_width + 1, w, bias=False)  # the last row is the null label
        self.embed = nn.Conv2d(c.channels, w, c.patch, c.patch)
        self.register_buffer("positions", grid_positions(c.image_size // c.patch, w), persistent=False)
        self.blocks = nn.ModuleList(Block(w, c.heads) for _ in range(c.depth))
        self.final = Final(w, c.channels * c.patch**2)

    def forward(self, x: Tensor, level: Tensor, y: Tensor | None) -> Tensor:
        """(N, C, H, W), (N,) timesteps / T, (N, label_width + 1) weights or None -> (N, C, H, W)."""
        condition = self.time(sinusoids(level, self.time[0].in_features))  # type: ignore[arg-type]
        if y is not None:
            condition = condition + self.label(y)
        patches = self.embed(x)
        h = patches.flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            h = block(h, condition)
        out = self.final(h, condition).transpose(1, 2).unflatten(2, patches.shape[2:])
        return pixel_shuffle(out, self.patch).float()


@MODELS.register("dit")
class DiT(DDPM):
    display_name = "DiT"
    colour = 10
    Config = DiTConfig
    config: Any
    ema_modules = ("transformer",)

    def build_network(self) -> nn.Module:
        return Transformer(self.config)
