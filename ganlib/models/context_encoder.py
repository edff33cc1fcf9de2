"""Context encoder: fills holes in images, learned by reconstruction and against a discriminator.

Pathak, Krähenbühl, Donahue, Darrell, Efros, "Context Encoders: Feature Learning by Inpainting", CVPR 2016,
arXiv:1604.07379: an encoder, a channel-wise fully connected layer that carries information across the whole image, a
decoder; squared error in the hole (0.999) and the adversarial loss (0.001). Holes are drawn anew for every image. D
sees the whole completed image, as its holes have all shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, ModelConfig, Phase
from ganlib.models.image_to_image import ImageToImage, Task
from ganlib.nn.masks import HOLES, Hole, draw_masks, join_mask, split_mask
from ganlib.nn.patchgan import small_weights

BOTTLENECK = 4  # pixels of a side


@dataclass(frozen=True)
class ContextEncoderConfig(ModelConfig):
    holes: tuple[Hole, ...] = option(HOLES, "kinds of holes to learn from, each as often")
    width: int = option(64, "channels of the first layer, doubled at each up to 8 times", min=1)
    d_width: int = option(64, "channels of D's first layer, likewise", min=1)
    reconstruction: float = option(0.999, "weight of the mean squared error in the hole", min=0.0)
    adversarial: float = option(0.001, "weight of the adversarial loss", min=0.0)
    lr: float = option(2e-3, "Adam's learning rate of the encoder and decoder", min=0.0)
    lr_d: float = option(2e-4, "Adam's learning rate of D", min=0.0)
    beta1: float = option(0.5, "Adam's β1", min=0.0, max=0.999)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.holes:
            raise GanlibError(f"Without holes there is nothing to learn; give some of {', '.join(HOLES)}.")

    @classmethod
    def tiny(cls) -> ContextEncoderConfig:
        return cls(image_size=16, channels=1, num_classes=3, width=4, d_width=4)


def encoder(c: ContextEncoderConfig, cin: int, width: int) -> tuple[list[nn.Module], int]:
    """Strided convolutions down to 4 x 4, and their last channels."""
    levels = c.image_size.bit_length() - BOTTLENECK.bit_length()
    layers: list[nn.Module] = []
    for i in range(levels):
        cout = width * min(2**i, 8)
        layers += [nn.Conv2d(cin, cout, 4, 2, 1), nn.BatchNorm2d(cout) if i else nn.Identity(), nn.LeakyReLU(0.2)]
        cin = cout
    return layers, cin


class ChannelwiseLinear(nn.Module):
    """Each channel's positions are fully connected; channels mix in a 1 x 1 convolution after it (section 3.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        positions = BOTTLENECK**2
        self.weight = nn.Parameter(torch.randn(channels, positions, positions) * positions**-0.5)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(torch.einsum("nci,cij->ncj", x.flatten(2), self.weight).view_as(x))


class Completer(nn.Module):
    def __init__(self, c: ContextEncoderConfig) -> None:
        super().__init__()
        down, channels = encoder(c, c.channels + 1, c.width)
        widths = [c.width * min(2**i, 8) for i in range(len(down) // 3)][::-1]
        up: list[nn.Module] = []
        for a, b in pairwise(widths):
            up += [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
        self.net = nn.Sequential(
            *down,
            ChannelwiseLinear(channels),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            *up,
            nn.ConvTranspose2d(widths[-1], c.channels, 4, 2, 1),
            nn.Tanh(),
        ).apply(small_weights)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C + 1, H, W) as ``join_mask`` has it -> (N, C, H, W) in [-1, 1], of which the hole counts."""
        return self.net(inputs).float()


@MODELS.register("context_encoder")
class ContextEncoder(ImageToImage):
    family = "image-to-image"
    display_name = "Context encoder"
    colour = 6
    Config = ContextEncoderConfig
    config: ContextEncoderConfig
    ema_modules = ("G",)
    loss_kind = "squared error + non-saturating"

    def __init__(self, config: ContextEncoderConfig) -> None:
        super().__init__(config)
        self.G = Completer(config)
        layers, channels = encoder(config, config.channels, config.d_width)
        self.D = nn.Sequential(*layers, nn.Conv2d(channels, 1, BOTTLENECK), nn.Flatten(0)).apply(small_weights)

    @property
    def task(self) -> Task:
        return "inpainting"

    @property
    def condition(self) -> str:
        return f"inpainting: {', '.join(self.config.holes)}"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return self.config.channels + 1, self.config.image_size, self.config.image_size

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            "D": Adam(self.D.parameters(), c.lr_d, (c.beta1, 0.999)),
            "G": Adam(self.G.parameters(), c.lr, (c.beta1, 0.999)),
        }

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        with torch.no_grad():
            fakes = self.transform(self.degrade(batch.images))
        real, fake = self.D(batch.images).float(), self.D(fakes).float()
        return nonsaturating_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        c, inputs = self.config, self.degrade(batch.images)
        completed, (_, masks) = self.transform(inputs), split_mask(inputs)
        # Outside the holes nothing differs: the mean is over the holes alone.
        error = (completed - batch.images).square().sum() / (masks.sum() * c.channels)
        adversarial = nonsaturating_g(self.D(completed).float())
        loss = c.reconstruction * error + c.adversarial * adversarial
        return loss, {"G/reconstruction": error, "G/adversarial": adversarial}

    def degrade(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        masks = draw_masks(self.config.holes, len(images), self.config.image_size, generator, images.device)
        return join_mask(images, masks)

    def transform(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        """What is known stays as it is."""
        images, masks = split_mask(inputs)
        return torch.lerp(images, self.G(inputs), masks)

    def visible(self, inputs: Tensor) -> Tensor:
        return split_mask(inputs)[0]
