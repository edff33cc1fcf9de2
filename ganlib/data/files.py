"""Files of a folder tree or an archive, by name; archives are read in place, without unpacking."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from ganlib.errors import GanlibError
from ganlib.files import DAMAGED_ARCHIVE, open_zip
from ganlib.picture_files import MAX_BYTES

Reader = Callable[[], bytes]
MAX_ALIASES = 100  # names of one file by links to it
LONGEST_LINK = 4096  # bytes of the path that a link holds


def iterate_files(path: Path) -> Iterator[tuple[str, Reader]]:
    """(relative POSIX name, reader) of every regular file; a reader is valid until the next one is yielded."""
    return _iterate_folder(path) if path.is_dir() else _iterate_archive(path)


def describe_version(path: Path) -> str:
    """Path, size and modification time of an archive; for a folder, a hash over those of all its files."""
    if path.is_file():
        info = path.stat()
        return f"{path} {info.st_size} {info.st_mtime_ns}"
    digest = hashlib.sha256()
    for name in sorted(file_names(path)):
        info = (path / name).stat()
        digest.update(f"{name}\0{info.st_size}\0{info.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return f"{path} {digest.hexdigest()}"


def file_names(path: Path) -> Iterator[str]:
    """Also those behind links to folders, once for each link; a folder inside itself ends there."""
    above: dict[str, tuple[str, ...]] = {str(path): (os.path.realpath(path),)}
    for base, folders, files in os.walk(path, followlinks=True):
        chain = above.pop(base)
        real = {folder: os.path.realpath(Path(base, folder)) for folder in folders}
        folders[:] = sorted(folder for folder in folders if real[folder] not in chain)
        above |= {os.path.join(base, folder): (*chain, real[folder]) for folder in folders}
        for file in sorted(files):
            full = Path(base, file)
            if full.is_file():  # not a dangling link, pipe or device
                yield full.relative_to(path).as_posix()


def _iterate_folder(path: Path) -> Iterator[tuple[str, Reader]]:
    for name in file_names(path):
        # Python unpacks the archives of old Windows tools into files whose names hold the folders.
        yield name.replace("\\", "/"), partial(_read_file, path / name)


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _iterate_archive(path: Path) -> Iterator[tuple[str, Reader]]:
    """In the archive's own order; then what links in it point to, under the links' names."""
    if zipfile.is_zipfile(path):
        with open_zip(path) as archive:
            yield from _iterate_zip(archive)
        return
    links: dict[str, str] = {}
    for name, read in _iterate_tar(path, links):
        yield name, read
    if links:  # a stream cannot go back
        links_to = _invert(links)
        for name, read in _iterate_tar(path, {}):
            for alias in _aliases(name, links_to):
                yield alias, read


def _iterate_zip(archive: zipfile.ZipFile) -> Iterator[tuple[str, Reader]]:
    files = {_zip_name(info): info for info in archive.infolist() if not info.is_dir()}
    links = {name: info for name, info in files.items() if stat.S_ISLNK(info.external_attr >> 16)}
    contents = {name: _read_zip(archive, info, LONGEST_LINK) for name, info in links.items()}
    targets = {name: _target(name, content.decode(errors="replace")) for name, content in contents.items()}
    links_to = _invert(targets)
    for name, info in files.items():
        if name not in links:
            for each in (name, *_aliases(name, links_to)):
                yield each, partial(_read_zip, archive, info)


def _iterate_tar(path: Path, links: dict[str, str]) -> Iterator[tuple[str, Reader]]:
    """Regular files; ``links`` receives each link's name and target."""
    with tarfile.open(path, "r|*") as tar:  # as a stream: seeking back in a compressed tar would decompress it again
        for member in tar:
            name = _relative_name(member.name)
            if member.isreg():
                yield name, partial(_read_tar, tar, member)
            elif member.issym():
                links[name] = _target(name, member.linkname)
            elif member.islnk():  # a hard link names its target from the archive's root
                links[name] = posixpath.normpath(_relative_name(member.linkname))


def _target(name: str, link: str) -> str:
    """The path in the archive that a symbolic link points to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), link.replace("\\", "/")))


def _invert(links: dict[str, str]) -> dict[str, list[str]]:
    """The links to each target."""
    links_to: dict[str, list[str]] = {}
    for link, target in links.items():
        links_to.setdefault(target, []).append(link)
    return links_to


def _aliases(name: str, links_to: dict[str, list[str]]) -> Iterator[str]:
    """The names that a file has by links to it, to a folder above it, or to such a link."""
    if not links_to:
        return
    seen, pending = {name}, [name]
    while pending and len(seen) <= MAX_ALIASES:
        current = pending.pop()
        for target in _path_and_parents(current):
            for link in links_to.get(target, ()):
                alias = link + current[len(target) :] if target != "." else f"{link}/{current}"
                if alias not in seen and not link.startswith(f"{target}/"):  # a link to a folder above it has no end
                    seen.add(alias)
                    pending.append(alias)
                    yield alias


def _path_and_parents(name: str) -> Iterator[str]:
    yield name
    while (end := name.rfind("/")) > 0:
        name = name[:end]
        yield name
    yield "."


def _read_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int = MAX_BYTES + 1) -> bytes:
    with archive.open(info) as file:
        return file.read(limit)


def _read_tar(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read(MAX_BYTES + 1) if file else b""


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Its name in UTF-8 where the archive does not say so, as a Mac's do not; zipfile takes CP437 for granted."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return _relative_name(name)


def _relative_name(name: str) -> str:
    """In POSIX form: old Windows archivers write backslashes and drives."""
    return re.sub(r"^([A-Za-z]:)?(\.?/+)*", "", name.replace("\\", "/"))


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Reports what zipfile, tarfile and the system raise on a damaged ``path`` as GanlibError."""
    try:
        yield
    except DAMAGED_ARCHIVE as e:
        raise GanlibError(
            f"{path} cannot be read as a folder, zip or tar archive ({e}); check that it is complete."
        ) from e
