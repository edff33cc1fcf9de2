"""Statistics of real images, made once per extractor and split, stored beside the extractor, read ever after.

``<references>/<split>-<fingerprint>.safetensors``: mu (d,) and sigma (d, d) in float64, and in the metadata
n, split, fingerprint, extractor hash and the data set's name. Shipped with a classifier, they let every
machine evaluate without the data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ganlib.data import DataSet, Split, load_data
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.metrics.extractors import Extractor, extract
from ganlib.metrics.fidelity import Statistics, statistics
from ganlib.runs import Run

Progress = Callable[[str, int, int], None]  # what is being done, images done, images in all


def reference(
    run: Run,
    extractor: Extractor,
    split: Literal["train", "test"] = "train",
    *,
    root: str | None = None,
    batch: int = 64,
    progress: Progress = lambda text, done, total: None,
) -> Statistics:
    """Of the run's data set. GanlibError when nothing usable is stored and the data set is not at hand."""
    path = extractor.references / f"{split}-{run.fingerprint(split)}.safetensors"
    try:
        return read_reference(path, extractor)
    except GanlibError as error:
        reason = error
    try:
        real = load_split(run, split, root)
    except GanlibError as error:
        raise GanlibError(f"{reason} To make them afresh name the data set's place with --data-root: {error}") from None

    def report(done: int) -> None:
        progress(f"reference {run.data_name} {split}", done, len(real))

    found = statistics(extract(extractor, chunks(real, batch), len(real), report).features)
    content = save(
        {"mu": found.mu, "sigma": found.sigma},
        {
            "n": str(found.n),
            "split": split,
            "fingerprint": real.fingerprint,
            "extractor_hash": extractor.hash,
            "data": run.data_name,
        },
    )
    try:
        write_atomically(path, content)
    except OSError as error:
        raise GanlibError(f"The reference statistics cannot be stored as {path} ({error}).") from None
    return found


def read_reference(path: Path, extractor: Extractor) -> Statistics:
    """GanlibError when the file is absent, damaged or made by another extractor."""
    if not path.exists():
        raise GanlibError(f"There are no reference statistics {path}.")
    try:
        with safe_open(path, "np") as f:
            metadata = f.metadata() or {}
            mu, sigma, n = f.get_tensor("mu"), f.get_tensor("sigma"), int(metadata["n"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise GanlibError(f"The reference statistics {path} are damaged ({error}).") from None
    if metadata.get("extractor_hash") != extractor.hash:
        raise GanlibError(f"The reference statistics {path} were made with other weights of the extractor.")
    d = extractor.width
    if mu.shape != (d,) or sigma.shape != (d, d) or mu.dtype != np.float64 or sigma.dtype != np.float64:
        raise GanlibError(f"The reference statistics {path} are not float64 of width {d}.")
    return Statistics(mu, sigma, n)


def load_split(run: Run, split: Literal["train", "test"], root: str | None) -> Split:
    """The very images that the run knows; GanlibError when they are absent or other pixels."""
    c = run.config
    data: DataSet = load_data(run.data_name, size=c.image_size, channels=c.channels, root=root)
    found = data.train if split == "train" else data.test
    if found.fingerprint != run.fingerprint(split):
        raise GanlibError(
            f"The {split} images of {run.data_name} found here are not those of {run.name} (their pixels "
            "differ); name their folder with --data-root."
        )
    return found


def chunks(split: Split, batch: int) -> Iterator[NDArray[np.uint8]]:
    """(m, H, W, C) uint8, copied: torch does not take the memory map's read-only pages."""
    for start in range(0, len(split), batch):
        yield np.array(split.images[start : start + batch])
