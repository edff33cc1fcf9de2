"""pix2pix: images from drawings, greys or small images; the pairs are made inside the model.

Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
arXiv:1611.07004: a U-Net generator with dropout, a PatchGAN that sees input and output, L1 (λ = 100) beside the
adversarial loss. Instance norm is the paper's batch norm at its batch of one image; dropout acts in training alone, so
that an input has one output.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate, l1_loss
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, ModelConfig, Phase
from ganlib.models.image_to_image import ImageToImage, Task
from ganlib.nn.degradations import draw_edges, enlarge, greyscale, shrink
from ganlib.nn.patchgan import PatchDiscriminator, check_patch_layers, small_weights

INNERMOST = 4  # pixels of a side below which instance norm has no statistics
DROPPED = 3  # innermost layers of the decoder with dropout


@dataclass(frozen=True)
class Pix2PixConfig(ModelConfig):
    task: Literal["edges", "colour", "superresolution"] = option("edges", "what the images are made from")
    factor: int = option(4, "how many times smaller the inputs of superresolution are: 2, 4 or 8", min=2, max=8)
    width: int = option(64, "channels of G's first layer, doubled at each up to 8 times", min=1)
    d_width: int = option(64, "channels of D's first layer", min=1)
    d_layers: int = option(3, "strided layers of D: 3 see patches of 70 pixels, 2 of 34", min=1, max=8)
    dropout: float = option(0.5, "fraction of features dropped in the decoder's first layers", min=0.0, max=0.9)
    l1: float = option(100.0, "weight of the mean absolute error", min=0.0)
    lr: float = option(2e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.5, "Adam's β1", min=0.0, max=0.999)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_patch_layers(self.image_size, self.d_layers)
        if self.factor not in (2, 4, 8):
            raise GanlibError(f"factor must be 2, 4 or 8, not {self.factor}.")
        if self.task == "colour" and self.channels != 3:
            raise GanlibError(f"Greys are coloured in data of 3 channels, not {self.channels}; give --channels 3.")

    @classmethod
    def tiny(cls) -> Pix2PixConfig:
        return cls(image_size=16, channels=1, num_classes=3, width=4, d_width=4, d_layers=1)

    @property
    def input_channels(self) -> int:
        return self.channels if self.task == "superresolution" else 1


class Down(nn.Sequential):
    """Halves the resolution."""

    def __init__(self, cin: int, cout: int, *, first: bool) -> None:
        conv = nn.Conv2d(cin, cout, 4, 2, 1)
        super().__init__(conv) if first else super().__init__(nn.LeakyReLU(0.2), conv, nn.InstanceNorm2d(cout))


class Up(nn.Sequential):
    """Doubles the resolution."""

    def __init__(self, cin: int, cout: int, dropout: float, *, last: bool) -> None:
        conv = nn.ConvTranspose2d(cin, cout, 4, 2, 1)
        end = [nn.Tanh()] if last else [nn.InstanceNorm2d(cout), nn.Dropout(dropout)]
        super().__init__(nn.ReLU(), conv, *end)


class UNet(nn.Module):
    """Encoder and decoder with a shortcut at each resolution."""

    def __init__(self, c: Pix2PixConfig) -> None:
        super().__init__()
        levels = max(c.image_size.bit_length() - INNERMOST.bit_length(), 1)
        widths = [c.width * min(2**i, 8) for i in range(levels)]
        pairs = enumerate(pairwise([c.input_channels, *widths]))
        self.downs = nn.ModuleList(Down(cin, cout, first=i == 0) for i, (cin, cout) in pairs)
        ups = []
        for i in reversed(range(levels)):
            cin = widths[i] * (1 if i == levels - 1 else 2)
            cout = widths[i - 1] if i else c.channels
            ups.append(Up(cin, cout, c.dropout if levels - 1 - i < DROPPED else 0.0, last=i == 0))
        self.ups = nn.ModuleList(ups)
        self.apply(small_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, input_channels, H, W) -> (N, C, H, W) in [-1, 1]."""
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        x = skips.pop()
        for up in self.ups:
            x = up(x)
            if skips:
                x = torch.cat([x, skips.pop()], dim=1)
        return x.float()


@MODELS.register("pix2pix")
class Pix2Pix(ImageToImage):
    family = "image-to-image"
    display_name = "pix2pix"
    colour = 2
    Config = Pix2PixConfig
    config: Pix2PixConfig
    ema_modules = ("G",)
    loss_kind = "non-saturating + L1"
    training_defaults = {"batch_size": 8}

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__(config)
        self.G = UNet(config)
        self.D = PatchDiscriminator(config.input_channels + config.channels, config.d_width, config.d_layers)

    @property
    def task(self) -> Task:
        return self.config.task

    @property
    def condition(self) -> str:
        return f"{self.task} x{self.config.factor}" if self.task == "superresolution" else self.task

    @property
    def input_shape(self) -> tuple[int, int, int]:
        c = self.config
        side = c.image_size // c.factor if c.task == "superresolution" else c.image_size
        return c.input_channels, side, side

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        networks = {"D": self.D, "G": self.G}
        return {name: Adam(net.parameters(), c.lr, (c.beta1, 0.999)) for name, net in networks.items()}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Halved, as the paper has it, which slows D down."""
        x = self.full_size(self.degrade(batch.images))
        with torch.no_grad():
            fakes = self.G(x)
        real, fake = (self.D(torch.cat([x, y], dim=1)) for y in (batch.images, fakes))
        return nonsaturating_d(real, fake) / 2, {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        x = self.full_size(self.degrade(batch.images))
        fakes = self.G(x)
        adversarial, error = nonsaturating_g(self.D(torch.cat([x, fakes], dim=1))), l1_loss(fakes, batch.images)
        return adversarial + self.config.l1 * error, {"G/adversarial": adversarial, "G/l1": error}

    def degrade(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        if self.config.task == "superresolution":
            return shrink(images, self.config.factor)
        return draw_edges(images) if self.config.task == "edges" else greyscale(images)

    def full_size(self, inputs: Tensor) -> Tensor:
        """Inputs at the resolution of the images."""
        return enlarge(inputs, self.config.factor) if self.config.task == "superresolution" else inputs

    def transform(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.G(self.full_size(inputs))

    def visible(self, inputs: Tensor) -> Tensor:
        if self.config.task == "superresolution":
            return interpolate(inputs, scale_factor=self.config.factor, mode="nearest")
        return inputs.expand(-1, self.config.channels, -1, -1)
