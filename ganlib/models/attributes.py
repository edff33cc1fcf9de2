"""Models that embed binary attributes one by one where the data set's classes are combinations of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlib.config import option
from ganlib.data.attributes import MAX_ATTRIBUTES
from ganlib.errors import GanlibError
from ganlib.models.contract import GenerativeModel, ModelConfig
from ganlib.nn.attributes import attribute_weights


@dataclass(frozen=True)
class AttributesConfig(ModelConfig):
    attributes: int = option(
        0,
        "binary attributes whose combinations are the classes, each embedded by itself; 0 embeds each class",
        min=0,
        max=MAX_ATTRIBUTES,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.attributes and self.num_classes != 2**self.attributes:
            raise GanlibError(
                f"{self.attributes} attributes have {2**self.attributes} combinations, not {self.num_classes} classes; "
                "leave --attributes out or set it to 0."
            )

    @property
    def label_width(self) -> int:
        """Columns of ``embedding_weights``, 0 without classes."""
        return 2 * self.attributes or self.num_classes


class EmbedsAttributes(GenerativeModel):
    """Its networks take one row of ``embedding_weights`` for each image."""

    config: Any

    def embedding_weights(self, labels: Tensor | None) -> Tensor | None:
        """(N, label_width) weights where the model is conditional, else None."""
        weights = super().embedding_weights(labels)
        return None if weights is None else attribute_weights(weights, self.config.attributes)

    def encoding_weights(self, labels: Tensor | None, n: int) -> Tensor | None:
        """``embedding_weights`` of n images that are encoded: without labels, of all classes alike."""
        k = self.config.num_classes
        if labels is None and self.conditional:
            labels = torch.full((n, k), 1 / k, device=self.device)
        return self.embedding_weights(labels)
