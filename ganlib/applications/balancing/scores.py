"""What a classifier's predictions of real images are worth, class by class."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, recall_score

from ganlib.data import Split
from ganlib.devices import on_device
from ganlib.images import from_uint8
from ganlib.metrics.references import chunks
from ganlib.models import Classifies

BATCH = 256


def predict(classifier: Classifies, split: Split, device: torch.device) -> NDArray[np.int64]:
    """(N,) classes."""

    def classify(images: NDArray[np.uint8]) -> torch.Tensor:
        return classifier.classify(from_uint8(images, device)).argmax(1).cpu()

    return torch.cat([on_device(device, partial(classify, part)) for part in chunks(split, BATCH)]).numpy()


def scores(labels: NDArray[np.int64], predicted: NDArray[np.int64], num_classes: int) -> dict[str, Any]:
    """accuracy, balanced_accuracy, f1 (mean over classes), recall_0 … recall_K-1; of classes that are tested."""
    classes = np.arange(num_classes)
    recalls = recall_score(labels, predicted, labels=classes, average=None, zero_division=np.nan)
    return {
        "accuracy": float((labels == predicted).mean()),
        "balanced_accuracy": float(balanced_accuracy_score(labels, predicted)),
        "f1": float(f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0.0)),
        **{f"recall_{label}": float(recall) for label, recall in enumerate(recalls)},
    }


def confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
    """(K, K) images: rows are true classes."""
    matrix: NDArray[np.int64] = confusion_matrix(labels, predicted, labels=np.arange(num_classes))
    return matrix
