"""CycleGAN: translates images between two domains of which no pairs are known.

Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017,
arXiv:1703.10593: residual generators G: X -> Y and F: Y -> X with instance norm, PatchGAN discriminators, least
squares, cycle consistency (λ = 10), identity loss (λ / 2), a pool of 50 earlier images for the discriminators
(Shrivastava et al., arXiv:1612.07828). The domains are the classes 0 and 1 of the data set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.images import denormalize, normalize
from ganlib.losses import least_squares_g
from ganlib.models.contract import MODELS, MOST_IMAGES, MOST_LAYERS, Batch, ModelConfig, Phase
from ganlib.models.image_to_image import ImageToImage, Task
from ganlib.nn.patchgan import PatchDiscriminator, check_patch_layers, small_weights


@dataclass(frozen=True)
class CycleGANConfig(ModelConfig):
    width: int = option(64, "channels of the generators at full resolution", min=1)
    blocks: int = option(6, "residual blocks of each generator", min=1, max=MOST_LAYERS)
    d_width: int = option(64, "channels of the discriminators' first layer", min=1)
    d_layers: int = option(3, "strided layers of the discriminators: 3 see patches of 70 pixels, 2 of 34", min=1, max=8)
    cycle: float = option(10.0, "weight of the cycle's mean absolute error", min=0.0)
    identity: float = option(5.0, "weight of the same where an image is in the target domain already", min=0.0)
    pool: int = option(50, "earlier images of each domain that the discriminators also see, 0 = none", min=0, max=1000)
    lr: float = option(2e-4, "Adam's learning rate", min=0.0)
    beta1: float = option(0.5, "Adam's β1", min=0.0, max=0.999)
    schedule_images: int = option(
        0, "images by which the rate has fallen to 0, along the second half; 0 = constant", min=0, max=MOST_IMAGES
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_patch_layers(self.image_size, self.d_layers)

    @classmethod
    def tiny(cls) -> CycleGANConfig:
        return cls(image_size=16, channels=1, num_classes=2, width=4, blocks=1, d_width=4, d_layers=1, pool=3)


class ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        layers = [
            layer
            for _ in range(2)
            for layer in (nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width))
        ]
        self.net = nn.Sequential(*layers[:3], nn.ReLU(), *layers[3:])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


class Translator(nn.Module):
    """Of Johnson et al., arXiv:1603.08155: 7 x 7, two strides, residual blocks, two strides back, 7 x 7."""

    def __init__(self, c: CycleGANConfig) -> None:
        super().__init__()
        w = c.width

        def normed(conv: nn.Module, channels: int) -> list[nn.Module]:
            return [conv, nn.InstanceNorm2d(channels), nn.ReLU()]

        self.net = nn.Sequential(
            nn.ReflectionPad2d(3),
            *normed(nn.Conv2d(c.channels, w, 7), w),
            *normed(nn.Conv2d(w, 2 * w, 3, 2, 1), 2 * w),
            *normed(nn.Conv2d(2 * w, 4 * w, 3, 2, 1), 4 * w),
            *(ResidualBlock(4 * w) for _ in range(c.blocks)),
            *normed(nn.ConvTranspose2d(4 * w, 2 * w, 3, 2, 1, output_padding=1), 2 * w),
            *normed(nn.ConvTranspose2d(2 * w, w, 3, 2, 1, output_padding=1), w),
            nn.ReflectionPad2d(3),
            nn.Conv2d(w, c.channels, 7),
            nn.Tanh(),
        ).apply(small_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), H and W multiples of 4 -> (N, C, H, W) in [-1, 1]."""
        return self.net(x).float()


