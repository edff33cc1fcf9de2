"""What diffusion models and flows share: a U-Net's config, a class that can be left out, guidance towards it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MOST_LAYERS, Batch, Latents
from ganlib.models.options import Option
from ganlib.models.samplers import guided
from ganlib.nn.attributes import attribute_weights
from ganlib.nn.unet import UNet

GUIDANCE = Option(
    "guidance",
    1.0,
    "Classifier-free guidance: 0 ignores the class, 1 is the model as trained, more emphasises the class.",
    min=0.0,
    max=5.0,
    step=0.25,
)


def steps_option(default: int, most: int) -> Option:
    text = "Denoising steps: more are finer and slower."
    return Option("steps", min(default, most), text, kind="int", min=1, max=most)


@dataclass(frozen=True)
class GuidedConfig(AttributesConfig):
    class_conditional: bool = option(True, "condition on the class, where the data set has classes")
    label_dropout: float = option(
        0.1, "fraction of training images whose class is dropped, for classifier-free guidance", min=0.0, max=1.0
    )
    lr: float = option(4e-4, "Adam's learning rate", min=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_width and self.label_dropout == 1:
            raise GanlibError(
                "label_dropout 1 drops every class, so that none is learnt; give less, such as 0.1, or leave classes "
                "out with --no-class-conditional."
            )

    @property
    def label_width(self) -> int:
        return super().label_width if self.class_conditional else 0


@dataclass(frozen=True)
class UNetConfig(GuidedConfig):
    width: int = option(48, "channels at the highest resolution", min=4)
    multipliers: tuple[int, ...] = option((1, 2, 2), "channels at each lower resolution, in widths", min=1)
    blocks: int = option(1, "residual blocks at each resolution", min=1, max=MOST_LAYERS)
    attention: tuple[int, ...] = option((8,), "resolutions with self-attention", min=1)
    dropout: float = option(0.0, "fraction of features dropped in each residual block", min=0.0, max=0.9)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.multipliers or self.image_size >> (len(self.multipliers) - 1) < 2:
            raise GanlibError(
                f"{len(self.multipliers)} multipliers do not fit {self.image_size} pixels; give one to "
                f"{self.image_size.bit_length() - 1}."
            )

    def build_unet(self, extra_width: int = 0) -> UNet:
        return UNet(
            self.image_size,
            self.channels,
            width=self.width,
            multipliers=self.multipliers,
            blocks=self.blocks,
            attention=self.attention,
            dropout=self.dropout,
            label_width=self.label_width + 1 if self.label_width else 0,  # the last one is the null label
            extra_width=extra_width,
        )


class Guided(EmbedsAttributes):
    """One network over whole images, trained with the class of some images left out; its latents are noise."""

    family = "diffusion"
    config: Any
    encodes_by_class = True
    default_steps: ClassVar[int]
    """Of ``trace``, unless ``steps`` are given."""

    @property
    def network(self) -> nn.Module:
        return self.get_submodule(self.ema_modules[0])

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    @property
    def guidance_options(self) -> tuple[Option, ...]:
        """``GUIDANCE``; none where training saw no images without their class."""
        return (GUIDANCE,) if self.conditional and self.config.label_dropout else ()

    def optimizers(self) -> dict[str, Optimizer]:
        return {self.ema_modules[0]: Adam(self.network.parameters(), self.config.lr)}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.channels, self.config.image_size, self.config.image_size)

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        *_, image = self.trace(latents, labels, **options)
        return image

    def stages(self, *, steps: int | Tensor | None = None, **options: Any) -> int:
        return int(torch.as_tensor(self.default_steps if steps is None else steps).max())

    # The class, or none.

    @property
    def null_label(self) -> Tensor:
        """(label_width + 1,) one-hot weights of the null label, which stands for no class."""
        return torch.eye(self.config.label_width + 1, device=self.device)[-1]

    def null_extended(self, labels: Tensor | None) -> Tensor:
        """Labels -> (N, label_width + 1) weights, 0 on the null label."""
        return pad(attribute_weights(self.class_weights(labels), self.config.attributes), (0, 1))

    def label_condition(self, labels: Tensor | None) -> Tensor | None:
        """Labels as ``generate`` gets them -> the network's condition, None where the model is unconditional."""
        if not self.conditional:
            self.refuse_labels(labels)
            return None
        return self.null_extended(labels)

    def training_condition(self, batch: Batch) -> Tensor | None:
        """A batch's condition, with the null label in place of some of its classes."""
        if not self.conditional:
            return None
        y = self.null_extended(batch.labels)
        y[torch.rand(len(y), device=y.device) < self.config.label_dropout] = self.null_label
        return y

    def null_condition(self, n: int) -> Tensor | None:
        """(n, label_width + 1) of no class, None where the model is unconditional.

        Of all classes alike where training dropped none, since the null label was never learnt.
        """
        if not self.conditional:
            return None
        uniform = (1 - self.null_label) / self.config.label_width
        return (self.null_label if self.config.label_dropout else uniform).expand(n, -1)

    def encoding_condition(self, labels: Tensor | None, n: int) -> Tensor | None:
        """The condition of n images that are encoded: of their classes, without labels of none."""
        return self.null_condition(n) if labels is None else self.label_condition(labels)

    def with_guidance(
        self,
        predict: Callable[[Tensor, Tensor, Tensor | None], Tensor],
        x: Tensor,
        level: Tensor,
        y: Tensor | None,
        weight: float | Tensor = 1.0,
    ) -> Tensor:
        """``predict(x, level, y)``, beside what it is without the class."""
        return predict(x, level, y) if y is None else guided(predict, x, level, y, self.null_label.expand_as(y), weight)
