"""Shards, tar archives of WebDataset's or Parquet files, as a data set that is never decoded as a whole.

An index of what lies where is read once; pictures are decoded as batches and evaluations ask for them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from ganlib.data.cache import build_folder, cache_folder, storing
from ganlib.data.files import describe_version
from ganlib.data.folder import default_shape_of
from ganlib.data.pictures import decode
from ganlib.data.sets import (
    SPLITS,
    Contents,
    DataRequest,
    DataSet,
    Item,
    Progress,
    Source,
    Split,
    SplitName,
    describe_path,
    register_data_set,
)
from ganlib.data.shards.find import find_shards
from ganlib.data.shards.images import ShardImages
from ganlib.data.shards.index import VERSION, Index, build_index, read_index
from ganlib.errors import GanlibError
from ganlib.settings import array_cache

PROBED = 100  # pictures that are tried for the size by default


def _require_path(argument: str) -> None:
    if not argument:
        raise GanlibError("A set of shards needs a path; write it as shards:PATH.")


@register_data_set(
    "shards",
    "WebDataset shards or Parquet files, read as they are, as shards:PATH",
    size=None,
    channels=None,
    num_classes=None,
    display_name="Shards",
    argument="PATH",
    check=_require_path,
    describe=describe_path,
)
def shards(request: DataRequest) -> Source:
    """``shards:PATH``: a folder of shards or one shard; absolute, or in the working folder or a data root."""
    _require_path(request.argument or "")
    requested = Path(os.path.expanduser(request.argument or ""))
    for path in (base / requested for base in (Path(), *request.roots)):
        if os.path.exists(path):  # unlike Path.exists, False for impossible paths instead of an error
            return ShardSet(path.resolve()).source
    raise GanlibError(
        f"There is no folder or shard {requested}, here or in {', '.join(map(str, request.roots))}; check the path "
        "after 'shards:', or name the folder that it is in with --data-root or GANLIB_DATA."
    )


class ShardSet:
    """GanlibError where ``path`` holds no shards."""

    def __init__(self, path: Path) -> None:
        try:
            self._files, version = find_shards(path), describe_version(path)
        except OSError as error:
            raise GanlibError(f"{path} cannot be read ({error.strerror or error}); check its permissions.") from None
        self.source = Source(
            name=f"shards:{path.name if path.is_dir() else path.stem}",
            identity=f"shards {version}",
            flip=True,
            default=lambda: self._default_shape(self._index(array_cache())),
            contents=self._contents,
            open=self._open,
        )

    def _open(self, size: int | None, channels: int | None, cache: Path, progress: Progress | None) -> DataSet:
        index, name = self._index(cache, progress), self.source.name
        if size is None or channels is None:
            default = self._default_shape(index)
            size, channels = size or default[0], channels or default[1]
        train, test = (_split(index, split, size, channels, name) for split in SPLITS)
        return DataSet(
            name=name,
            classes=index.classes,
            train=train,
            test=test,
            flip=self.source.flip,
            skipped=index.skipped,
            skipped_count=index.skipped_count,
            notes=index.notes,
        )

    def _index(self, cache: Path, progress: Progress | None = None) -> Index:
        """Built where the cache has none of these files."""
        folder, root = cache_folder(self.source, cache) / f"index-v{VERSION}", self._files.root
        with storing(self.source, cache):
            index = read_index(folder, root)
            if index is None:
                build = partial(build_index, self._files, self.source.name, progress=progress)
                build_folder(folder, build, lambda: read_index(folder, root) is not None)
                index = read_index(folder, root)
        if index is None:
            raise GanlibError(f"The index in {folder} cannot be read back; delete that folder and try again.")
        return index

    def _default_shape(self, index: Index) -> tuple[int, int]:
        """Of the first picture that can be read."""
        for number in index.rows["train"][:PROBED].tolist():
            try:
                return default_shape_of(decode(index.reader.read(number)))
            except Exception:  # unreadable: training names it
                continue
        raise GanlibError(
            f"None of the first pictures of {self.source.name} can be read; check that they are JPEG, PNG or WebP."
        )

    def _contents(self) -> Contents:
        """For sets that take a part of this one, which is then decoded into the cache."""
        index = self._index(array_cache())
        return Contents(index.classes, index.labels, _items(index), index.notes)


def _items(index: Index) -> Iterator[Item]:
    for split in SPLITS:
        for row, number in enumerate(index.rows[split].tolist()):
            yield Item(split, row, index.reader.name(number), partial(_open_picture, index, number))


def _open_picture(index: Index, number: int) -> Image.Image:
    return decode(index.reader.read(number))


def _split(index: Index, split: SplitName, size: int, channels: int, title: str) -> Split:
    labels = index.labels[split]
    images = ShardImages(index.reader, index.rows[split], labels, size, channels, title)
    digest = hashlib.sha256(index.digest.encode())
    digest.update(index.rows[split].astype("<i8").tobytes())
    digest.update(labels.astype("<i8").tobytes())
    digest.update(json.dumps([images.shape, index.classes]).encode())
    return Split(images, labels, digest.hexdigest()[:16], index.blocks(split), images.damaged)
