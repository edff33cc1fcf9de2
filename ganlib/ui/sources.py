"""Where the scalars of the curves page come from: runs, other tools' logs on the server, uploads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import pandas as pd
import streamlit as st

from ganlib.errors import GanlibError
from ganlib.logs import LogTree, NotebookSample, RunLogs, concat
from ganlib.logs.uploads import read_upload
from ganlib.naming import counted, run_names
from ganlib.settings import log_roots
from ganlib.ui.catalog import run_folders
from ganlib.ui.chrome import as_sentences
from ganlib.ui.links import add_to_link, remember_uploads
from ganlib.ui.markup import plain

UPLOAD_MEGABYTES = 200  # of one file as it comes
SELECTED_RUNS = 6  # of an upload
POLL_SECONDS = 2.0  # between two polls of growing logs
LISTING_SECONDS = 10.0  # between two looks for new runs


class Logs(NamedTuple):
    """All logs, of which those of the chosen runs are yet to be read."""

    tags: dict[str, list[str]]  # of each run; of the log's first lines where it was not read yet
    uploads: list[pd.DataFrame]
    errors: list[str]  # a sentence for each log that could not be read


def list_logs() -> Logs:
    """All runs with logs, on the server and uploaded."""
    tags, errors = _server_logs().runs()
    uploads, upload_errors = pick_uploads()
    for frame in uploads:
        logged = frame[["run", "tag"]].drop_duplicates().astype(str)
        tags |= {name: logged.tag[logged.run == name].tolist() for name in frame["run"].cat.categories}
    return Logs(tags, uploads, errors + upload_errors)


def read_logs(logs: Logs, names: Sequence[str]) -> pd.DataFrame:
    """All scalars of these runs in the frame of ``read``, rows numbered."""
    uploads = [frame for frame in logs.uploads if frame["run"].isin(names).any()]
    frame = _server_logs().read(names)
    return concat([frame, *uploads]) if uploads else frame


def read_server_logs(names: Sequence[str]) -> pd.DataFrame:
    """The scalars of runs and of logs on the server alone, in the frame of ``read``."""
    logs = _server_logs()
    logs.runs(LISTING_SECONDS)
    return logs.read(names)


class _ServerLogs:
    """All logs on the server, for all sessions; ``read`` parses what was appended since the last call."""

    def __init__(self) -> None:
        self._own = RunLogs(lambda: {folder / "log.csv": name for folder, name in run_names(run_folders()).items()})
        self._trees: dict[Path, LogTree] = {}
        self._joined: tuple[list[pd.DataFrame], pd.DataFrame] = ([], concat([]))
        self._lock = Lock()

    def runs(self, max_age: float = 0) -> tuple[dict[str, list[str]], list[str]]:
        """Run -> its scalars, and what could not be read; ``max_age``: seconds that this may be old."""
        with self._lock:
            runs: dict[str, list[str]] = {}
            errors: list[str] = []
            for logs in self._all():
                runs |= {run: tags for run, tags in logs.runs(max_age).items() if run not in runs}
                errors += logs.errors
            return runs, errors

    def read(self, names: Sequence[str]) -> pd.DataFrame:
        """The same frame while nothing was appended."""
        with self._lock:
            frames = [frame for logs in self._all() if not (frame := logs.read(names)).empty]
            if [id(frame) for frame in frames] != [id(frame) for frame in self._joined[0]]:
                self._joined = frames, concat(frames)
            return self._joined[1]

    def _all(self) -> Iterator[LogTree]:
        yield self._own
        for root in log_roots():
            yield self._trees.setdefault(root, LogTree(root))


@st.cache_resource(show_spinner=False)
def _server_logs() -> _ServerLogs:
    return _ServerLogs()


def rename_runs(frame: pd.DataFrame, name: Callable[[str], str]) -> pd.DataFrame:
    """The frame with its runs under other names."""
    renamed = frame.assign(run=frame["run"].cat.rename_categories(name))
    by_run = {key: {name(run): item for run, item in frame.attrs[key].items()} for key in ("step_units", "notebooks")}
    renamed.attrs = frame.attrs | by_run
    return renamed


def pick_uploads() -> tuple[list[pd.DataFrame], list[str]]:
    """The user's own logs, in the sidebar: files of any tool, or a ZIP of a tree of them."""
    with st.sidebar.expander("Upload logs", icon=":material/upload_file:"):
        files = st.file_uploader(
            "Logs of any tool, or a ZIP of folders with logs",
            accept_multiple_files=True,
            max_upload_size=UPLOAD_MEGABYTES,
            key="uploads",
            help="Notebooks, CSV, Excel, JSON, NumPy arrays, TensorBoard event files, what scripts print, databases of "
            "MLflow and trackio, Weights & Biases' run-….wandb. They stay in this session.",
        )
    results = [_read_upload(file.file_id, file.name, file.getvalue()) for file in files]
    read_before: set[str] = st.session_state.setdefault("seen_uploads", set())
    remember_uploads([file.name for file in files], had=bool(read_before))
    new = [frame for file, (frame, _, _) in zip(files, results, strict=True) if file.file_id not in read_before]
    read_before.update(file.file_id for file in files)
    if names := [run for frame in new if frame is not None for run in frame["run"].cat.categories]:
        # Beside what is compared already, which the link lacks as long as it is the default.
        add_to_link("runs", [*st.session_state.get("runs", []), *names[:SELECTED_RUNS]])
        if len(names) > SELECTED_RUNS:
            st.caption(f"{SELECTED_RUNS} of the {len(names)} uploaded runs are shown; choose others below.")
    st.session_state["uploaded_pictures"] = {run: own for _, _, pictures in results for run, own in pictures.items()}
    return [frame for frame, _, _ in results if frame is not None], [error for _, error, _ in results if error]


