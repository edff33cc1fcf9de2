"""Decodes a source into .npy files with a fingerprint; unreadable images are skipped and listed."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.data.levels import COLOUR_KIND, Range, describe, describe_colour, kind_of, value_range
from ganlib.data.pictures import to_square
from ganlib.data.sets import SPLITS, Contents, Item, Progress, Source, SplitName
from ganlib.errors import GanlibError
from ganlib.picture_files import describe_failure

MAX_SKIPPED_NAMES = 20  # unreadable files that meta.json lists by name
ROWS = 1024  # images hashed and copied at a time


def build_arrays(
    source: Source, contents: Contents, folder: Path, size: int, channels: int, progress: Progress | None
) -> None:
    """Fill ``folder`` with images and labels of both splits and meta.json, which is written last."""
    decoded, skipped, ranges, colours = _decode(source, contents, folder, size, channels, progress)
    meta: dict[str, Any] = {"name": source.name, "source": source.identity, "classes": contents.classes}
    meta |= {"skipped": sorted(skipped)[:MAX_SKIPPED_NAMES], "skipped_count": len(skipped)}
    scales = [describe(kind, values) for kind, values in sorted(ranges.items())]
    dark = [note for kind, high in sorted(colours.items()) if (note := describe_colour(kind, high))]
    meta |= {"notes": [*contents.notes, *scales, *dark]}
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


class _Decoded(NamedTuple):
    rows: dict[SplitName, NDArray[np.bool_]]  # masks of the rows that were decoded
    skipped: list[str]  # "name: reason" of each other image
    ranges: dict[str, Range]  # of the kinds of pictures of more than 8 bits
    colours: dict[str, int]  # highest level of those of more than 8 bits a channel


def _decode(
    source: Source, contents: Contents, folder: Path, size: int, channels: int, progress: Progress | None
) -> _Decoded:
    """Images arrive in any order: each is written to its own row of ``<split>.rows``.

    Those of more than 8 bits are read twice: what is white depends on the values of all of their kind.
    """
    decoded = {split: np.zeros(len(contents.labels[split]), bool) for split in SPLITS}
    result = _Decoded(decoded, [], {}, {})
    total, width = sum(map(len, decoded.values())), size * size * channels
    files = {split: (folder / f"{split}.rows").open("wb") for split in SPLITS}
    deep: set[str] = set()

    def read(item: Item) -> None:
        try:
            image = item.open()
            kind = kind_of(image)
            if kind and item.name not in deep:
                values = value_range(image)
                result.ranges[kind] = result.ranges[kind] | values if kind in result.ranges else values
                deep.add(item.name)
                return
            pixels = to_square(image, size, channels, result.ranges)
            if colour := image.info.get(COLOUR_KIND):
                result.colours[colour] = max(result.colours.get(colour, 0), int(pixels.max()))
        except Exception as e:  # PIL's decoders raise almost any exception on damaged files
            result.skipped.append(f"{item.name}: {describe_failure(e)}")
        else:
            files[item.split].seek(item.row * width)
            files[item.split].write(pixels.tobytes())
            decoded[item.split][item.row] = True

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata: one warning per image would flood the terminal
            for done, item in enumerate(contents.items, 1):
                read(item)
                if progress and (done % 500 == 0 or done == total):
                    progress(done, total)
            for item in source.contents().items if deep else ():
                if item.name in deep:
                    read(item)
        for split, file in files.items():
            file.truncate(len(decoded[split]) * width)
    finally:
        for file in files.values():
            file.close()
    return result


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
