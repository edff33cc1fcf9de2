"""Where the images of an export go. What a writer has returned rows of is on the disk as a whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ganlib.applications.export.manifest import Row
from ganlib.applications.export.streamed_zip import add, add_file, read_member, write_directory
from ganlib.data.layout import split_role
from ganlib.errors import GanlibError
from ganlib.files import describe_os_error, make_scratch_folder, write_atomically, writing

SCRATCH = ".writing-"  # beginning of the name of a folder for what is half written
TAR_BLOCK, TAR_RECORD = 512, 10_240  # bytes
RESERVED = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")  # of Windows


class Encoded(NamedTuple):
    row: Row
    content: bytes  # PNG


class Writer(ABC):
    @abstractmethod
    def write(self, images: Sequence[Encoded]) -> list[Row]:
        """The rows, of these images or earlier ones, that are complete now."""

    def finish(self) -> list[Row]:
        """The rows that were not yet."""
        return []

    def close(self) -> None:  # noqa: B027 — most have nothing to close
        """After ``finish``, or where it does not come to that."""


class FolderWriter(Writer):
    """CLASS/SEED.png, as torchvision's ImageFolder reads it.

    An image is written in a folder that is this process's own and then moved to its place: that takes a sixth of the
    time which ``write_atomically`` takes to see that no other process writes the same file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._made = str(folder), set[str]()
        with writing(folder):
            scratch, self._lock = make_scratch_folder(folder, SCRATCH)
        self._scratch, self._temporary = scratch, str(scratch / "image.png")

    def write(self, images: Sequence[Encoded]) -> list[Row]:
        for row, content in images:
            target = os.path.join(self._folder, row.file)
            try:
                self._write(target, content)
            except OSError as error:
                raise GanlibError(describe_os_error(error, target)) from error
        return [image.row for image in images]

    def _write(self, target: str, content: bytes) -> None:
        parent = os.path.dirname(target)
        if parent not in self._made:
            os.makedirs(parent, exist_ok=True)
            self._made.add(parent)
        with open(self._temporary, "xb", buffering=0) as file:
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) :]
        os.chmod(self._temporary, 0o644)  # as every file, whatever the umask
        os.replace(self._temporary, target)

    def close(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)


class ShardWriter(Writer):
    """shard-000000.tar, …, with KEY.png, KEY.cls and KEY.json of each image, as WebDataset reads them."""

    def __init__(self, folder: Path, size: int, first: int) -> None:
        """``first``: the number of the next shard."""
        self.folder, self._size, self._number = folder, size, first
        self._waiting: list[Encoded] = []

    def write(self, images: Sequence[Encoded]) -> list[Row]:
        self._waiting += images
        rows: list[Row] = []
        while len(self._waiting) >= self._size:
            rows += self._write_shard(self._waiting[: self._size])
            del self._waiting[: self._size]
        return rows

    def finish(self) -> list[Row]:
        waiting, self._waiting = self._waiting, []
        return self._write_shard(waiting) if waiting else []

    def _write_shard(self, images: Sequence[Encoded]) -> list[Row]:
        members = []
        for row, content in images:
            key = f"{row.seed:010d}"
            about = {"seed": row.seed, "class": row.class_name, **row.scores}
            members += [
                tar_member(f"{key}.png", content),
                tar_member(f"{key}.json", json.dumps(about, ensure_ascii=False).encode()),
            ]
            if row.label is not None:
                members.append(tar_member(f"{key}.cls", str(row.label).encode()))
        content = b"".join(members)
        content += bytes(-(len(content) + 2 * TAR_BLOCK) % TAR_RECORD + 2 * TAR_BLOCK)
        write_atomically(self.folder / shard_name(self._number), content)
        self._number += 1
        return [image.row for image in images]


def tar_member(name: str, content: bytes) -> bytes:
    """The bytes of Python's ``tarfile`` (USTAR), which takes longer for three members than their image for its PNG."""
    header = b"".join(
        [
            name.encode("ascii").ljust(100, b"\0"),
            b"0000644\0" + 2 * b"0000000\0",  # mode, owner, group
            b"%011o\0" % len(content) + b"00000000000\0",  # size, time
            b" " * 8 + b"0" + bytes(100),  # checksum, a plain file, no link
            b"ustar\x0000" + bytes(247),  # no names of owners, no device, no prefix
        ]
    )
    checked = header[:148] + b"%06o\0 " % sum(header) + header[156:]
    return checked + content + bytes(-len(content) % TAR_BLOCK)


def shard_name(number: int) -> str:
    return f"shard-{number:06d}.tar"


class ZipWriter(Writer):
    """CLASS/SEED.png in one ZIP, which has no directory before ``complete_zip``."""

    def __init__(self, path: Path, names: Iterable[str]) -> None:
        """``names``: of the images of an interrupted export, which are there already; what follows them goes."""
        self._path = path
        with writing(path):
            self._file = path.open("r+b" if path.exists() else "w+b")
            try:
                for name in names:
                    self._require(name)
                self._file.truncate()
            except BaseException:
                self._file.close()
                raise

    def _require(self, name: str) -> None:
        member = read_member(self._file)
        if member and member.name == name.encode():
            content = self._file.read(member.size)
            if len(content) == member.size and zlib.crc32(content) == member.crc:
                return
        folder = self._path.parent
        raise GanlibError(f"{self._path} lacks images that its manifest names; delete {folder} and export again.")

    def write(self, images: Sequence[Encoded]) -> list[Row]:
        with writing(self._path):
            for image in images:
                add(self._file, image.row.file, image.content)
            self._file.flush()
            os.fsync(self._file.fileno())
        return [image.row for image in images]

    def close(self) -> None:
        with suppress(OSError):  # of a full disk, which is known by now
            self._file.close()


def complete_zip(images: Path, files: Sequence[Path], path: Path) -> None:
    """Adds files and the directory to the images' ZIP and moves it to ``path``, which is there as a whole or not."""
    with writing(path):
        with images.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            for member in files:
                add_file(file, member)
            write_directory(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(images, path)


def class_folders(classes: Sequence[str]) -> list[str]:
    """One name for each class that any file system holds, no two alike, none that would be taken for a split."""
    names: list[str] = []
    for label, name in enumerate(classes):
        plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).strip(" .")[:100]
        if not plain or split_role(plain) or RESERVED.fullmatch(plain):
            plain = f"class_{label}_{plain}"
        taken = {other.casefold() for other in names}
        names.append(f"{plain}_{label}" if plain.casefold() in taken else plain)
    return names
