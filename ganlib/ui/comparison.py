"""What the experiment pages share: choosing runs, scalars and protocols; tables and downloads."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from ganlib.experiments import differing
from ganlib.ui.catalog import all_recipes, best_first, generates, runs
from ganlib.ui.links import check_link, check_link_list
from ganlib.ui.pictures import snapshot_of

DEFAULT_RUNS = 3
MAKING = ("n_fake", "extractor", "extractor_name", "extractor_hash", "resizer", "options")  # of images and features
RECIPE = ("model", "config", "data", "training", "start")  # what makes a run what it is
AXES: dict[str, Literal["images", "step", "time"]] = {"images": "images", "steps": "step", "time": "time"}


def architectures() -> dict[str, str]:
    """Run name -> architecture, which fixes its colour."""
    return {run.name: run.model_name for run in runs()}


def pick_logged_runs(frame: pd.DataFrame) -> list[str]:
    """Names of logged runs; by default the best of the data set with the largest pictures."""
    names = list(frame.run.unique())
    generating = best_first(run for run in runs(generates) if run.name in names)
    if generating:
        leading = max(generating, key=lambda run: run.config.image_size)
        siblings = [run.name for run in generating if run.data_name == leading.data_name]
    else:
        siblings = names
    check_link_list("runs", names)
    return st.multiselect("Runs", names, siblings[:DEFAULT_RUNS], key="runs", bind="query-params")


def pick_tags(frame: pd.DataFrame) -> list[str]:
    tags = sorted(frame.tag.unique(), key=lambda tag: (not tag.startswith("loss/"), tag))
    losses = [tag for tag in tags if tag.startswith("loss/")]
    check_link_list("tags", tags)
    return st.multiselect("Scalars", tags, losses or tags[:2], key="tags", bind="query-params")


def pick_axis() -> Literal["images", "step", "time"]:
    check_link("x", AXES.__contains__, f"it can be {', '.join(AXES)}")
    choice = st.segmented_control(
        "Horizontal axis", list(AXES), default="images", required=True, key="x", bind="query-params"
    )
    return AXES[str(choice)]


def snapshots(names: list[str]) -> None:
    """Each run's pictures of fixed seeds, at the last snapshot not after the slider."""
    chosen = [run for run in runs() if run.name in names and run.folder.sample_images()]
    if not chosen:
        st.caption("The chosen runs kept no pictures of their training.")
        return
    points = sorted({images for run in chosen for images in run.folder.sample_images()})
    at = points[0]
    if len(points) > 1:
        labels = [f"{n:,}" for n in points]  # exact, for two runs may have pictures a few images apart
        check_link("at", labels.__contains__, "no run has a picture of that moment")
        chosen_label = st.select_slider(
            "Pictures after … training images", labels, labels[-1], key="at", bind="query-params"
        )
        at = points[labels.index(chosen_label)]
    for run in chosen:
        earlier = [images for images in run.folder.sample_images() if images <= at]
        if earlier:
            snapshot_of(run, earlier[-1])
        else:
            st.caption(f"{run.name} made its first picture later.")


def pick_some(names: list[str]) -> list[str]:
    """Runs to lay side by side."""
    check_link_list("side", names)
    return st.multiselect("Runs side by side", names, names[:DEFAULT_RUNS], key="side", bind="query-params")


def differences(names: list[str]) -> pd.DataFrame | None:
    """The recipes of runs side by side, and only what differs; nothing for fewer than two."""
    table = all_recipes()
    chosen = [name for name in names if name in table.index]
    if len(chosen) < 2:
        return None
    relevant = [key for key in table.columns if key.split(".")[0] in RECIPE]
    found = differing(table.loc[chosen, relevant]).T
    if found.empty:
        st.caption("The recipes of these runs are the same but for when and with which versions they were trained.")
        return None
    # Text, for a column may hold numbers and words; a key that a run lacks is blank.
    words = found.map(lambda value: "" if pd.isna(value) else str(value)).rename_axis("setting").reset_index()
    st.dataframe(words, hide_index=True, alt=f"Table of the settings in which {', '.join(chosen)} differ.")
    return words


def download_frame(label: str, frame: pd.DataFrame, name: str) -> None:
    st.download_button(
        label,
        lambda: frame.to_csv(index=False).encode(),
        name,
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )
