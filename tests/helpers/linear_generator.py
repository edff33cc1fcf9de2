"""A generator whose answers are known: images = A z."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganlib.models import GenerativeModel, Latents, ModelConfig


@dataclass(frozen=True)
class LinearConfig(ModelConfig):
    pass


class LinearGenerator(GenerativeModel):
    """x = A z of 64 pixels and 4 numbers, with singular values 8, 4, 2, 1 over 64 of A."""

    family, display_name, colour, Config = "GAN", "linear", 0, LinearConfig
    ema_modules = ("layer",)

    def __init__(self) -> None:
        super().__init__(LinearConfig(image_size=8, channels=1))
        generator = torch.Generator().manual_seed(0)
        left = torch.linalg.qr(torch.randn(64, 4, generator=generator))[0]
        self.right = torch.linalg.qr(torch.randn(4, 4, generator=generator))[0]
        self.layer = nn.Linear(4, 64, bias=False)
        self.layer.weight = nn.Parameter(left @ torch.diag(torch.tensor([8.0, 4, 2, 1])) @ self.right.T / 64)

    def optimizers(self) -> dict[str, Any]:
        return {}

    def phases(self) -> list[Any]:
        return []

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (4,)

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        return self.layer(latents.z).view(-1, 1, 8, 8)
