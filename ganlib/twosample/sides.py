"""One side of a comparison: images of a run, of a folder or archive, or of a split or class of a data set.

RUN                      a run's images: seeds 0 … n-1, classes in turn
PATH, DATA               all images of a folder or archive; the training images of a data set
PATH#PART, DATA#PART     PART is a split (train, test), a class, or SPLIT/CLASS
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from ganlib.data.batches import stratified_subset
from ganlib.data.pictures import native_channels, to_square
from ganlib.data.sets import DATA_SETS, SPLITS, DataRequest, Item, Source, SplitName
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.runs import Run, find_run
from ganlib.sampling import CHUNK, check_options, sample_chunks
from ganlib.settings import data_roots

Images = NDArray[np.uint8]
Progress = Callable[[str, int, int], None]  # (stage, images done, images in all)

LARGEST_SIDE = 224  # pixels: the small network's largest input


class Encoding(NamedTuple):
    """Of a JPEG file: what it lost."""

    tables: tuple[tuple[int, ...], ...]
    subsampling: int


class File(NamedTuple):
    """Where an image came from, before it was cropped and scaled."""

    name: str
    format: str | None  # "JPEG", "PNG", …; None where a model generated it, or an array held it
    width: int
    height: int
    channels: int
    encoding: Encoding | None = None


@dataclass(frozen=True, eq=False)
class Origin:
    """A side that is located but not yet read."""

    name: str
    files: list[File]  # of its images, in the order in which they are read
    read: Callable[[int, int, Progress], tuple[Images, list[int]]]  # (size, channels) -> (m, S, S, C), which files
    labels: NDArray[np.int64]  # one a file; -1 = no class
    classes: tuple[str, ...] = ()
    run: Run | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # of ``generate``

    @property
    def side(self) -> int:
        """Median of the images' shorter sides in pixels."""
        return int(np.median([min(file.width, file.height) for file in self.files]))

    @property
    def channels(self) -> int:
        return max(file.channels for file in self.files)


@dataclass(frozen=True, eq=False)
class Side:
    """(N, S, S, C) uint8, the file of each image and its class; -1 = none."""

    name: str
    images: Images
    files: list[File]
    labels: NDArray[np.int64]
    classes: tuple[str, ...] = ()
    run: Run | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def fingerprint(self) -> str:
        """16 hex digits of SHA-256 over pixels and shape."""
        digest = sha256(str(self.images.shape).encode())
        digest.update(self.images.tobytes())
        return digest.hexdigest()[:16]


def source_and_part(name: str) -> tuple[str, str]:
    """Of "SOURCE#PART". Sets of a mixture may have a part of their own: only a split at its end is the mixture's."""
    if not name.startswith("mixture:"):
        return name.partition("#")[::2]
    source, _, part = name.rpartition("#")
    return (source, part) if part.partition("/")[0] in SPLITS else (name, "")


def locate(
    name: str, n: int, device: torch.device, *, options: dict[str, str] | None = None, root: str | None = None
) -> Origin:
    """What ``name`` means, of up to n images even over its classes. GanlibError where it means nothing."""
    source_name, part = source_and_part(name)
    path = Path(os.path.expanduser(source_name))
    is_run = (path / "config.json").exists()
    if not is_run and (os.path.exists(path) or source_name.partition(":")[0] in DATA_SETS):
        if options:
            raise GanlibError(f"{name} is no run, so leave the option {next(iter(options))!r} out.")
        return _locate_files(name, source_name, part, n, root)
    if part:
        raise GanlibError(f"{source_name} is neither a folder, an archive nor a data set, so it has no part {part!r}.")
    return _locate_run(find_run(source_name), n, device, options or {})


def read_side(origin: Origin, size: int, channels: int, progress: Progress = lambda stage, done, total: None) -> Side:
    """Its images, centre-cropped and scaled to ``size``. GanlibError where not one can be read."""
    images, rows = origin.read(size, channels, progress)
    if not len(images):
        raise GanlibError(f"No image of {origin.name} can be read; check its files.")
    files, labels = [origin.files[row] for row in rows], origin.labels[rows]
    return Side(origin.name, images, files, labels, origin.classes, origin.run, origin.options)


