"""ResNet-9: a small residual classifier, whose features serve the metrics where Inception cannot be had.

Residual blocks after He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385;
the nine-layer shape and the one-cycle rate as in Page's DAWNBench entry (Smith & Topin, arXiv:1708.07120).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Optimizer

from ganlib.augment import random_shift
from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.contract import MODELS, MOST_IMAGES, Batch, ModelConfig, Phase, Trainable


@dataclass(frozen=True)
class ClassifierConfig(ModelConfig):
    width: int = option(32, "channels at full resolution", min=1)
    lr: float = option(0.1, "peak learning rate of SGD with Nesterov momentum 0.9", min=0.0)
    weight_decay: float = option(5e-4, "L2 weight decay", min=0.0)
    label_smoothing: float = option(0.1, "fraction of the target spread over all classes", min=0.0, max=0.9)
    schedule_images: int = option(
        1_000_000, "images over which the learning rate rises and falls to 0", min=1, max=MOST_IMAGES
    )
    class_weights: tuple[float, ...] = option((), "weight of each class in the loss; none: all alike", min=0.0)
    shift: int = option(4, "training images are shifted at random by up to this many pixels", min=0)

    @classmethod
    def tiny(cls) -> ClassifierConfig:
        return cls(image_size=16, channels=1, num_classes=3, width=4, schedule_images=1_000, shift=1)


def conv_block(cin: int, cout: int, *, pool: bool = False) -> nn.Sequential:
    layers = [nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU()]
    # Pooling before the ReLU gives the same values for a quarter of its work.
    return nn.Sequential(*layers[:2], nn.MaxPool2d(2), layers[2]) if pool else nn.Sequential(*layers)


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(conv_block(channels, channels), conv_block(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


@MODELS.register("classifier")
class Classifier(Trainable):
    family = "classifier"
    display_name = "ResNet-9"
    colour = 6
    Config = ClassifierConfig
    config: ClassifierConfig
    loss_kind = "cross-entropy"
    training_defaults = {"batch_size": 128}

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__(config)
        if config.num_classes < 2:
            raise GanlibError("A classifier needs a data set with at least two classes.")
        if len(config.class_weights) not in (0, config.num_classes):
            raise GanlibError(f"{len(config.class_weights)} class weights do not fit {config.num_classes} classes.")
        w = config.width
        self.trunk = nn.Sequential(
            conv_block(config.channels, w),
            conv_block(w, 2 * w, pool=True),
            Residual(2 * w),
            conv_block(2 * w, 4 * w, pool=True),
            conv_block(4 * w, 8 * w, pool=True),
            Residual(8 * w),
        )
        self.head = nn.Linear(8 * w, config.num_classes)
        self._sgd: SGD | None = None

    @property
    def needs_labels(self) -> bool:
        return True

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        self._sgd = SGD(self.parameters(), c.lr, momentum=0.9, nesterov=True, weight_decay=c.weight_decay)
        return {"all": self._sgd}

    def phases(self) -> list[Phase]:
        return [Phase("classify", "all", self.loss)]

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        if self._sgd is not None:
            progress = min(images_seen / self.config.schedule_images, 1)
            self._sgd.param_groups[0]["lr"] = self.config.lr * min(progress / 0.2, (1 - progress) / 0.8)
        return ()

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        logits = self.classify(random_shift(batch.images, self.config.shift))
        c = self.config
        losses = cross_entropy(logits, batch.labels, label_smoothing=c.label_smoothing, reduction="none")
        if c.class_weights:
            weights = torch.tensor(c.class_weights, device=logits.device)[batch.labels]
            loss = (weights * losses).sum() / weights.sum()
        else:
            loss = losses.mean()
        return loss, {"accuracy": (logits.argmax(1) == batch.labels).float().mean()}

    def features(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1] -> (N, feature_width): mean over positions of the last block."""
        return self.trunk(images).mean(dim=(2, 3)).float()

    def classify(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1] -> (N, K) logits."""
        return self.head(self.features(images)).float()

    @property
    def feature_width(self) -> int:
        return self.head.in_features
