"""Writing files so that a kill at any moment leaves the old content or the new, never half; reading JSON and TOML."""

from __future__ import annotations

import json
import lzma
import os
import re
import shutil
import struct
import tarfile
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EDQUOT, ENOSPC
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from ganlib.errors import GanlibError

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PARTIAL = ".partial"  # ending of a file that is being written
LARGEST_JSON = 200_000_000  # bytes
DEEPEST_JSON = 20  # levels of values inside one another; a recipe has four
SURROGATE = re.compile("[\ud800-\udfff]")
DAMAGED_ARCHIVE = (  # what zipfile, tarfile and the system raise, also of methods, passwords and names
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, LookupError),
)
ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def open_zip(file: Path | BinaryIO) -> zipfile.ZipFile:
    """To read. Raises what is in ``DAMAGED_ARCHIVE``.

    zipfile takes as much memory at once as a member's header says that it holds packed; no member holds more than the
    whole archive, and one that says so ends too early.
    """
    archive = zipfile.ZipFile(file)
    size = file.stat().st_size if isinstance(file, Path) else file.seek(0, os.SEEK_END)
    for member in archive.infolist():
        member.compress_size = min(member.compress_size, size)
    return archive


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """GanlibError, as ``writing`` has it."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=durable) as file:
            file.write(content)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends well; else nothing has changed.

    ``durable``: also where the power fails then, at the price of waiting for the disk.

    Of two writers of one path the second waits. What a killed one leaves behind, ``.NAME.partial``, the next takes
    over, and ``remove_partial_files`` finds it: its lock went with its process.
    """
    file, temporary = _open_temporary(path)
    try:
        with file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
            if fcntl:  # while the lock is held; Windows renames no open file
                os.replace(temporary, path)
        if not fcntl:
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _open_temporary(path: Path) -> tuple[BinaryIO, Path]:
    """Empty, and locked by this writer."""
    if not fcntl:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=PARTIAL)
        return os.fdopen(handle, "w+b"), Path(name)
    temporary = path.with_name(f".{path.name[:100]}{PARTIAL}")
    while True:
        try:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except PermissionError:
            _remove_foreign(temporary)
            continue
        file = os.fdopen(handle, "w+b")
        _lock(file.fileno())
        if _lies_at(file.fileno(), temporary):  # else the writer before has just put it in its place
            os.fchmod(file.fileno(), 0o644)  # whatever the umask: others may read a shared run
            if os.fstat(file.fileno()).st_size:  # else ext4 would write the file to the disk as soon as it is closed
                file.truncate()
            return file, temporary
        file.close()


def _remove_foreign(temporary: Path) -> None:
    """What another user left half written, in a folder where both may write; PermissionError in any other."""
    with suppress(FileNotFoundError), temporary.open("rb") as file:
        _lock(file.fileno())  # waits while that user's process writes
        if _lies_at(file.fileno(), temporary):
            temporary.unlink()
        return
    raise PermissionError(EACCES, os.strerror(EACCES), str(temporary.parent))


def _lies_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def _lock(handle: int, *, wait: bool = True) -> bool:
    """Whether this process now holds it, until it is closed; True where the file system has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return wait
    return True


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock of this file; also of one that this user may only read."""
    if not fcntl:
        try:
            with FileLock(path, blocking=False):
                return False
        except Timeout:
            return True
    try:
        with path.open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # else there is no such file, or no lock here
        return isinstance(error, BlockingIOError)
    return False


@contextmanager
def holding(path: Path) -> Iterator[bool]:
    """Whether this process alone holds a file or folder that exists, for as long as the block lasts.

    True as well where the system or the file system has no locks.
    """
    if not fcntl:
        yield True
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        alone = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            alone = not isinstance(error, BlockingIOError)
        yield alone
    finally:
        os.close(handle)


def remove_partial_files(folder: Path, *, below: bool = False) -> None:
    """What killed writers left in the folder, or anywhere ``below`` it; the files of living ones stay, and so do those
    that this user may not remove.
    """
    for path in sorted((folder.rglob if below else folder.glob)(f".*{PARTIAL}")):
        with suppress(OSError):
            if not path.is_symlink() and path.is_file():
                with path.open("rb") as file:
                    free = not fcntl or _lock(file.fileno(), wait=False)
                if free:
                    path.unlink()


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder that goes at the end. Those that killed processes left there go now."""
    folder, handle = make_scratch_folder(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def make_scratch_folder(parent: Path, prefix: str) -> tuple[Path, int | None]:
    """``scratch_folder`` for as long as the handle is open."""
    for path in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            _remove_left_folder(path)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        if not fcntl:
            return folder, None
        handle = os.open(folder, os.O_RDONLY)
        _lock(handle)
        if _lies_at(handle, folder):
            return folder, handle
        os.close(handle)


def _remove_left_folder(folder: Path) -> None:
    if not fcntl or folder.is_symlink():
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _lock(handle, wait=False):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around every writer: GanlibError that names the file and says what to do where it cannot be written."""
    try:
        yield
    except OSError as error:
        raise GanlibError(describe_os_error(error, path)) from error


def describe_os_error(error: OSError, path: Path | str | None = None) -> str:
    """One sentence of what the system refused; ``path`` where the error does not name its file, as with a full disk."""
    name = str(path or error.filename or "a file")
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in (ENOSPC, EDQUOT):
        return f"{name} cannot be written ({reason}); free space on its disk, or choose a folder elsewhere, and repeat."
    return f"{name} cannot be read or written ({reason}); check the path, its permissions and its disk."


def require_file(path: Path) -> None:
    """OSError for a pipe, which would be waited for, a device or a folder."""
    if path.exists() and not path.is_file():
        raise OSError("it is no file")


def read_json(path: Path) -> Any:
    """What the file holds; ValueError says in a few words why it is no JSON that this project could have written.

    A lone half of a surrogate pair, which JSON permits and neither a page nor another file can hold, becomes "�".
    """
    try:
        if not path.is_file():
            raise ValueError("it is no file")
        if path.stat().st_size > LARGEST_JSON:
            raise ValueError(f"it is larger than {LARGEST_JSON // 1_000_000} MB")
        text = path.read_text(encoding="utf-8")
        content = parse_json(text)
        if _depth(content) > DEEPEST_JSON:
            raise ValueError(f"its values are nested more than {DEEPEST_JSON} deep")
        return _without_surrogates(content) if ESCAPED_SURROGATE.search(text) else content
    except OSError as error:
        raise ValueError(str(error)) from None


def parse_json(text: str | bytes) -> Any:
    """ValueError for what is none, also where its values are nested beyond what Python follows."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its values are nested too deep") from None


def _depth(value: Any) -> int:
    """Levels of lists and objects inside one another; without recursion, which the deepest would exhaust."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [item for parent in level for item in (parent.values() if isinstance(parent, dict) else parent)]
    return depth


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return SURROGATE.sub("�", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def read_toml(path: Path, kind: str) -> tuple[str, dict[str, Any]]:
    """The text and the document of "a queue file"; GanlibError where it cannot be read or is no TOML."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise GanlibError(f"{path} cannot be read ({error.strerror}); name {kind}.") from None
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits is no TOMLDecodeError
        raise GanlibError(f"{path} is no valid TOML: {error}.") from None
