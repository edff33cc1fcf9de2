"""ZIP archives of logs, unpacked within bounds."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ganlib.errors import GanlibError
from ganlib.files import DAMAGED_ARCHIVE, open_zip

UNPACKED_BYTES, UNPACKED_FILES = 200_000_000, 2_000  # of all that an archive holds


def is_archive(path: Path) -> bool:
    """Whether it is a ZIP, and no workbook or NumPy file, which are such inside."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with open_zip(path) as archive:
            names = archive.namelist()
    except DAMAGED_ARCHIVE:
        return True
    return "[Content_Types].xml" not in names and not all(name.endswith(".npy") for name in names)


def unpack(path: Path) -> Path:
    """The folder with the ZIP's files; GanlibError for what would fill the disk or is no whole ZIP."""
    folder = path.with_name("unpacked")
    try:
        with open_zip(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)  # one larger than its header says is cut there
            if size > UNPACKED_BYTES or len(members) > UNPACKED_FILES:
                raise GanlibError(
                    f"{path.name} holds {len(members):,} files of {size / 1e6:,.0f} MB together; at most "
                    f"{UNPACKED_FILES:,} of {UNPACKED_BYTES / 1e6:,.0f} MB are taken, so pack fewer logs."
                )
            archive.extractall(folder)  # which keeps to the folder whatever the names say
    except DAMAGED_ARCHIVE as error:
        reason = " ".join(f"{error}".split())[:120] or type(error).__name__
        raise GanlibError(f"{path.name} cannot be unpacked ({reason}); pack it again.") from None
    return folder
