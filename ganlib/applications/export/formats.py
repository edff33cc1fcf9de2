"""Where the images of an export go. What a writer has returned rows of is on the disk as a whole."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from ganlib.applications.export.manifest import Row
from ganlib.data.layout import split_role
from ganlib.files import replacing, write_atomically, writing

EPOCH = (1980, 1, 1, 0, 0, 0)  # of a ZIP's members: the same images are the same bytes
RESERVED = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")  # of Windows


class Encoded(NamedTuple):
    row: Row
    content: bytes  # PNG


class Writer(Protocol):
    def write(self, images: Sequence[Encoded]) -> list[Row]:
        """The rows, of these images or earlier ones, that are complete now."""

    def finish(self) -> list[Row]:
        """The rows that were not yet."""


class FolderWriter:
    """CLASS/SEED.png, as torchvision's ImageFolder reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, images: Sequence[Encoded]) -> list[Row]:
        for image in images:
            write_atomically(self.folder / image.row.file, image.content, durable=False)
        return [image.row for image in images]

    def finish(self) -> list[Row]:
        return []


class ShardWriter:
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
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for row, content in images:
                key = f"{row.seed:010d}"
                about = {"seed": row.seed, "class": row.class_name, **row.scores}
                files = {"png": content, "json": json.dumps(about, ensure_ascii=False).encode()}
                if row.label is not None:
                    files["cls"] = str(row.label).encode()
                for ending, data in files.items():
                    member = tarfile.TarInfo(f"{key}.{ending}")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
        write_atomically(self.folder / shard_name(self._number), buffer.getvalue())
        self._number += 1
        return [image.row for image in images]


def shard_name(number: int) -> str:
    return f"shard-{number:06d}.tar"


def zip_folder(folder: Path, path: Path) -> None:
    """The files of a folder as one ZIP, which is there as a whole or not at all; the folder is gone then."""
    with writing(path), replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for member in sorted(p for p in folder.rglob("*") if p.is_file()):
            information = zipfile.ZipInfo(member.relative_to(folder).as_posix(), EPOCH)
            information.external_attr = 0o644 << 16
            archive.writestr(information, member.read_bytes())
    shutil.rmtree(folder, ignore_errors=True)


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
