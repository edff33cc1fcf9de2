"""SRGAN: enlarges images; the residual network SRResNet, trained on pixels, features and against a discriminator.

Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR 2017,
arXiv:1609.04802: 16 residual blocks, sub-pixel convolutions, content loss plus 1e-3 of the adversarial one, begun from
SRResNet (``--adversarial 0 --feature 0``, then ``--start`` from that run with both weights given). Kim, Lee, Lee,
arXiv:1511.04587: the network adds what the bicubic enlargement lacks.

Features are EfficientNet-Lite's of unit length, a distance in [0, 4], where the paper has squared differences of
VGG's, scaled by 0.006. Both sides are moved alike by a random part of the features' stride, whose grid would else
show in the pictures, as it did on photographs enlarged twice. On faces (×4, from SRResNet) the weighted gradients at
G's last layer were after 200 steps 0.010 of pixels, 0.032 of features and 0.024 of D; with an adversarial weight of
0.02, 0.021, 0.060 and 0.084: G then outran D and pictures had grain.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate, mse_loss
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, MOST_LAYERS, Batch, ModelConfig, Phase
from ganlib.models.image_to_image import ImageToImage, Task
from ganlib.nn.crops import random_crops
from ganlib.nn.degradations import enlarge, shrink
from ganlib.nn.efficientnet import feature_pyramid
from ganlib.nn.perceptual import STRIDE, feature_distance, perceptual_features


@dataclass(frozen=True)
class SRGANConfig(ModelConfig):
    scale: int = option(4, "how many times larger the output is: 2, 4 or 8", min=2, max=8)
    width: int = option(64, "channels of G", min=1)
    blocks: int = option(16, "residual blocks of G", min=1, max=MOST_LAYERS)
    d_width: int = option(64, "channels of D's first layer", min=1)
    crop_size: int = option(0, "side of the random crops to train on, a multiple of scale; 0 = whole images", min=0)
    pixel: float = option(1.0, "weight of the mean squared error of pixels", min=0.0)
    feature: float = option(0.1, "weight of the distance of EfficientNet features", min=0.0)
    adversarial: float = option(1e-3, "weight of the adversarial loss, 0 = SRResNet, without D", min=0.0)
    residual: bool = option(True, "G adds to the bicubic enlargement")
    lr: float = option(1e-4, "Adam's learning rate", min=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale not in (2, 4, 8) or self.image_size // self.scale < 4:
            raise GanlibError(f"scale must be 2, 4 or 8 and leave 4 pixels of {self.image_size}, not {self.scale}.")
        # D halves a crop four times. Where nothing is left to halve, oneDNN's gradients in bf16 are not finite.
        least = max(16, 4 * self.scale)
        if self.crop_size % self.scale or (self.crop_size and not least <= self.crop_size <= self.image_size):
            raise GanlibError(
                f"crop_size must be a multiple of {self.scale} from {least} to {self.image_size}, or 0 for "
                f"whole images, not {self.crop_size}."
            )
        if not (self.pixel or self.feature or self.adversarial):
            raise GanlibError("Nothing is learned with pixel, feature and adversarial all 0; set one of them.")

    @classmethod
    def tiny(cls) -> SRGANConfig:
        return cls(image_size=32, channels=1, num_classes=3, scale=2, width=4, blocks=1, d_width=4, crop_size=16)

    @property
    def training_size(self) -> int:
        """Side of the images that the losses see."""
        return self.crop_size or self.image_size


class ResidualBlock(nn.Module):
    """Conv, norm, PReLU, conv, norm, and the shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


