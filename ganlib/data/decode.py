"""Decodes a source into .npy files with a fingerprint; unreadable images are skipped and listed."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.data.pictures import to_square
from ganlib.data.sets import SPLITS, Contents, Source, SplitName
from ganlib.errors import GanlibError

MAX_SKIPPED_NAMES = 20  # unreadable files that meta.json lists by name
ROWS = 1024  # images hashed and copied at a time
Progress = Callable[[int, int], None]


def build_arrays(
    source: Source, contents: Contents, folder: Path, size: int, channels: int, progress: Progress | None
) -> None:
    """Fill ``folder`` with images and labels of both splits and meta.json, which is written last."""
    decoded, skipped = _decode(contents, folder, size, channels, progress)
    meta: dict[str, Any] = {"name": source.name, "source": source.identity, "classes": contents.classes}
    meta |= {"skipped": sorted(skipped)[:MAX_SKIPPED_NAMES], "skipped_count": len(skipped)}
    meta |= {"shapes": {}, "fingerprints": {}}
    for split in SPLITS:
        labels = contents.labels[split][decoded[split]]
        if not len(labels):
            reason = f" ({len(skipped)} unreadable, {min(skipped)})" if skipped else ""
            raise GanlibError(f"{source.name} has no readable image for its {split} split{reason}; add images to it.")
        if (
            split == "train"
            and not source.attributes
            and (empty := set(range(len(contents.classes))) - set(labels.tolist()))
        ):
            raise GanlibError(
                f"The class {contents.classes[min(empty)]!r} of {source.name} has no readable image to train "
                f"on; add some or remove the class."
            )
        shape = (len(labels), size, size, channels)
        rows = np.memmap(folder / f"{split}.rows", np.uint8, "r", shape=(len(decoded[split]), *shape[1:]))
        meta["shapes"][split] = shape
        meta["fingerprints"][split] = _write(folder, split, rows, decoded[split], labels, contents.classes)
        (folder / f"{split}.rows").unlink()
    (folder / "meta.json").write_text(json.dumps(meta, indent=1))


def _decode(
    contents: Contents, folder: Path, size: int, channels: int, progress: Progress | None
) -> tuple[dict[SplitName, NDArray[np.bool_]], list[str]]:
    """Images arrive in any order: each is written to its own row of ``<split>.rows``.

    -> masks of the rows that were decoded, and "name: reason" of each skipped image.
    """
    decoded = {split: np.zeros(len(contents.labels[split]), bool) for split in SPLITS}
    skipped: list[str] = []
    total, width = sum(map(len, decoded.values())), size * size * channels
    files = {split: (folder / f"{split}.rows").open("wb") for split in SPLITS}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata: one warning per image would flood the terminal
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            for done, item in enumerate(contents.items, 1):
                try:
                    pixels = to_square(item.open(), size, channels)
                except Exception as e:  # PIL's decoders raise almost any exception on damaged files
                    reason = "not an image" if type(e).__name__ == "UnidentifiedImageError" else str(e)
                    skipped.append(f"{item.name}: {reason or type(e).__name__}")
                else:
                    files[item.split].seek(item.row * width)
                    files[item.split].write(pixels.tobytes())
                    decoded[item.split][item.row] = True
                if progress and (done % 500 == 0 or done == total):
                    progress(done, total)
        for split, file in files.items():
            file.truncate(len(decoded[split]) * width)
    finally:
        for file in files.values():
            file.close()
    return decoded, skipped


def _write(
    folder: Path,
    split: SplitName,
    rows: NDArray[np.uint8],
    decoded: NDArray[np.bool_],
    labels: NDArray[np.int64],
    classes: Sequence[str],
) -> str:
    """Write the decoded rows and their labels as .npy -> their fingerprint."""
    digest, shape = hashlib.sha256(), (len(labels), *rows.shape[1:])
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    indices = np.flatnonzero(decoded)
    with (folder / f"{split}.images.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(indices), ROWS):
            chunk = rows[indices[start : start + ROWS]].tobytes()
            digest.update(chunk)
            file.write(chunk)
    np.save(folder / f"{split}.labels.npy", labels)
    digest.update(labels.astype("<i8").tobytes())
    digest.update(json.dumps([shape, classes]).encode())
    return digest.hexdigest()[:16]
