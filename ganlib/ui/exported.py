"""Exports that are there: the data card of each, and what of it a browser can take."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from ganlib.applications.export.copies import REPORT
from ganlib.applications.export.export import CARD, HEADER
from ganlib.applications.export.manifest import MANIFEST
from ganlib.errors import GanlibError
from ganlib.files import DAMAGED_ARCHIVE, describe_os_error, open_zip, read_json
from ganlib.naming import counted
from ganlib.settings import results_root
from ganlib.ui.downloads import draw_download
from ganlib.ui.markup import plain

LARGEST_DOWNLOAD = 200_000_000  # bytes, through the browser
LARGEST_CARD = 1_000_000  # bytes; it has a row for each class
CARD_HEIGHT = 360  # pixels, within which it scrolls


class Exported(NamedTuple):
    state: str  # a sentence, where it is not whole
    card: str  # "" as long as it is not whole


def draw_exports(shown_already: Path | None) -> None:
    """What was exported, the newest first."""
    paths = sorted((results_root() / "exports").glob("*"), key=_changed, reverse=True)
    whole = [path for path in paths if path.suffix == ".zip" or (path / HEADER).is_file()]
    shown = [path for path in whole if path != shown_already]
    if not shown:
        return
    st.subheader("Exports", anchor=False)
    for path in shown:
        with st.expander(plain(path.name), icon=":material/folder_zip:"):
            draw_export(path)


def _changed(path: Path) -> float:
    with suppress(OSError):  # gone since it was listed, or a link to nowhere
        return path.stat().st_mtime
    return 0.0


def draw_export(path: Path) -> None:
    """Where it lies, a download and the data card; one sentence where it cannot be read."""
    st.caption(plain(str(path.resolve())))
    try:
        stat = (path / HEADER if path.is_dir() else path).stat()
        exported = _read(path, stat.st_mtime_ns, _size(path))
    except (GanlibError, OSError) as error:
        text = describe_os_error(error) if isinstance(error, OSError) else error
        st.warning(plain(text), icon=":material/warning:")
        return
    if exported.state:
        st.markdown(plain(exported.state))
    if exported.card:
        _draw_downloads(path)
        text = exported.card.partition("\n---\n")[2] or exported.card  # without the header for the Hugging Face hub
        st.code(text, language="markdown", wrap_lines=True, height=CARD_HEIGHT)


def _draw_downloads(path: Path) -> None:
    if path.is_dir():
        label, name = "Card, manifest and report, ZIP", f"{path.name}-card.zip"
        draw_download(label, lambda: card_and_manifest(path), name, "application/zip", "download", key=f"card_{path}")
    elif path.stat().st_size <= LARGEST_DOWNLOAD:
        label = f"Download, {path.stat().st_size / 1e6:.1f} MB"
        draw_download(label, path.read_bytes, path.name, "application/zip", "download", key=f"zip_{path}")
    else:
        st.markdown(plain(f"{path.stat().st_size / 1e6:,.0f} MB are more than a browser takes; copy the file."))


def card_and_manifest(folder: Path) -> bytes:
    """A ZIP of what lies beside the images."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (CARD, MANIFEST, HEADER, *REPORT):
            if (folder / name).is_file():
                archive.writestr(name, (folder / name).read_bytes())
    return content.getvalue()


def _size(path: Path) -> int:
    """Grows with the export."""
    return sum(file.stat().st_size for file in (path / MANIFEST, path / CARD, path) if file.is_file())


@st.cache_data(max_entries=64, show_spinner=False)
def _read(path: Path, changed: int, size: int) -> Exported:
    try:
        if not path.is_dir():
            with open_zip(path) as archive, archive.open(CARD) as file:
                return Exported("", file.read(LARGEST_CARD).decode(errors="replace"))
        header = read_json(path / HEADER)
        if (path / CARD).is_file():
            with (path / CARD).open("rb") as file:
                return Exported("", file.read(LARGEST_CARD).decode(errors="replace"))
        rows = 0
        if (path / MANIFEST).is_file():
            with (path / MANIFEST).open("rb") as file:
                rows = max(sum(1 for _ in file) - 1, 0)
        return Exported(f"{counted(rows, 'image')} so far, of {header['run']}.", "")
    except (*DAMAGED_ARCHIVE, TypeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise GanlibError(f"{path} is no readable export ({reason}); export it again.") from None
