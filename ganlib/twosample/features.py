"""Features of images that need not be a run's, computed once and stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.metrics.extractors import EXTRACTORS
from ganlib.metrics.imagenet import load_imagenet
from ganlib.metrics.weights import file_hash
from ganlib.nn.efficientnet import LITE
from ganlib.runs import Run
from ganlib.settings import reference_cache

BATCH = 64

Images = NDArray[np.uint8]
Features = NDArray[np.float32]


@dataclass
class FeatureNetwork:
    """One extractor for all images of a comparison. ``hash``: 12 hex digits of its weights."""

    name: str
    hash: str
    resizer: str
    device: torch.device
    compute: Callable[[Tensor], Tensor]  # (N, C, H, W) bytes -> (N, d)
    cache: Path = field(default_factory=lambda: reference_cache() / "features")

    def __call__(
        self, images: Images, progress: Callable[[int], None] = lambda done: None, *, store: bool = False
    ) -> Features:
        """(N, H, W, C) -> (N, d). ``store``: keep them for another comparison, as those of data sets are."""
        path = self.cache / f"{self.name.replace(':', '-')}-{self.hash}-{fingerprint(images)}.npy"
        if store and (stored := _read(path, len(images))) is not None:
            return stored
        parts = []
        for start in range(0, len(images), BATCH):
            parts.append(self._batch(np.array(images[start : start + BATCH])))
            progress(start + len(parts[-1]))
        features = np.concatenate(parts)
        if not np.isfinite(features).all():
            raise GanlibError(f"Some features of {self.name} are not finite: its weights are broken.")
        if store:
            buffer = BytesIO()
            np.save(buffer, features)
            write_atomically(path, buffer.getvalue())
        return features

    def _batch(self, images: Images) -> Features:
        def compute() -> Tensor:
            x = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2)
            return self.compute(x.expand(-1, 3, -1, -1) if x.shape[1] == 1 and self.name != "embedded" else x)

        return on_device(self.device, compute).float().cpu().numpy()


def feature_network(name: str, device: torch.device, run: Run | None) -> FeatureNetwork:
    """An extractor by name; those that are no ImageNet network need a ``run``, whose data set they go with."""
    if name in LITE or ":" in name or "@" in name:
        loaded = load_imagenet(name, None)
        network = loaded.features.to(device)
        resizer = f"torch antialiased bilinear {network.side}"
        return FeatureNetwork(loaded.name, file_hash(loaded.path), resizer, device, lambda x: network(x)[0])
    extract = EXTRACTORS[name]
    if run is None:
        raise GanlibError(f"The extractor {name} goes with a run; neither side is one: use efficientnet_lite0.")
    extractor = extract(run, device, None)
    return FeatureNetwork(name, extractor.hash, extractor.resizer, device, lambda x: extractor.network(x)[0])


def fingerprint(images: Images) -> str:
    digest = sha256(str(images.shape).encode())
    for start in range(0, len(images), 1024):
        digest.update(images[start : start + 1024].tobytes())
    return digest.hexdigest()[:16]


def _read(path: Path, n: int) -> Features | None:
    """None where the file is absent or damaged: it is computed again."""
    try:
        features = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return features if features.ndim == 2 and len(features) == n and features.dtype == np.float32 else None