class SRResNet(nn.Module):
    def __init__(self, c: SRGANConfig) -> None:
        super().__init__()
        w = c.width
        self.head = nn.Sequential(nn.Conv2d(c.channels, w, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(
            *(ResidualBlock(w) for _ in range(c.blocks)), nn.Conv2d(w, w, 3, padding=1, bias=False), nn.BatchNorm2d(w)
        )
        up: list[nn.Module] = []
        for _ in range(c.scale.bit_length() - 1):
            up += [nn.Conv2d(w, 4 * w, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()]
        last = nn.Conv2d(w, c.channels, 9, padding=4)
        if c.residual:
            nn.init.normal_(last.weight, std=1e-3)  # at first the output is the bicubic enlargement
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.tail = nn.Sequential(*up, last)
        self.scale, self.residual = c.scale, c.residual

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) of any size -> (N, C, scale H, scale W), about in [-1, 1]."""
        h = self.head(x)
        y = self.tail(h + self.body(h)).float()
        return y + enlarge(x, self.scale) if self.residual else y


class Discriminator(nn.Module):
    """Eight convolutions, every second of stride 2, then two dense layers."""

    def __init__(self, c: SRGANConfig) -> None:
        super().__init__()
        w, cin = c.d_width, c.channels
        layers: list[nn.Module] = []
        for i, cout in enumerate((w, w, 2 * w, 2 * w, 4 * w, 4 * w, 8 * w, 8 * w)):
            layers += [nn.Conv2d(cin, cout, 3, 1 + i % 2, 1), nn.BatchNorm2d(cout) if i else nn.Identity()]
            layers.append(nn.LeakyReLU(0.2))
            cin = cout
        side = -(-c.training_size // 16)
        self.net = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(8 * w * side**2, 16 * w), nn.LeakyReLU(0.2), nn.Linear(16 * w, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N,) logits, high for real."""
        return self.net(x).squeeze(1).float()


@MODELS.register("srgan")
class SRGAN(ImageToImage):
    family = "image-to-image"
    display_name = "SRGAN"
    colour = 0
    Config = SRGANConfig
    config: SRGANConfig
    ema_modules = ("G",)
    training_defaults = {"batch_size": 16}

    def __init__(self, config: SRGANConfig) -> None:
        super().__init__(config)
        self.G, self.D = SRResNet(config), Discriminator(config)
        parts = {"squared error": config.pixel, "features": config.feature, "non-saturating": config.adversarial}
        self.loss_kind = " + ".join(name for name, weight in parts.items() if weight)

    @property
    def task(self) -> Task:
        return "superresolution"

    @property
    def condition(self) -> str:
        return f"superresolution x{self.config.scale}"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        side = self.config.image_size // self.config.scale
        return self.config.channels, side, side

    @property
    def multiple(self) -> int:
        return 1

    def before_training(self) -> None:
        """GanlibError where the features' weights are not installed."""
        if self.config.feature:
            feature_pyramid(self.device)

    def optimizers(self) -> dict[str, Optimizer]:
        return {name: Adam(net.parameters(), self.config.lr) for name, net in [("D", self.D), ("G", self.G)]}

    def phases(self) -> list[Phase]:
        generator = Phase("G", "G", self.loss_g)
        return [Phase("D", "D", self.loss_d), generator] if self.config.adversarial else [generator]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        images = self.training_images(batch)
        with torch.no_grad():
            fakes = self.G(self.degrade(images))
        real, fake = self.D(images), self.D(fakes)
        return nonsaturating_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        c, images = self.config, self.training_images(batch)
        fakes = self.G(self.degrade(images))
        parts = {"pixel": mse_loss(fakes, images)}
        if c.feature:
            shift = torch.randint(STRIDE, (2,)).tolist()
            with torch.no_grad():
                target = perceptual_features(images.roll(shift, (2, 3)))
            parts["feature"] = feature_distance(perceptual_features(fakes.roll(shift, (2, 3))), target).mean()
        if c.adversarial:
            parts["adversarial"] = nonsaturating_g(self.D(fakes))
        loss = torch.stack([getattr(c, name) * value for name, value in parts.items()]).sum()
        return loss, {f"G/{name}": value for name, value in parts.items()}

    def training_images(self, batch: Batch) -> Tensor:
        """A random crop of each image, or the whole, from the global random state."""
        return random_crops(batch.images, self.config.crop_size) if self.config.crop_size else batch.images

    def degrade(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        return shrink(images, self.config.scale)

    def transform(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.G(inputs).clamp(-1, 1)

    def visible(self, inputs: Tensor) -> Tensor:
        return interpolate(inputs, scale_factor=self.config.scale, mode="nearest")