@st.cache_data(max_entries=32, show_spinner="Reading the upload…")
def _read_upload(
    file_id: str, name: str, _content: bytes
) -> tuple[pd.DataFrame | None, str, dict[str, list[NotebookSample]]]:
    """The frame, or why there is none; the pictures of the notebooks in it by run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(name).name)
        path.write_bytes(_content)
        try:
            frame, pictures = read_upload(path)
        except GanlibError as error:
            return None, str(error).replace(f"{folder}{os.sep}", ""), {}
        # Named after the upload, for another run may have the same name.
        single = len(frame["run"].cat.categories) == 1

        def title(run: str) -> str:
            return name if single else f"{name}/{run}"

        frame = rename_runs(frame, title)
        frame.attrs["notebooks"] = {}  # which are gone with the folder
    return frame, "", {title(run): own for run, own in pictures.items()}


def draw_skipped_lines(frame: pd.DataFrame) -> None:
    """The lines that no reader could parse, and why."""
    total = frame.attrs.get("skipped_total", 0)
    if total:
        with st.expander(plain(counted(total, "skipped line")), icon=":material/rule:"):
            lines = [(Path(s.path).name, s.line, s.reason) for s in frame.attrs["skipped"]]
            st.dataframe(pd.DataFrame(lines, columns=["File", "Line", "Reason"]), hide_index=True, placeholder="–")


def pick_follow(names: Sequence[str]) -> None:
    """Draws the page again as soon as a log has grown or a run has begun, while the toggle is on."""
    if st.toggle("Follow growing logs", key="follow", bind="query-params"):
        logs = _server_logs()
        st.fragment(_rerun_when_grown, run_every=POLL_SECONDS)(names, logs.read(names), set(logs.runs()[0]))


@as_sentences()
def _rerun_when_grown(names: Sequence[str], drawn: pd.DataFrame, runs: set[str]) -> None:
    logs = _server_logs()
    if set(logs.runs(LISTING_SECONDS)[0]) != runs or logs.read(names) is not drawn:
        st.rerun()
