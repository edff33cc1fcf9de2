"""The files of a folder tree or archive, by name, without unpacking anything."""

from __future__ import annotations

import hashlib
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ganlib.data.pictures import MAX_BYTES
from ganlib.errors import GanlibError

Reader = Callable[[], bytes]


def walk(path: Path) -> Iterator[tuple[str, Reader]]:
    """(relative POSIX name, reader) of every regular file; a reader is good until the next one."""
    return _folder(path) if path.is_dir() else _archive(path)


def identity(path: Path) -> str:
    """Path, size and time of an archive; of a folder, a hash over those of all its files."""
    if path.is_file():
        info = path.stat()
        return f"{path} {info.st_size} {info.st_mtime_ns}"
    digest = hashlib.sha256()
    for name in sorted(_names(path)):
        info = (path / name).stat()
        digest.update(f"{name}\0{info.st_size}\0{info.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return f"{path} {digest.hexdigest()}"


def _names(path: Path) -> Iterator[str]:
    for base, folders, files in os.walk(path):
        folders.sort()
        for file in sorted(files):
            full = Path(base, file)
            if full.is_file():  # not a dangling link, pipe or device
                yield full.relative_to(path).as_posix()


def _folder(path: Path) -> Iterator[tuple[str, Reader]]:
    for name in _names(path):
        yield name, partial(_read_file, path / name)


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _archive(path: Path) -> Iterator[tuple[str, Reader]]:
    """In the archive's own order. Members are only read in memory; links and devices do not count."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            for info in packed.infolist():
                if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16):
                    yield _clean(info.filename), partial(_read_zip, packed, info)
        return
    with tarfile.open(path, "r|*") as tar:  # a stream: seeking back in a compressed tar unpacks it anew
        for member in tar:
            if member.isreg():
                yield _clean(member.name), partial(_read_tar, tar, member)


def _read_zip(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with packed.open(info) as file:
        return file.read(MAX_BYTES + 1)


def _read_tar(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read(MAX_BYTES + 1) if file else b""


def _clean(name: str) -> str:
    return name.removeprefix("./").lstrip("/")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError) as e:
        raise GanlibError(
            f"{path} cannot be read as a folder, zip or tar archive ({e}); check that it is complete."
        ) from e
