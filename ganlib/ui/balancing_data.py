"""The data set to balance, chosen before all else: its images of each class, and the runs that can fill it up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from ganlib.applications.balancing.balance import fills_up_classes
from ganlib.data.sets import DATA_SETS, DataRequest
from ganlib.data.subset import SEPARATOR, parse_subset, whole_set
from ganlib.errors import GanlibError
from ganlib.figures.balancing import counts_sketch
from ganlib.runs import Run
from ganlib.settings import data_roots
from ganlib.ui.catalog import quick_first, runs
from ganlib.ui.links import linked_selectbox
from ganlib.ui.markup import plain
from ganlib.ui.names import data_labels, run_labels
from ganlib.ui.two_sample_sides import UPLOADS, known_archives, pick_upload

WHOLE = "as it is"
IMBALANCES = (WHOLE, "10:1", "50:1", "100:1", "10:1-step", "100:1-step", "10", "50", "200")
USUAL = "100:1"
NO_GENERATOR = "none"

Counted = tuple[tuple[str, ...], tuple[int, ...]]  # classes, and training images of each


class Chosen(NamedTuple):
    name: str  # as ``ganlib balance`` takes it
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    link: dict[str, str]  # what the page's link says of it
    shown: str = ""  # in place of the path of an upload

    @property
    def equal(self) -> bool:
        return len(set(self.counts)) == 1


def pick_data() -> Chosen | None:
    """A data set or an upload, whole or a part of it, its counts drawn; None, and a sentence, where it has none."""
    generators = _generators()
    linked = [run for run in generators if run.name == st.query_params.get("generator")]
    usual = [*(whole_set(run.data_name) for run in (*linked, *generators)), "digits"]
    labels = data_labels(name for name in (*usual, *known_archives()) if not name.startswith("mixture:")) | UPLOADS
    picked = linked_selectbox("Data set", labels, usual[0], key="data")
    whole, shown = picked, ""
    if picked in UPLOADS:
        upload = pick_upload("balance", picked)
        if not upload.name:
            st.caption("Class folders with images, with or without a folder train and a folder test around them.")
            return None
        whole, shown = f"folder:{upload.name}", upload.shown
    own = [run for run in (*linked, *generators) if whole_set(run.data_name) == whole]
    counts = _pick_counts(own)
    name = whole if counts == WHOLE else f"subset:{whole}{SEPARATOR}{counts}"
    try:
        classes, numbers = _look_at(name, own)
    except GanlibError as error:
        st.caption(f":material/error: {plain(str(error).replace(whole, shown) if shown else str(error))}")
        return None
    figure = counts_sketch(numbers, classes)
    st.plotly_chart(figure, key="sketch", config={"displayModeBar": False}, alt="Training images of each class")
    return Chosen(name, classes, numbers, {"data": picked, "imbalance": counts}, shown)


def pick_generator(chosen: Chosen) -> Run | None:
    """Of the same data set, those first that know no more of it than the classifier may; or none."""
    fitting = [run for run in _generators() if run.classes == chosen.classes]
    if not chosen.shown:
        fitting = [run for run in fitting if whole_set(run.data_name) == whole_set(chosen.name)]
    order = {run.name: run for run in sorted(fitting, key=lambda run: run.data_name != chosen.name)}
    labels = run_labels(order.values()) | {NO_GENERATOR: "none"}
    first = next(iter(labels))
    run = order.get(linked_selectbox("Generator", labels, first, key="generator", keep=chosen.link))
    if run and run.data_name != chosen.name:
        st.caption("It was trained on other images, and may know more of rare classes than the classifier is shown.")
    return run


def _generators() -> list[Run]:
    """Those that were trained on a subset come first: they know no more than the classifier may."""
    return sorted(quick_first(runs(fills_up_classes)), key=lambda run: not run.data_name.startswith("subset:"))


def _pick_counts(own: list[Run]) -> str:
    """Of the usual parts and those that runs were trained on; that of the first run where the link names none."""
    trained = [_counts_of(run) for run in own]
    labels = {counts: _describe(counts) for counts in dict.fromkeys([*IMBALANCES, *trained])}
    default = trained[0] if trained and trained[0] != WHOLE else USUAL
    return linked_selectbox("Images of each class", labels, default, key="imbalance")


def _counts_of(run: Run) -> str:
    name = run.data_name
    return WHOLE if name == whole_set(name) else name.removeprefix(f"subset:{whole_set(name)}{SEPARATOR}")


def _describe(counts: str) -> str:
    if counts.isdecimal():
        return f"{counts} of each"
    ratio, _, step = counts.partition("-")
    if not ratio.endswith(":1"):
        return counts
    return f"{ratio}, {'half of the classes rare' if step else 'falling from class to class'}"


def _look_at(name: str, own: list[Run]) -> Counted:
    """GanlibError where the set is not at hand, has no classes or too few images of one."""
    for run in own:
        if run.data_name == name and run.recipe.data.class_counts:
            return run.classes, run.recipe.data.class_counts
    whole = whole_set(name)
    if whole != name:
        classes, available = _look_at(whole, own)
        counts = parse_subset(name.removeprefix("subset:")).class_counts(np.array(available))
        return classes, tuple(counts.tolist())
    with st.spinner("Counting the images of each class …"):
        return _count(name)


@st.cache_data(max_entries=32, show_spinner=False)
def _count(name: str) -> Counted:
    """Classes of a whole set and its training images of each, from its labels alone."""
    key, _, argument = name.partition(":")
    contents = DATA_SETS[key].locate(DataRequest(argument or None, data_roots())).contents()
    labels = contents.labels["train"]
    counts = np.bincount(labels[labels >= 0], minlength=len(contents.classes))
    if len(contents.classes) < 2:
        raise GanlibError(f"{name} has no two classes to balance; choose a labelled set, or folders of classes.")
    return contents.classes, tuple(counts.tolist())
