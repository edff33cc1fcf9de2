"""Writing files so that a kill at any moment leaves the old content or the new, never half; reading JSON and TOML."""

from __future__ import annotations

import json
import lzma
import os
import re
import struct
import tarfile
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any

from ganlib.errors import GanlibError

LARGEST_JSON = 200_000_000  # bytes
DEEPEST_JSON = 20  # levels of values inside one another; a recipe has four
SURROGATE = re.compile("[\ud800-\udfff]")
DAMAGED_ARCHIVE = (  # what zipfile, tarfile and the system raise, also of methods, passwords and names
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, LookupError),
)
ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def write_atomically(path: Path, content: bytes) -> None:
    """GanlibError, as ``writing`` has it."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        try:
            with os.fdopen(handle, "wb") as f:
                f.write(content)
                f.flush()
                os.fsync(f.fileno())
            os.chmod(temporary, 0o644)  # mkstemp's 0600 would lock other users out of a shared run
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


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
        content = json.loads(text)
        if _depth(content) > DEEPEST_JSON:
            raise ValueError(f"its values are nested more than {DEEPEST_JSON} deep")
        return _without_surrogates(content) if ESCAPED_SURROGATE.search(text) else content
    except (OSError, RecursionError) as error:
        raise ValueError(str(error)) from None


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
