"""Models whose condition is an image: inpainting, super-resolution, translation, sketches, colour, augmentation."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from torch import Generator, Tensor

from ganlib.models.contract import Trainable

Task = Literal["inpainting", "superresolution", "translation", "edges", "colour", "augmentation"]


class ImageToImage(Trainable):
    """Images in, images out.

    It learns from whole images alone: ``degrade`` makes the inputs of those, so that batches stay one stream. A domain
    is a class of the data set.
    """

    @property
    @abstractmethod
    def task(self) -> Task:
        """What ``transform`` does."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an input as in training."""

    @property
    def multiple(self) -> int:
        """Inputs of other sizes may have sides that are multiples of this; 0 where there are no others."""
        return 0

    @property
    def scale(self) -> int:
        """Pixels of a side of the output for one of the input."""
        return self.config.image_size // self.input_shape[1]

    @property
    def condition(self) -> str:
        """The task with all that its inputs depend on, which two numbers must share to be compared."""
        return self.task

    @property
    def paired(self) -> bool:
        """Whether the image that an input was made of is the wanted output; else any of a domain, or class, is."""
        return self.task not in ("translation", "augmentation")

    @abstractmethod
    def degrade(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """(N, C, H, W) in [-1, 1] -> inputs (N, *input_shape); what is random comes from the CPU ``generator``."""

    @abstractmethod
    def transform(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, *input_shape) in [-1, 1] -> (N, C, H, W) in [-1, 1]. Labels (N,): the inputs' domains, in translation."""

    @abstractmethod
    def visible(self, inputs: Tensor) -> Tensor:
        """Inputs as images of the output's size and channels, to be seen beside it: (N, C, H, W) in [-1, 1]."""
