"""Starts a comparison of two sides as a process, follows it, and says how it ended."""

from __future__ import annotations

import re
from typing import NamedTuple

import streamlit as st

from ganlib.config import flags
from ganlib.models.abilities import Encodes
from ganlib.settings import read_only
from ganlib.twosample.config import SECTIONS, STANDARD, ComparisonConfig
from ganlib.twosample.folders import default_folder
from ganlib.ui.catalog import generates, runs
from ganlib.ui.jobs import Job, draw_progress, jobs
from ganlib.ui.links import check_link_list, linked_multiselect
from ganlib.ui.markup import plain
from ganlib.ui.names import run_labels
from ganlib.ui.stored_results import result_id
from ganlib.ui.two_sample_results import RESULT
from ganlib.ui.two_sample_sides import Side, pick_sides

COUNTS = (250, 500, 1_000, 2_000, 5_000, 10_000)
LABELS = {
    "classifier": "Classifiers",
    "features": "Feature tests",
    "memorisation": "Copies of training images",
    "latents": "Latent codes",
    "training": "Training on synthetic images",
}
TRAINING_IMAGES = 20_000  # that each of the 15 classifiers of the section sees, on a page: a minute or two each


class ComparisonRequest(NamedTuple):
    real: Side
    synthetic: Side
    result: str  # its name among the results
    seen: bool = False


def draw_form(*, expanded: bool) -> None:
    """In the sidebar. Once a comparison has ended the page shows it."""
    if read_only():
        return
    job = jobs().latest
    with st.sidebar.expander("New comparison", icon=":material/compare:", expanded=expanded or _is_own(job)):
        if job is not None and job.running:
            draw_progress(job)
            return
        if job is not None and _is_own(job):
            _draw_outcome(job)
        real, synthetic = pick_sides()
        start = st.container()  # in sight without scrolling
        config = _pick_config()
        reason = _why_not(real, synthetic, config)
        with start:
            if reason:
                st.caption(plain(reason))
            st.button(
                "Compare",
                icon=":material/play_circle:",
                width="stretch",
                disabled=bool(reason),
                on_click=lambda: _start(real, synthetic, config),
            )


def _is_own(job: Job | None) -> bool:
    return job is not None and isinstance(job.request, ComparisonRequest)


def _pick_config() -> ComparisonConfig:
    check_link_list("sections", SECTIONS)
    sections = linked_multiselect("What to test", {name: LABELS[name] for name in SECTIONS}, STANDARD, key="sections")
    n = st.select_slider("Images a side, at most", COUNTS, 1_000, key="n", format_func="{:,}".format)
    encoder = _pick_encoder() if "latents" in sections else None
    with st.popover("More settings", icon=":material/tune:"):
        size = st.number_input("Pixels a side (0: those of the smaller side)", 0, 512, 0, 8, key="size")
        sequences = st.text_input(
            "Part of a file's name that names its sequence",
            key="sequences",
            placeholder="regular expression",
            help="Frames of one sequence depend on each other: they are kept together and count once.",
        )
        training = st.text_input("Training images, for copies", key="training", placeholder="the run's own")
        held_out = st.text_input("Held-out images, for copies", key="held_out", placeholder="the data set's test split")
    return ComparisonConfig(
        sections=tuple(sections) or STANDARD,
        n=int(n),
        size=int(size) or None,
        sequences=sequences.strip() or None,
        training=training.strip() or None,
        held_out=held_out.strip() or None,
        encoder=encoder,
        train_images=TRAINING_IMAGES,
    )


def _pick_encoder() -> str | None:
    """A run that encodes; None for the synthetic side's own."""
    encoders = runs(lambda run: generates(run) and issubclass(run.model_class, Encodes))
    labels = {"": "The synthetic side's own"} | run_labels(encoders)
    name = st.selectbox("Codes of", list(labels), key="encoder", format_func=labels.__getitem__)
    return name or None


def _why_not(real: Side, synthetic: Side, config: ComparisonConfig) -> str:
    if not (real.name and synthetic.name):
        return "Upload the images first."
    if (real.name, real.options) == (synthetic.name, synthetic.options):
        return "Both sides are the same; choose another one."
    for text in (config.training, config.held_out):
        if text and _is_path(text):
            return "Training and held-out images are data sets here, like cifar10-jpeg#test; paths work in a shell."
    return ""


def _is_path(text: str) -> bool:
    """The page reads no folder of the server that is not a data set."""
    return bool(re.match(r"((folder|shards):)?[/~.]", text)) or ".." in text


def _start(real: Side, synthetic: Side, config: ComparisonConfig) -> None:
    folder = default_folder(real.name, synthetic.name, (real.options, synthetic.options), config)
    jobs().start(ComparisonRequest(real, synthetic, result_id(folder)), arguments(real, synthetic, config))


def arguments(real: Side, synthetic: Side, config: ComparisonConfig) -> list[str]:
    """Of ``python -m ganlib``."""
    words = ["compare", real.name, synthetic.name, *flags(config)]
    for flag, side in (("--real-option", real), ("--synthetic-option", synthetic)):
        words += [flag, *side.options] if side.options else []
    return [*words, "--device", str(st.session_state.get("device", "auto"))]


def _draw_outcome(job: Job) -> None:
    request: ComparisonRequest = job.request
    title = f"{request.real.title} vs {request.synthetic.title}"
    if job.stopped:
        st.info(f"Stopped comparing {plain(title)}; nothing was stored.")
    elif job.failed:
        message = job.failure
        st.error(plain(_without_paths(message, request)), icon=":material/error:")
    else:
        st.success(f"Compared {plain(title)}.")
        if not request.seen:
            job.request = request._replace(seen=True)
            st.query_params[RESULT] = request.result
            st.rerun()


def _without_paths(message: str, request: ComparisonRequest) -> str:
    """Uploads under their own names."""
    for side in (request.real, request.synthetic):
        message = message.replace(side.name, side.title) if side.shown else message
    return message
