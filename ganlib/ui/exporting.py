"""The form of an export, its job, and the exports that are there."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from ganlib.applications.export.config import ExportConfig
from ganlib.applications.export.export import CARD, HEADER
from ganlib.applications.export.manifest import MANIFEST
from ganlib.applications.export.selection import Picture, Selection, samples_of
from ganlib.config import flags
from ganlib.errors import GanlibError
from ganlib.files import read_json
from ganlib.models import GenerativeModel
from ganlib.run_folder import read_sheet
from ganlib.runs import Run, find_run
from ganlib.sampling import check_options
from ganlib.sampling.request import SampleRequest
from ganlib.settings import READ_ONLY, read_only, results_root
from ganlib.ui import markup
from ganlib.ui.catalog import generates, has_stages, load_model, quick_first, runs
from ganlib.ui.downloads import draw_download
from ganlib.ui.jobs import Job, draw_progress, jobs
from ganlib.ui.links import check_link, draw_link, format_options, linked_selectbox
from ganlib.ui.markup import plain
from ganlib.ui.names import run_labels
from ganlib.ui.options import pick_options
from ganlib.ui.thumbnails import last_sheet

COUNTS = (10, 50, 100, 500, 1_000, 5_000, 10_000)
FORMATS = {"zip": "ZIP", "folder": "Folder", "webdataset": "WebDataset"}
LARGEST_DOWNLOAD = 200_000_000  # bytes, through the browser
PREVIEW = 32  # images


class ExportRequest(NamedTuple):
    run: Run
    config: ExportConfig
    options: dict[str, Any]

    @property
    def path(self) -> Path:
        """Of the result; another one for each request."""
        key = hashlib.sha256(json.dumps([self.run.weights_hash, *self.words]).encode()).hexdigest()[:8]
        ending = ".zip" if self.config.format == "zip" else ""
        return results_root() / "exports" / f"{self.run.path.name}-{key}{ending}"

    @property
    def words(self) -> list[str]:
        options = [f"{name}={value}" for name, value in format_options(self.options).items()]
        return [*flags(self.config), *(word for option in options for word in ("--option", option))]

    @property
    def command(self) -> str:
        return shlex.join(["python", "-m", "ganlib", "export", self.run.name, *self.words])


def pick_run() -> Run:
    """The best first, of those that draw at once: thousands of images are wanted."""
    known = {run.name: run for run in quick_first(runs(generates))}
    check_link("run", known.__contains__, "there is no such run here")
    with st.sidebar:
        return known[linked_selectbox("Run", run_labels(known.values()), next(iter(known)), key="run")]


def pick_request(run: Run) -> ExportRequest:
    """In the sidebar, with the button that starts it."""
    with st.sidebar:
        each = "Images of each class" if run.conditional else "Images"
        images = st.select_slider(
            plain(each), COUNTS, 100, key="images", bind="query-params", format_func="{:,}".format
        )
        form = linked_selectbox("Format", FORMATS, "zip", key="format")
        confidence = distance = 0.0
        if run.conditional:
            confidence = st.slider(
                "Least confidence in the class",
                0.0,
                0.99,
                0.0,
                0.01,
                key="confidence",
                bind="query-params",
                help="Images that the data set's classifier gives their class less are left out.",
            )
        distance = st.slider(
            "Nearer to a training image than … of test images",
            0.0,
            0.5,
            0.0,
            0.01,
            key="distance",
            bind="query-params",
            format="percent",
            help="Images that lie as near to a training image as this share of test images are left out.",
        )
        with st.popover("Model options", icon=":material/tune:"):
            options = pick_options(run)
        values = {"images": int(images), "format": form}
        config = ExportConfig.from_dict(values | {"min_confidence": confidence, "min_distance": distance})
        request = ExportRequest(run, config, options)
        job = jobs().latest
        if read_only():
            st.caption(READ_ONLY)
            return request
        st.button(
            "Export",
            icon=":material/download:",
            disabled=job is not None and job.running,
            on_click=lambda: _start(request),
        )
    return request


def _start(request: ExportRequest) -> None:
    device = str(st.session_state.get("device", "auto"))
    request.path.parent.mkdir(parents=True, exist_ok=True)
    words = ["export", str(request.run.path.resolve()), *request.words, "--out", str(request.path), "--device", device]
    jobs().start(request, words)


def draw_job() -> None:
    job = jobs().latest
    if job is None:
        return
    if job.running:
        draw_progress(job)
    elif isinstance(job.request, ExportRequest):
        _draw_outcome(job)


def _draw_outcome(job: Job) -> None:
    name = job.request.path.name
    if job.stopped:
        st.info(f"Stopped exporting {plain(name)}. Exported again, it goes on from there.")
    elif job.failed:
        st.error(plain(job.failure))
    else:
        st.success(f"Exported {plain(name)}.")


def draw_preview(request: ExportRequest) -> None:
    """The size of the export and its first images, before any filter."""
    run = request.run
    quotas = request.config.quotas(len(run.classes) if run.conditional else 1)
    st.html(
        markup.numbers(
            [
                (f"{sum(quotas):,}", "images", "In all classes together."),
                (f"{len(quotas) if run.conditional else 0}", "classes", "A folder, or a label, each."),
                (f"{run.config.image_size} px", "PNG", "As the model draws them."),
            ]
        )
    )
    with st.container(key="pictures"):
        _draw_pictures(request)
    values = {"run": run.name, "images": request.config.images, "format": request.config.format}
    values |= {"confidence": request.config.min_confidence, "distance": request.config.min_distance}
    draw_link(values | format_options(request.options), request.command, opens="this form")


def _draw_pictures(request: ExportRequest) -> None:
    run = request.run
    if has_stages(run, request.options):  # minutes for what a download shows as well
        st.caption("It draws in many steps: below are pictures of its training, not yet the export's.")
        sheet = last_sheet(run)
        content = sheet and read_sheet(sheet)
        if content:
            st.html(markup.sheet(content, "Pictures of the training"))
    else:
        pictures = _first_pictures(str(run.path), run.weights_hash, format_options(request.options))
        labels = [() if p.label is None else (p.label,) for p in pictures]
        captions = [SampleRequest(run, label, (p.seed,)).captions[0] for label, p in zip(labels, pictures, strict=True)]
        st.html(markup.captioned_images(np.stack([p.image for p in pictures]), captions, "The first images"))


@st.cache_data(max_entries=16, show_spinner=False)
def _first_pictures(path: str, weights: str, options: dict[str, str]) -> list[Picture]:
    model = load_model(find_run(path))
    assert isinstance(model, GenerativeModel)
    quotas = [PREVIEW] * (model.config.num_classes if model.conditional else 1)
    draw = samples_of(model, check_options(model, options))
    selection = Selection(draw, quotas, conditional=model.conditional)
    return next(iter(selection))[:PREVIEW]


def draw_exports() -> None:
    """What was exported, the newest first."""
    paths = sorted((results_root() / "exports").glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
    shown = [path for path in paths if path.suffix == ".zip" or (path / HEADER).is_file()]
    if not shown:
        return
    st.subheader("Exports", anchor=False)
    for path in shown:
        with st.expander(plain(path.name), icon=":material/folder_zip:"):
            _draw_export(path)


def _draw_export(path: Path) -> None:
    st.caption(plain(str(path.resolve())))
    if path.is_dir():
        try:
            header = read_json(path / HEADER)
            rows = max((path / MANIFEST).read_bytes().count(b"\n") - 1, 0) if (path / MANIFEST).is_file() else 0
            complete = (path / CARD).is_file()
            state = f"{rows:,} images{'' if complete else ' so far'}, of {header['run']}"
            st.markdown(plain(state))
            if complete:
                st.code((path / CARD).read_text(encoding="utf-8"), language="markdown", wrap_lines=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GanlibError(f"{path} is no readable export ({error}); export it again.") from None
    elif path.stat().st_size <= LARGEST_DOWNLOAD:
        megabytes = path.stat().st_size / 1e6
        draw_download(
            f"Download, {megabytes:.1f} MB",
            path.read_bytes,
            path.name,
            "application/zip",
            "download",
            key=f"zip_{path.name}",
        )
