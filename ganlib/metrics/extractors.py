"""What turns images into features. Another extractor is one more function in ``EXTRACTORS``.

embedded    the classifier run trained on the same images, from the gallery or the local runs: works offline
inception   torch-fidelity's InceptionV3, whose FID is the published one
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.devices import is_out_of_memory, on_device
from ganlib.errors import GanlibError
from ganlib.metrics.fidelity import EMBEDDED, EmbeddedFeatures, inception_features, inception_weights
from ganlib.metrics.partial import Partial
from ganlib.registry import Registry
from ganlib.runs import Run, run_roots, scan


class Extracted(NamedTuple):
    features: Tensor  # (n, d) float32 on the CPU
    logits: Tensor  # (n, K)


@dataclass(frozen=True)
class Extractor:
    name: str
    identity: str  # the run or file that the weights are from
    hash: str  # 12 hex digits of the weights
    resizer: str
    width: int  # d
    classes: int  # K, of its logits
    own_classes: bool  # whether those are the classes of the data set
    references: Path  # where statistics of real images are kept
    device: torch.device
    network: Callable[[Tensor], tuple[Tensor, ...]]  # (N, C, H, W) uint8 -> (N, d), (N, K) logits

    def __call__(self, images: NDArray[np.uint8]) -> tuple[Tensor, ...]:
        """(N, H, W, C) uint8 -> what ``network`` gives. What does not fit in memory is done in halves."""

        def compute() -> tuple[Tensor, ...]:
            x = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2)
            return tuple(y.cpu() for y in self.network(x))

        try:
            return on_device(self.device, compute)
        except RuntimeError as error:
            if not is_out_of_memory(error) or len(images) == 1:
                raise
        half = len(images) // 2
        return tuple(map(torch.cat, zip(self(images[:half]), self(images[half:]), strict=True)))


def extract(
    extractor: Extractor,
    chunks: Callable[[int], Iterable[NDArray[np.uint8]]],
    n: int,
    progress: Callable[[int], None] = lambda done: None,
    partial: Partial | None = None,
) -> Extracted:
    """Features of n images; ``chunks(start)`` gives those from there on, (m, H, W, C) uint8 each.

    A chunk is dropped once it is measured. With ``partial`` it goes on where an earlier call was killed.
    """
    rows = torch.empty(n, extractor.width + extractor.classes)
    kept = partial.rows(rows.shape[1])[:n] if partial else rows[:0]
    done = len(kept)
    rows[:done] = kept
    for images in chunks(done) if done < n else ():
        found = torch.cat(extractor(images), dim=1)
        rows[done : done + len(found)] = found
        if partial:
            partial.write(found, done)
        done += len(found)
        progress(done)
    return Extracted(*rows.split([extractor.width, extractor.classes], dim=1))


EXTRACTORS: Registry[Callable[[Run, torch.device, str | None], Extractor]] = Registry("extractor")


@EXTRACTORS.register("embedded")
def embedded(run: Run, device: torch.device, weights: str | None) -> Extractor:
    """The classifier of the run's own data set; GanlibError names the command that trains a missing one."""
    if weights:
        raise GanlibError("--extractor-weights goes with --extractor inception; the embedded one is a run.")
    found = find_classifier(run)
    network: Any = EmbeddedFeatures(EMBEDDED, ["features", "logits"], str(found.path)).to(device).eval()
    return Extractor(
        name="embedded",
        identity=found.name,
        hash=found.weights_hash,
        resizer="none",
        width=network.classifier.feature_width,
        classes=network.classifier.config.num_classes,
        own_classes=True,
        references=found.path / "references",
        device=device,
        network=network,
    )


@EXTRACTORS.register("inception")
def inception(run: Run, device: torch.device, weights: str | None) -> Extractor:
    path = inception_weights(weights)
    network: Any = inception_features(path).to(device).eval()
    key = file_hash(path)
    cache = os.environ.get("GANLIB_CACHE")
    home = Path(cache).expanduser() if cache else Path.home() / ".cache" / "ganlib"
    return Extractor(
        name="inception",
        identity=path.name,
        hash=key,
        resizer="torch-fidelity bilinear 299",
        width=2048,
        classes=1008,
        own_classes=False,
        references=home / "references" / f"inception-{key}",
        device=device,
        network=lambda x: network(x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x),
    )


def find_classifier(run: Run) -> Run:
    """The first classifier of the run roots that was trained on this run's very images."""
    c = run.config
    for other in scan(run_roots())[0]:
        same_size = (other.config.image_size, other.config.channels) == (c.image_size, c.channels)
        same_data = run.data.get("train") and other.data.get("train") == run.data.get("train")
        if other.model_name == "classifier" and same_size and same_data:
            return other
    if not run.classes:
        raise GanlibError(
            f"{run.data_name} has no classes, so that no classifier can measure {run.name}; use --extractor inception."
        )
    raise GanlibError(
        f"No run is a classifier of {run.data_name} at {c.image_size}x{c.image_size}, with which to measure "
        f"{run.name}; train one: python -m ganlib train classifier --data {run.data_name} "
        f"--image-size {c.image_size} --channels {c.channels} --images 1000000"
    )


def file_hash(path: Path) -> str:
    """12 hex digits of SHA-256, as of a run's weights."""
    with path.open("rb") as f:
        return file_digest(f, "sha256").hexdigest()[:12]
