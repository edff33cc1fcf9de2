"""The two sides of a comparison: runs with their options, parts of data sets, uploads."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ganlib.data.archives import ARCHIVES
from ganlib.data.folder import find_pictures
from ganlib.data.sets import DataRequest
from ganlib.errors import GanlibError
from ganlib.files import make_scratch_folder
from ganlib.runs import Run
from ganlib.settings import data_roots
from ganlib.ui.catalog import best_first, generates, runs
from ganlib.ui.links import format_options, linked_selectbox
from ganlib.ui.markup import plain
from ganlib.ui.names import data_labels, run_labels
from ganlib.ui.options import pick_options

UPLOAD, FOLDER = "upload", "upload-folder"
UPLOADS = {UPLOAD: "Upload images or an archive", FOLDER: "Upload a folder"}
MEGABYTES = 200  # of an uploaded file
WITHOUT_PARTS = ("mixture:",)


class Side(NamedTuple):
    name: str  # as ``ganlib compare`` takes it, "" while there is none
    options: tuple[str, ...] = ()  # NAME=VALUE, of a run
    shown: str = ""  # in place of the path of an upload

    @property
    def title(self) -> str:
        return self.shown or Path(self.name).name


def pick_sides() -> tuple[Side, Side]:
    """(real, synthetic). The best run, and the test images that it has not seen, where the link names none."""
    generators, sets = {run.name: run for run in best_first(runs(generates))}, known_data()
    first = next(iter(generators))
    synthetic = _pick_side("synthetic", "Synthetic side", generators, sets, first, [*generators, *sets])
    run = generators.get(st.session_state["synthetic"])
    default = run.data_name if run else next(iter(sets))
    real = _pick_side("real", "Real side", generators, sets, default, [*sets, *generators])
    return real, synthetic


def known_data() -> dict[str, str]:
    """Data set -> what pages call it: those of the runs, then those whose files lie in a data root."""
    names = [run.data_name for run in best_first(runs(generates))]
    return data_labels([*names, *known_archives()])


def known_archives() -> list[str]:
    """Data sets whose archives lie in a data root."""
    request = DataRequest(None, data_roots())
    return [f"folder:{archive.name}" for archive in ARCHIVES if find_pictures(request, archive.name, "")]


def _pick_side(
    key: str, label: str, generators: dict[str, Run], sets: dict[str, str], default: str, order: Sequence[str]
) -> Side:
    labels = {name: f"{text} (run)" for name, text in run_labels(generators.values()).items()}
    labels |= {name: f"{text} (data)" for name, text in sets.items()}
    labels = {name: labels[name] for name in order} | UPLOADS
    name = linked_selectbox(label, labels, default, key=key)
    if name in UPLOADS:
        return pick_upload(key, name)
    if name in generators:
        run = generators[name]
        return Side(str(run.path.resolve()), _pick_options(key, run), run.name)
    if name.startswith(WITHOUT_PARTS):
        return Side(name)
    part = st.text_input(
        "Part",
        "test",
        key=f"{key}_part",
        bind="query-params",
        help="test, train, a class, or test/CLASS; empty for the training images.",
    ).strip()
    return Side(f"{name}#{part}" if part else name)


def _pick_options(key: str, run: Run) -> tuple[str, ...]:
    if not st.toggle("Options of its images", key=f"{key}_options"):
        return ()
    values = format_options(pick_options(run, prefix=f"{key}_"))
    return tuple(f"{name}={value}" for name, value in values.items())


def pick_upload(key: str, kind: str) -> Side:
    files = st.file_uploader(
        "A ZIP or TAR, or images" if kind == UPLOAD else "A folder of images",
        accept_multiple_files=True if kind == UPLOAD else "directory",
        max_upload_size=MEGABYTES,
        key=f"{key}_{kind}",
        help="Class folders and folders named train or test count, as in a data set. It stays on this server while it "
        "runs.",
    )
    if not files:
        return Side("")
    path = _written(tuple(files))
    return Side(str(path), (), path.name)


def _written(files: tuple[UploadedFile, ...]) -> Path:
    """A folder with the files, or the archive; the same one for the same content."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.getvalue()).digest())
    folder, archive = _upload_folder() / digest.hexdigest()[:16], len(files) == 1
    names = [_safe_name(file.name) for file in files]
    if not folder.exists():
        building = Path(tempfile.mkdtemp(dir=_upload_folder()))
        for file, name in zip(files, names, strict=True):
            path = building / (name.name if archive else "upload" / name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.getvalue())
        with suppress(OSError):  # another session has uploaded the same
            building.rename(folder)
    return folder / (names[0].name if archive else "upload")


def _safe_name(name: str) -> PurePosixPath:
    """Names come from outside: GanlibError for what climbs out of the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise GanlibError(f"{name[:60]!r} is no name of a file inside a folder; rename it.")
    return path


@lru_cache(maxsize=1)
def _upload_folder() -> Path:
    """Of this server, removed when it ends; that of a killed one, when the next needs its own."""
    folder, _ = make_scratch_folder(Path(tempfile.gettempdir()), "ganlib-sides-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def describe_side(side: Side) -> str:
    """ "cifar10-sngan (truncation=0.5)"."""
    return plain(f"{side.title} ({', '.join(side.options)})" if side.options else side.title)