def _locate_run(run: Run, n: int, device: torch.device, options: dict[str, str]) -> Origin:
    model: Any = run.load(device)
    if not isinstance(model, GenerativeModel):
        raise GanlibError(f"{run.name} is a {run.model_name}, which generates nothing; choose a run that does.")
    checked = check_options(model, options)
    labels = torch.arange(n) % model.config.num_classes if model.conditional else None
    c = run.config

    def read(size: int, channels: int, progress: Progress) -> tuple[Images, list[int]]:
        images = np.empty((n, size, size, channels), np.uint8)
        done = 0
        for chunk in sample_chunks(model, range(n), labels, chunk=CHUNK, **checked):
            for image in chunk:
                picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
                images[done] = to_square(picture, size, channels)
                done += 1
            progress(f"generated by {run.name}", done, n)
        return images, list(range(n))

    files = [File(f"seed {seed}", None, c.image_size, c.image_size, c.channels) for seed in range(n)]
    of_run = np.full(n, -1) if labels is None else labels.numpy()
    return Origin(run.name, files, read, of_run, run.classes if model.conditional else (), run, checked)


def _locate_files(name: str, source_name: str, part: str, n: int, root: str | None) -> Origin:
    path = Path(os.path.expanduser(source_name))
    exists = os.path.exists(path)
    key, argument = ("folder", str(path)) if exists else source_name.partition(":")[::2]
    source = DATA_SETS[key].locate(DataRequest(argument or None, data_roots(root)))
    chosen = _choose(source, name, part, n, whole=exists or key == "folder")
    contents = source.contents()
    labels = {number: int(contents.labels[split][row]) for (split, row), number in chosen.items()}
    files: dict[int, File] = {}
    for number, item in _items(source, chosen):
        try:
            files[number] = _describe(item.name, item.open())
        except Exception:  # PIL's decoders raise almost any exception on damaged files; ``read`` leaves them out, too
            files[number] = File(item.name, "unreadable", 0, 0, 0)
    rows = sorted(number for number, file in files.items() if file.format != "unreadable")
    if not rows:
        raise GanlibError(f"No image of {name} can be read; check its files.")
    position = {number: i for i, number in enumerate(rows)}

    def read(size: int, channels: int, progress: Progress) -> tuple[Images, list[int]]:
        images = np.empty((len(rows), size, size, channels), np.uint8)
        decoded = np.zeros(len(rows), bool)
        for done, (number, item) in enumerate(_items(source, chosen), 1):
            if number in position:
                try:
                    images[position[number]] = to_square(item.open(), size, channels)
                except Exception:  # as above: only decoding shows that the file is cut short
                    continue
                decoded[position[number]] = True
            if done % 500 == 0 or done == len(chosen):
                progress(f"read from {name}", done, len(chosen))
        kept = np.flatnonzero(decoded)
        return (images if len(kept) == len(images) else images[kept]), kept.tolist()

    of_rows = np.array([labels[number] for number in rows], np.int64)
    return Origin(name, [files[number] for number in rows], read, of_rows, tuple(contents.classes))


def _choose(source: Source, name: str, part: str, n: int, *, whole: bool) -> dict[tuple[SplitName, int], int]:
    """(split, row) of up to n images -> their number, even over the classes and always the same ones."""
    contents = source.contents()
    split, _, class_name = part.partition("/") if part.partition("/")[0] in SPLITS else ("", "", part)
    splits = [s for s in SPLITS if s == split] or (SPLITS if whole or part else SPLITS[:1])
    if class_name and class_name not in contents.classes:
        known = ", ".join([*SPLITS, *contents.classes[:10]])
        raise GanlibError(f"{source_and_part(name)[0]} has no part {part!r}; there are {known}.")
    keys = [(s, row) for s in splits for row in range(len(contents.labels[s]))]
    labels = np.concatenate([contents.labels[s] for s in splits])
    if class_name:
        of_class = labels == contents.classes.index(class_name)
        keys, labels = [key for key, wanted in zip(keys, of_class, strict=True) if wanted], labels[of_class]
    if not keys:
        raise GanlibError(f"{name} has no images; name another part.")
    return {keys[row]: number for number, row in enumerate(stratified_subset(labels, n))}


def _items(source: Source, chosen: Mapping[tuple[SplitName, int], int]) -> Iterable[tuple[int, Item]]:
    """The chosen items, each with its number, in the order that is cheapest to read."""
    for item in source.contents().items:
        number = chosen.get((item.split, item.row))
        if number is not None:
            yield number, item


def _describe(name: str, image: Image.Image) -> File:
    encoding = None
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        tables = tuple(tuple(table) for _, table in sorted(image.quantization.items()))
        encoding = Encoding(tables, JpegImagePlugin.get_sampling(image))
    return File(name, image.format, *image.size, native_channels(image), encoding)


def usual_encoding(files: list[File]) -> Encoding | None:
    """That of most of the files; None where most are no JPEG."""
    counts = Counter(file.encoding for file in files)
    return counts.most_common(1)[0][0]
