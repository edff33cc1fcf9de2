"""The form of an export, its job, and its first images."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from ganlib.applications.export.config import ExportConfig
from ganlib.applications.export.filters import filter_identities
from ganlib.applications.export.selection import Picture, Selection, samples_of
from ganlib.config import flags
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.naming import counted
from ganlib.run_folder import read_sheet
from ganlib.runs import Run, find_run
from ganlib.sampling import check_options
from ganlib.sampling.request import SampleRequest, parse_int
from ganlib.settings import READ_ONLY, read_only, results_root
from ganlib.ui import markup
from ganlib.ui.catalog import generates, has_stages, load_model, quick_first, runs
from ganlib.ui.controls import pick_seed
from ganlib.ui.exported import draw_export
from ganlib.ui.jobs import Job, draw_progress, jobs
from ganlib.ui.links import (
    check_link,
    check_link_number,
    draw_link,
    format_options,
    linked_selectbox,
    linked_text,
)
from ganlib.ui.markup import plain
from ganlib.ui.names import run_labels
from ganlib.ui.options import pick_options
from ganlib.ui.thumbnails import last_sheet

FORMATS = {"zip": "ZIP", "folder": "Folder", "webdataset": "WebDataset"}
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")  # as links had a number
MOST_IN_SHARD = 100_000
PREVIEW = 32  # images


class ExportRequest(NamedTuple):
    run: Run
    config: ExportConfig
    options: dict[str, Any]

    @property
    def path(self) -> Path:
        """Of the result; another one for each request."""
        filters = filter_identities(
            self.run, min_confidence=self.config.min_confidence, min_distance=self.config.min_distance
        )
        parts = [self.run.weights_hash, *self.words, *filters.values()]
        key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
        ending = ".zip" if self.config.format == "zip" else ""
        return results_root() / "exports" / f"{self.run.path.name}-{key}{ending}"

    @property
    def quotas(self) -> list[int]:
        return self.config.quotas(len(self.run.classes) if self.run.conditional else 1)

    @property
    def words(self) -> list[str]:
        options = [f"{name}={value}" for name, value in format_options(self.options).items()]
        return [*flags(self.config), *(word for option in options for word in ("--option", option))]

    @property
    def command(self) -> str:
        return shlex.join(["python", "-m", "ganlib", "export", self.run.argument, *self.words])


def pick_run() -> Run:
    """The best first, of those that draw at once: thousands of images are wanted."""
    known = {run.name: run for run in quick_first(runs(generates))}
    check_link("run", known.__contains__, "there is no such run here")
    with st.sidebar:
        return known[linked_selectbox("Run", run_labels(known.values()), next(iter(known)), key="run")]


def pick_request(run: Run) -> ExportRequest:
    """In the sidebar, with the button that starts it."""
    with st.sidebar:
        values = _pick_counts(run)
        form = linked_selectbox("Format", FORMATS, "zip", key="format")
        values["format"] = form
        if form == "webdataset":
            check_link_number("shard", 1, MOST_IN_SHARD)
            shard = st.number_input("Images of a shard", 1, MOST_IN_SHARD, 1_000, key="shard", bind="query-params")
            values["shard"] = int(shard)
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
        with st.popover("Seed and options", icon=":material/tune:"):
            values["first_seed"] = pick_seed(key="first_seed", label="First seed", compact=True)
            options = pick_options(run)
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


def _pick_counts(run: Run) -> dict[str, Any]:
    """``images`` or ``counts`` of the config."""
    classes = len(run.classes) if run.conditional else 1

    def is_valid(text: str) -> bool:
        try:
            return bool(parse_counts(text, classes))
        except GanlibError:
            return False

    check_link("images", is_valid, f"it is a number, or one for each of {classes} classes")
    label, help = "Images", None
    if run.conditional:
        label = "Images of each class"
        help = f"One number for all {classes} classes, or a number for each in turn, with spaces between."
    return parse_counts(linked_text(label, str(ExportConfig.images), key="images", help=help), classes)


def parse_counts(text: str, classes: int) -> dict[str, Any]:
    """ "1,000", or "500 20 …" of so many classes -> the fields of an ExportConfig; GanlibError where it is neither."""
    words = [part for word in text.split() for part in (word.split(",") if not THOUSANDS.fullmatch(word) else [word])]
    numbers = [parse_int(word.replace(",", "")) for word in words if word]
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers) or len(known) not in (1, classes):
        wanted = f"a whole number, or one for each of {classes} classes" if classes > 1 else "a whole number"
        raise GanlibError(f"Give as images {wanted}, like {' '.join(['100'] * min(classes, 3))}; not {text[:60]!r}.")
    fields: dict[str, Any] = {"images": known[0]} if len(known) == 1 else {"counts": tuple(known)}
    ExportConfig.from_dict(fields).quotas(classes)
    return fields


def _start(request: ExportRequest) -> None:
    device = str(st.session_state.get("device", "auto"))
    words = ["export", str(request.run.path.resolve()), *request.words, "--out", str(request.path), "--device", device]
    jobs().start(request, words)


def draw_job() -> Path | None:
    """Its progress, or what came of it; the path of the export that is shown."""
    job = jobs().latest
    if job is None:
        return None
    if job.running:
        draw_progress(job)
    elif isinstance(job.request, ExportRequest):
        return _draw_outcome(job)
    return None


def _draw_outcome(job: Job) -> Path | None:
    path: Path = job.request.path
    if job.stopped:
        st.info(f"Stopped exporting {plain(path.name)}. Exported again, it goes on from there.")
    elif job.failed:
        st.error(plain(job.failure))
    else:
        st.success(f"Exported {plain(path.name)}.")
        if path.exists():
            with st.container(border=True):
                draw_export(path)
            return path
    return None


def draw_preview(request: ExportRequest) -> None:
    """The size of the export and its first images, before any filter."""
    run = request.run
    quotas = request.quotas
    classes = sum(map(bool, quotas)) if run.conditional else 0
    st.html(
        markup.numbers(
            [
                _number(sum(quotas), "image", "In all classes together."),
                _number(classes, "class", "A folder, or a label, each."),
                (f"{run.config.image_size} px", "PNG", "As the model draws them."),
            ]
        )
    )
    with st.container(key="pictures"):
        _draw_pictures(request)
    config = request.config
    values: dict[str, Any] = {"run": run.name, "images": " ".join(map(str, config.counts or [config.images]))}
    values |= {"format": config.format, "first_seed": config.first_seed}
    values |= {"confidence": config.min_confidence, "distance": config.min_distance}
    values |= {"shard": config.shard} if config.format == "webdataset" else {}
    draw_link(values | format_options(request.options), request.command, opens="this form")


def _number(n: int, noun: str, explanation: str) -> tuple[str, str, str]:
    value, _, unit = counted(n, noun).partition(" ")
    return value, unit, explanation


def _draw_pictures(request: ExportRequest) -> None:
    run = request.run
    if has_stages(run, request.options):  # minutes for what a download shows as well
        st.caption("It draws in many steps: below are pictures of its training, not yet the export's.")
        sheet = last_sheet(run)
        content = sheet and read_sheet(sheet)
        if content:
            st.html(markup.sheet(content, "Pictures of the training"))
    else:
        quotas, first = tuple(min(quota, PREVIEW) for quota in request.quotas), request.config.first_seed
        pictures = _first_pictures(str(run.path), run.weights_hash, format_options(request.options), quotas, first)
        labels = [() if p.label is None else (p.label,) for p in pictures]
        captions = [SampleRequest(run, label, (p.seed,)).captions[0] for label, p in zip(labels, pictures, strict=True)]
        st.html(markup.captioned_images(np.stack([p.image for p in pictures]), captions, "The first images"))


@st.cache_data(max_entries=16, show_spinner=False)
def _first_pictures(
    path: str, weights: str, options: dict[str, str], quotas: tuple[int, ...], first_seed: int
) -> list[Picture]:
    model = load_model(find_run(path))
    assert isinstance(model, GenerativeModel)
    draw = samples_of(model, check_options(model, options))
    selection = Selection(draw, quotas, first_seed, conditional=model.conditional)
    return next(iter(selection))[:PREVIEW]