class ImagePool(nn.Module):
    """Up to ``capacity`` earlier images, as levels: a quarter of the memory, and what the real ones are."""

    levels: Tensor
    count: Tensor

    def __init__(self, c: CycleGANConfig) -> None:
        super().__init__()
        self.register_buffer("levels", torch.zeros(c.pool, c.channels, c.image_size, c.image_size, dtype=torch.uint8))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def exchange(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> the same, half of them exchanged for images of the pool once it is full."""
        capacity, result = len(self.levels), images.clone()
        for i, image in enumerate(images):
            stored = int(self.count)
            if stored < capacity:
                self.levels[stored] = as_levels(image)
                self.count += 1
            elif capacity and torch.rand(()) < 0.5:
                place = int(torch.randint(capacity, ()))
                result[i] = normalize(self.levels[place])
                self.levels[place] = as_levels(image)
        return result


def as_levels(image: Tensor) -> Tensor:
    return denormalize(image).round().clamp(0, 255).to(torch.uint8)


@MODELS.register("cyclegan")
class CycleGAN(ImageToImage):
    family = "image-to-image"
    display_name = "CycleGAN"
    colour = 4
    Config = CycleGANConfig
    config: CycleGANConfig
    ema_modules = ("G", "F")
    loss_kind = "least squares + cycle + identity"
    training_defaults = {"batch_size": 4}
    progress: Tensor  # of the schedule, 0 … 1

    def __init__(self, config: CycleGANConfig) -> None:
        super().__init__(config)
        if config.num_classes != 2:
            raise GanlibError(
                f"CycleGAN translates between two domains, the two classes of its data set, not {config.num_classes}; "
                "name a folder with two class folders, or mixture:SET#CLASS+SET#CLASS."
            )
        self.G, self.F = Translator(config), Translator(config)
        self.D_X, self.D_Y = (PatchDiscriminator(config.channels, config.d_width, config.d_layers) for _ in range(2))
        self.pool_X, self.pool_Y = ImagePool(config), ImagePool(config)
        self.register_buffer("progress", torch.zeros(()))

    @property
    def needs_labels(self) -> bool:
        return True

    @property
    def task(self) -> Task:
        return "translation"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return self.config.channels, self.config.image_size, self.config.image_size

    @property
    def multiple(self) -> int:
        return 4

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        networks = {"G": (self.G, self.F), "D": (self.D_X, self.D_Y)}
        optimizers: dict[str, Optimizer] = {
            name: Adam([p for net in nets for p in net.parameters()], c.lr, (c.beta1, 0.999))
            for name, nets in networks.items()
        }
        for optimizer in optimizers.values():
            optimizer.register_step_pre_hook(self.schedule)
        return optimizers

    def schedule(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """The rate is constant for one half of the training and falls linearly to 0 in the other."""
        for group in optimizer.param_groups:
            group["lr"] = self.config.lr * min(2 * (1 - self.progress.item()), 1.0)

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        total = self.config.schedule_images
        self.progress.fill_(min(images_seen / total, 1.0) if total else 0.0)
        return ()

    def phases(self) -> list[Phase]:
        return [Phase("G", "G", self.loss_g), Phase("D", "D", self.loss_d)]

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Of each domain that the batch has images of; Mao's least squares have a half that this paper's have not."""
        c = self.config
        total = batch.images.new_zeros(())
        logs: dict[str, Tensor] = {}
        for name, images, there, back, d in self.directions(batch):
            fakes = there(images)
            adversarial, cycle = 2 * least_squares_g(d(fakes)), l1_loss(back(fakes), images)
            total = total + adversarial + c.cycle * cycle
            logs |= {f"G/adversarial/{name}": adversarial, f"G/cycle/{name}": cycle}
            if c.identity:
                identity = l1_loss(back(images), images)
                total = total + c.identity * identity
                logs[f"G/identity/{name}"] = identity
        return total, logs

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """((D(y) - 1)² + D(G(x))²) / 2 of each discriminator; one half of it where the batch lacks a domain."""
        total = batch.images.new_zeros(())
        logs: dict[str, Tensor] = {}
        pools = {"X": self.pool_Y, "Y": self.pool_X}
        for name, images, there, _, d in self.directions(batch):
            with torch.no_grad():
                fakes = pools[name].exchange(there(images))
            own = self.D_X if name == "X" else self.D_Y
            real, fake = own(images), d(fakes)
            total = total + least_squares_g(real) + 0.5 * fake.square().mean()
            logs |= {f"D/real/{name}": real.mean(), f"D/fake/{name}": fake.mean()}
        return total, logs

    def directions(self, batch: Batch) -> Iterator[tuple[str, Tensor, nn.Module, nn.Module, nn.Module]]:
        """Each domain's images, the generators there and back, the discriminator of the domain that they lead to."""
        for label, name, there, back, d in (
            (0, "X", self.G, self.F, self.D_Y),
            (1, "Y", self.F, self.G, self.D_X),
        ):
            images = batch.images[batch.labels == label]
            if len(images):
                yield name, images, there, back, d

    def degrade(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """The images themselves: each is the input of its domain."""
        return images

    def transform(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            raise GanlibError("CycleGAN translates both ways: give the domain of each image, 0 or 1.")
        outputs = torch.empty_like(inputs)
        for label, net in ((0, self.G), (1, self.F)):
            rows = labels.to(inputs.device) == label
            if rows.any():
                outputs[rows] = net(inputs[rows])
        return outputs

    def visible(self, inputs: Tensor) -> Tensor:
        return inputs
