"""Files of a folder tree or an archive, by name; archives are read in place, without unpacking."""

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


def iterate_files(path: Path) -> Iterator[tuple[str, Reader]]:
    """(relative POSIX name, reader) of every regular file; a reader is valid until the next one is yielded."""
    return _iterate_folder(path) if path.is_dir() else _iterate_archive(path)


def describe_version(path: Path) -> str:
    """Path, size and modification time of an archive; for a folder, a hash over those of all its files."""
    if path.is_file():
        info = path.stat()
        return f"{path} {info.st_size} {info.st_mtime_ns}"
    digest = hashlib.sha256()
    for name in sorted(_file_names(path)):
        info = (path / name).stat()
        digest.update(f"{name}\0{info.st_size}\0{info.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return f"{path} {digest.hexdigest()}"


def _file_names(path: Path) -> Iterator[str]:
    for base, folders, files in os.walk(path):
        folders.sort()
        for file in sorted(files):
            full = Path(base, file)
            if full.is_file():  # not a dangling link, pipe or device
                yield full.relative_to(path).as_posix()


def _iterate_folder(path: Path) -> Iterator[tuple[str, Reader]]:
    for name in _file_names(path):
        yield name, partial(_read_file, path / name)


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _iterate_archive(path: Path) -> Iterator[tuple[str, Reader]]:
    """In the archive's own order; links and devices are skipped."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16):
                    yield _relative_name(info.filename), partial(_read_zip, archive, info)
        return
    with tarfile.open(path, "r|*") as tar:  # as a stream: seeking back in a compressed tar would decompress it again
        for member in tar:
            if member.isreg():
                yield _relative_name(member.name), partial(_read_tar, tar, member)


def _read_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as file:
        return file.read(MAX_BYTES + 1)


def _read_tar(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read(MAX_BYTES + 1) if file else b""


def _relative_name(name: str) -> str:
    return name.removeprefix("./").lstrip("/")


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Reports what zipfile, tarfile and the system raise on a damaged ``path`` as GanlibError."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError) as e:
        raise GanlibError(
            f"{path} cannot be read as a folder, zip or tar archive ({e}); check that it is complete."
        ) from e
