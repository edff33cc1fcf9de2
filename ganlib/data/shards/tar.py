"""WebDataset's shards: tar archives in which the files of one sample have one name, ``KEY.png``, ``KEY.cls``, …

Python's own tarfile finds the members; then each picture is read where it lies. The library webdataset reads shards as
streams through a shuffling buffer, whose content a resumed run could not have again.
"""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ganlib.data.layout import SUFFIXES, is_data_file
from ganlib.data.shards.labels import read_label
from ganlib.data.shards.shard import Shard
from ganlib.picture_files import MAX_BYTES

BLOCK = 256  # pictures that lie beside each other and are read at about the same time
LARGEST_TEXT = 1_000_000  # bytes of a label's file
SAMPLED = 65_536  # bytes of the first picture of each block that the digest takes in
RECORD = 512  # bytes: of a header, and of the zeros that end an archive

Rows = NDArray[np.int64]
Members = dict[str, tarfile.TarInfo]  # by what follows the key: "png", "cls"


def scan_tar(path: Path) -> Shard:
    """Headers and labels; pictures stay unread. Raises what tarfile and the system do where it is damaged."""
    shard, digest = Shard(), hashlib.sha256()
    places: list[tuple[int, int]] = []
    with tarfile.open(path, "r:") as tar, path.open("rb") as file:
        for key, members in _samples(tar):
            ending = next((e for e in members if f".{e.rpartition('.')[2]}" in SUFFIXES), None)
            if ending is None:
                shard.skipped.append(f"{path.name}/{key}: no picture")
                continue
            try:
                label = read_label(*(_text(tar, members.get(kind)) for kind in ("cls", "json")))
            except (ValueError, RecursionError):
                shard.skipped.append(f"{path.name}/{key}: its label cannot be read")
                continue
            picture = members[ending]
            if not len(places) % BLOCK:
                file.seek(picture.offset_data)
                digest.update(file.read(min(picture.size, SAMPLED)))
            shard.labels.append(label)
            places.append((picture.offset_data, picture.size))
            digest.update(picture.size.to_bytes(8))
        _require_end(tar, file.seek(tar.offset) and file.read(RECORD))
    shard.places, shard.digest = np.array(places, np.int64).reshape(-1, 2), digest.digest()
    shard.sizes = [min(BLOCK, len(places) - start) for start in range(0, len(places), BLOCK)]
    return shard


def _samples(tar: tarfile.TarFile) -> Iterator[tuple[str, Members]]:
    """Members that follow each other and have one name up to the first dot."""
    key, members = "", Members()
    while (member := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # absent from the stubs; it would grow with the archive
        name = member.name.removeprefix("./")
        if not member.isreg() or member.issparse() or not is_data_file(name):
            continue
        folder, file = posixpath.split(name)
        stem, _, ending = file.partition(".")
        if posixpath.join(folder, stem) != key:
            if members:
                yield key, members
            key, members = posixpath.join(folder, stem), Members()
        members.setdefault(ending.lower(), member)
    if members:
        yield key, members


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo | None) -> bytes | None:
    file = tar.extractfile(member) if member else None
    return file.read(LARGEST_TEXT) if file else None


def _require_end(tar: tarfile.TarFile, record: bytes | int) -> None:
    """tarfile takes a damaged header behind the first for the end."""
    if record != bytes(RECORD):
        raise tarfile.ReadError(f"it is damaged or cut off at byte {tar.offset:,}")


class TarReader:
    """Opens a shard for each picture: no state, so that threads and a shard that is replaced do no harm."""

    def __init__(self, paths: Sequence[Path], file_of: Rows, starts: Rows, places: Rows) -> None:
        """``file_of`` (K,) block -> number of its path; ``starts`` (K + 1,) first picture of each block."""
        self._paths, self._file_of, self._starts, self._places = paths, file_of, starts, places

    def read(self, number: int) -> bytes:
        offset, size = self._places[number].tolist()
        return self._bytes(number, offset, min(size, MAX_BYTES + 1))

    def name(self, number: int) -> str:
        path = self._path(number)
        try:  # the header lies before the picture
            header = self._bytes(number, int(self._places[number, 0]) - RECORD, RECORD)
            member = tarfile.TarInfo.frombuf(header, "utf-8", "replace").name
        except (tarfile.TarError, OSError, ValueError):
            member = f"byte {self._places[number, 0]:,}"
        return f"{path.name}/{PurePosixPath(member).name}"

    def _path(self, number: int) -> Path:
        return self._paths[self._file_of[np.searchsorted(self._starts, number, "right") - 1]]

    def _bytes(self, number: int, offset: int, size: int) -> bytes:
        with self._path(number).open("rb") as file:
            file.seek(offset)
            data = file.read(size)
        if len(data) < size:
            raise EOFError("the shard ends before it")
        return data
