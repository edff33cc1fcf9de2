"""Where the scalars of the curves page come from: runs, other tools' logs on the server, uploads."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import pandas as pd
import streamlit as st

from ganlib.errors import GanlibError
from ganlib.logs import Follower, LogError, concat, read
from ganlib.naming import run_names
from ganlib.settings import log_roots
from ganlib.ui.catalog import run_folders

UPLOAD_MEGABYTES = 200  # of one file as it comes
UNPACKED_BYTES, UNPACKED_FILES = 500_000_000, 10_000  # of all that a ZIP holds
SHOWN_AT_ONCE = 3  # runs of an upload
LOOK = 2.0  # seconds between two looks at growing logs


def logs() -> tuple[pd.DataFrame, list[str]]:
    """All scalars in the frame of ``read``, rows numbered, and a sentence for each log that could not be read."""
    found, unreadable = _followed().read()
    uploads, complaints = uploaded()
    return (concat([found, *uploads]) if uploads else found), unreadable + complaints


class _Followed:
    """All logs on the server, for all sessions; a look at them reads what was appended since the last."""

    def __init__(self) -> None:
        self._followers: dict[Path, Follower] = {}
        self._named: dict[Path, tuple[pd.DataFrame, str, pd.DataFrame]] = {}  # as read, name, under that name
        self._joined: tuple[list[pd.DataFrame], pd.DataFrame] = ([], concat([]))
        self._reading = Lock()

    def read(self) -> tuple[pd.DataFrame, list[str]]:
        frames, unreadable = [], []
        logs = [(folder / "log.csv", name) for folder, name in run_names(run_folders()).items()]
        with self._reading:
            for path, name in [*logs, *((root, "") for root in log_roots())]:
                if not path.exists():
                    continue
                follower = self._followers.setdefault(path, Follower(path))
                try:
                    frame = follower.read()
                    if frame.empty:
                        complain_if_damaged(path)
                    frames.append(self._under(path, frame, name))
                except GanlibError as error:
                    unreadable.append(str(error))
            if [id(frame) for frame in frames] != [id(frame) for frame in self._joined[0]]:
                self._joined = frames, concat(frames)
            return self._joined[1], unreadable

    def _under(self, path: Path, frame: pd.DataFrame, name: str) -> pd.DataFrame:
        """A run's log is called as the run is; a tree names its runs itself."""
        if not name:
            return frame
        known = self._named.get(path)
        if known is None or known[0] is not frame or known[1] != name:
            self._named[path] = known = frame, name, renamed(frame, lambda run: name)
        return known[2]


def complain_if_damaged(path: Path) -> None:
    """LogError with the reason why a log has no scalars, unless it has just begun."""
    for first in read(path).attrs["skipped"][:1]:
        raise LogError(path, first.line, first.reason)


@st.cache_resource(show_spinner=False)
def _followed() -> _Followed:
    return _Followed()


def renamed(frame: pd.DataFrame, name: Callable[[str], str]) -> pd.DataFrame:
    """The frame with its runs under other names."""
    found = frame.assign(run=frame["run"].cat.rename_categories(name))
    found.attrs = frame.attrs | {"step_units": {name(run): unit for run, unit in frame.attrs["step_units"].items()}}
    return found


def uploaded() -> tuple[list[pd.DataFrame], list[str]]:
    """What the user brought along, in the sidebar: log files of any tool, or a ZIP of a tree of them."""
    with st.sidebar.expander("Upload logs", icon=":material/upload_file:"):
        files = st.file_uploader(
            "Logs of any tool, or a ZIP of folders with logs",
            accept_multiple_files=True,
            max_upload_size=UPLOAD_MEGABYTES,
            key="uploads",
            help="CSV, JSON, JSON lines, TensorBoard event files, text logs of StyleGAN, StudioGAN, BigGAN, Chainer, "
            "Lightning, MLflow, Weights & Biases. They stay in this session.",
        )
    found = [_upload(file.file_id, file.name, file.getvalue()) for file in files]
    seen: set[str] = st.session_state.setdefault("seen_uploads", set())
    new = [frame for file, (frame, _) in zip(files, found, strict=True) if file.file_id not in seen]
    seen.update(file.file_id for file in files)
    if names := [run for frame in new if frame is not None for run in frame["run"].cat.categories]:
        st.session_state["runs"] = names[:SHOWN_AT_ONCE]
    return [frame for frame, _ in found if frame is not None], [sentence for _, sentence in found if sentence]


@st.cache_data(max_entries=32, show_spinner="Reading the upload…")
def _upload(file_id: str, name: str, _content: bytes) -> tuple[pd.DataFrame | None, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(name).name)
        path.write_bytes(_content)
        try:
            if zipfile.is_zipfile(path):
                path = unpacked(path)
            frame = read(path)
        except GanlibError as error:
            return None, str(error).replace(f"{folder}{os.sep}", "")
    # Named after the upload, for another run may have the same name.
    alone = len(frame["run"].cat.categories) == 1
    return renamed(frame, lambda run: name if alone else f"{name}/{run}"), ""


def unpacked(path: Path) -> Path:
    """The folder with the ZIP's files; GanlibError for what would fill the disk or is no whole ZIP."""
    folder = path.with_name("unpacked")
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)  # a part that is larger than it says is cut there
            if size > UNPACKED_BYTES or len(parts) > UNPACKED_FILES:
                raise GanlibError(
                    f"{path.name} holds {len(parts):,} files of {size / 1e6:,.0f} MB together; at most "
                    f"{UNPACKED_FILES:,} of {UNPACKED_BYTES / 1e6:,.0f} MB are taken, so pack fewer logs."
                )
            archive.extractall(folder)  # which keeps to the folder whatever the names say
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise GanlibError(f"{path.name} cannot be unpacked ({error}); pack it again.") from None
    return folder


def skipped(frame: pd.DataFrame) -> None:
    """Which lines were left out, and why."""
    total = frame.attrs.get("skipped_total", 0)
    if total:
        with st.expander(f"{total:,} lines were left out", icon=":material/rule:"):
            lines = [(Path(s.path).name, s.line, s.reason) for s in frame.attrs["skipped"]]
            st.dataframe(pd.DataFrame(lines, columns=["File", "Line", "Why"]), hide_index=True)


def follow() -> None:
    """Draws the page again as soon as a log has grown, while the toggle is on."""
    if st.toggle("Follow growing logs", key="follow", bind="query-params"):
        st.fragment(_look, run_every=LOOK)(_followed().read()[0])


def _look(drawn: pd.DataFrame) -> None:
    if _followed().read()[0] is not drawn:
        st.rerun()
