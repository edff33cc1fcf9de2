"""A classifier run as an extractor of features."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ganlib.images import normalize
from ganlib.runs import Run


class EmbeddedFeatures(nn.Module):
    """The network of a run of the model ``classifier``."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.classifier: Any = run.load()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) levels 0 … 255 -> features (N, d) and logits (N, K)."""
        # torch-fidelity hands over grey images with three equal channels.
        x = normalize(images[:, : self.classifier.config.channels])
        features = self.classifier.features(x)
        return features, self.classifier.head(features).float()
