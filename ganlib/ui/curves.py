"""What the curves page is made of: choosing runs, scalars and looks; findings; pictures of the moment; downloads."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.figures import Span
from ganlib.figures.report import Report
from ganlib.logs import AXES as AXIS_TITLES
from ganlib.logs import (
    RECIPE,
    Finding,
    add_snapshot_metrics,
    assign_x,
    available_axes,
    diagnose,
    differing,
    find_annotations,
    matching,
    seed_groups,
)
from ganlib.provenance import commit, now
from ganlib.runs import Run
from ganlib.ui.catalog import all_recipes, best_first, evaluations, generates, runs
from ganlib.ui.links import check_link, check_link_list
from ganlib.ui.pictures import snapshot_of
from ganlib.ui.report import PageReport

DEFAULT_RUNS = 3
WHOLE = 100  # from this width on an axis is cut at whole numbers
AXES = {"images": "images", "steps": "step", "epochs": "epoch", "time": "time", "date": "clock"}
LAYOUTS = {"overlay": "overlay", "one by one": "multiples"}
LOSSES = ("non-saturating", "minimax", "hinge", "least squares", "wasserstein")
LOOKS = {"critical": ":red[:material/error:]", "warning": ":orange[:material/warning:]", "info": ":material/info:"}


def pick_logged_runs(frame: pd.DataFrame) -> list[str]:
    """Names of logged runs; by default the best of the data set with the largest pictures."""
    names = sorted(frame.run.cat.categories)
    query = st.text_input(
        "Filter",
        key="filter",
        bind="query-params",
        placeholder="cifar10 model=sagan tag:fid",
        help="Regular expressions for names, key=value of a run's recipe, tag:name of a scalar; all of them must fit.",
    )
    logged = frame[["run", "tag"]].drop_duplicates().astype(str)
    tags = {name: logged.tag[logged.run == name] for name in names}
    fitting = matching(all_recipes(), names, query, tags)
    if not fitting:
        st.caption("No run fits the filter.")
    generating = best_first(run for run in runs(generates) if run.name in fitting)
    siblings = fitting
    if generating:
        leading = max(generating, key=lambda run: run.config.image_size)
        siblings = [run.name for run in generating if run.data_name == leading.data_name]
    check_link_list("runs", names)
    kept = [name for name in st.session_state.get("runs", []) if name in names]
    options = list(dict.fromkeys([*fitting, *kept, *st.query_params.get_all("runs")]))
    return st.multiselect("Runs", options, siblings[:DEFAULT_RUNS], key="runs", bind="query-params")


def pick_tags(frame: pd.DataFrame) -> list[str]:
    tags = sorted(frame.tag.unique(), key=lambda tag: (not tag.startswith("loss"), tag))
    if not tags:
        return []  # a widget without options would forget what was chosen
    chosen = st.session_state.get("tags")
    if chosen and not set(chosen) & set(tags):
        del st.session_state["tags"]  # runs of another tool, which calls its scalars otherwise
    losses = [tag for tag in tags if tag in ("loss", "loss/D", "loss/G")] or [t for t in tags if t.startswith("loss")]
    check_link_list("tags", tags)
    return st.multiselect("Scalars", tags, losses or tags[:2], key="tags", bind="query-params")


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the scores that snapshots of its runs got."""
    return add_snapshot_metrics(frame.reset_index(drop=True), evaluations()[0])


def pick_axis(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The frame along the axis that the user chose among those it can be laid along, and the axis's title."""
    possible = available_axes(frame)
    names = [name for name in AXES if AXES[name] in possible]
    if not names:  # no run is chosen
        return frame.assign(x=0.0), ""
    check_link("x", names.__contains__, f"these runs logged {', '.join(names)}")
    choice = st.segmented_control(
        "Horizontal axis", names, default=names[0], required=True, key="x", bind="query-params"
    )
    axis = AXES[str(choice)]
    return assign_x(frame, axis), AXIS_TITLES[axis]


def said_missing(frame: pd.DataFrame, placed: pd.DataFrame) -> None:
    """Which runs have no place on the axis."""
    if missing := sorted(set(frame.run.unique()) - set(placed.run.unique())):
        st.caption(f"Without a place on this axis, so not shown: {', '.join(missing)}.")


def pick_look() -> dict[str, Any]:
    """How ``figures.curves`` draws."""
    check_link("layout", LAYOUTS.__contains__, f"it can be {', '.join(LAYOUTS)}")
    layout = st.segmented_control(
        "Layout", list(LAYOUTS), default="overlay", required=True, key="layout", bind="query-params"
    )
    look: dict[str, Any] = {"layout": LAYOUTS[str(layout)]}
    look["smoothing"] = st.slider("Smoothing", 0.0, 0.99, 0.6, 0.01, key="smooth", bind="query-params")
    look["log_y"] = st.toggle("Logarithmic values", key="log", bind="query-params")
    look["log_x"] = st.toggle("Logarithmic axis", key="log_x", bind="query-params")
    look["clip"] = st.toggle(
        "Clip outliers", key="clip", bind="query-params", help="Leaves a hundredth of the values at each end outside."
    )
    return look


def pick_groups(chosen: Sequence[str]) -> dict[str, str]:
    """Runs that differ only in seed, by the name of the first, where the user wants them as one."""
    table = all_recipes()
    groups = seed_groups(table.loc[[name for name in chosen if name in table.index]])
    if groups and st.toggle("Mean over seeds", True, key="seeds", bind="query-params"):
        return groups
    return {}


def pick_marks(frame: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Rows that the curves should mark within what is shown, with their labels."""
    within = frame.x.between(shown.x.min(), shown.x.max())
    found = {kind: rows[within[rows.index]] for kind, rows in find_annotations(frame)}
    if not found:
        return frame[:0]
    check_link_list("marks", found)
    kinds = st.pills(
        "Marks", list(found), selection_mode="multi", default=list(found), key="marks", bind="query-params"
    )
    return pd.concat([found[kind] for kind in kinds]) if kinds else frame[:0]


def pick_range(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows between two places of the axis: fewer of them are drawn more finely."""
    low, high = frame.x.min(), frame.x.max()
    if not low < high:
        return frame
    if frame.x.dtype.kind == "M":
        low, high = low.to_pydatetime(), high.to_pydatetime()
    elif high - low > WHOLE:
        low, high = floor(low), ceil(high)
    start, end = st.slider("Shown range", low, high, (low, high), key=f"range {low} {high}")
    return frame[(frame.x >= start) & (frame.x <= end)]


def findings(frame: pd.DataFrame) -> tuple[list[Finding], Span | None]:
    """What the curves of the chosen runs say, and the interval of the one that the user points at."""
    st.subheader("Diagnosis", anchor=False)
    kinds = {run.name: run.blueprint.loss_kind for run in runs()}
    unknown = pick_loss() if set(frame.run.unique()) - kinds.keys() else None
    found = [
        finding
        for run, own in frame.groupby("run", observed=True)
        for finding in diagnose(own, loss=kinds.get(str(run), unknown))
    ]
    if not found:
        st.caption("No sign of trouble in these runs.")
        return found, None
    chosen = st.radio(
        "Findings",
        range(len(found)),
        index=None,
        format_func=lambda i: _title(found[i]),
        captions=[f"{finding.evidence} {finding.advice}" for finding in found],
        label_visibility="collapsed",
        key="finding",
    )
    if chosen is None:
        return found, None
    it = found[chosen]
    there = frame[(frame.run == it.run) & (frame.step >= it.start) & (frame.step <= it.end)].x
    return found, Span(there.min(), there.max(), it.title) if len(there) else None


def pick_loss() -> str | None:
    """What other tools' runs were trained with: their logs do not say."""
    check_link("loss", LOSSES.__contains__, f"it can be {', '.join(LOSSES)}")
    kind = st.selectbox(
        "Loss of other tools' runs",
        LOSSES,
        index=None,
        placeholder="not known: only what holds for any loss is claimed",
        key="loss",
        bind="query-params",
    )
    return None if kind is None else str(kind)


def _title(finding: Finding) -> str:
    return f"{LOOKS[finding.severity]} **{finding.title}** · {finding.run} · steps {finding.start:,} to {finding.end:,}"


def pictured(names: Sequence[str]) -> list[Run]:
    """Those of the runs that kept pictures of their training."""
    return [run for run in runs() if run.name in names and run.folder.sample_images()]


def beside_pictures(names: Sequence[str]) -> list[DeltaGenerator]:
    """Where the charts go, and the pictures: a place of no width where there are none."""
    return st.columns([3, 2], gap="large") if pictured(names) else [st.container(), st.empty()]


def snapshots(names: Sequence[str]) -> None:
    """Each run's pictures of fixed seeds, at the last snapshot not after the slider."""
    chosen = pictured(names)
    if not chosen:
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
    if (before := st.session_state.get("side")) and not set(before) & set(names):
        del st.session_state["side"]  # other runs are shown now
    return st.multiselect("Runs side by side", names, names[:DEFAULT_RUNS], key="side", bind="query-params")


def draw_differences(report: PageReport, names: Sequence[str]) -> None:
    """The recipes of runs side by side, and only what differs; nothing for fewer than two."""
    table = all_recipes()
    chosen = [name for name in names if name in table.index]
    if len(chosen) < 2:
        return
    relevant = [key for key in table.columns if key.split(".")[0] in RECIPE]
    differences = differing(table.loc[chosen, relevant]).T
    if differences.empty:
        st.caption("The recipes of these runs are the same but for when and with which versions they were trained.")
        return
    # Text, for a column may hold numbers and words; a key that a run lacks is blank.
    cells = differences.map(lambda value: "" if pd.isna(value) else str(value)).rename_axis(columns=None)
    cells.insert(0, "setting", cells.index)
    alt = f"Table of the settings in which {', '.join(chosen)} differ."
    report.table(cells, heading="Configuration differences", alt=alt)


def download_frame(label: str, frame: pd.DataFrame, name: str) -> None:
    content = lambda: frame.to_csv(index=False).encode()  # noqa: E731
    st.download_button(label, content, name, "text/csv", on_click="ignore", icon=":material/download:")


def download_curves(frame: pd.DataFrame, report: Report) -> None:
    """The shown scalars for a spreadsheet and for pandas, and the page as one file of HTML."""

    def parquet() -> bytes:
        content = io.BytesIO()
        plain = frame.copy()
        plain.attrs = {}  # which Parquet would keep as JSON
        plain.to_parquet(content, index=False)
        return content.getvalue()

    def page() -> bytes:
        return report.html(f"ganlib {commit() or ''}, {now()}.").encode()

    with st.container(horizontal=True):
        download_frame("Shown scalars as CSV", frame, "curves.csv")
        for label, kind, mime, icon, make in (
            ("Shown scalars as Parquet", "parquet", "application/vnd.apache.parquet", "table", parquet),
            ("Report as HTML", "html", "text/html", "description", page),
        ):
            st.download_button(label, make, f"curves.{kind}", mime, on_click="ignore", icon=f":material/{icon}:")
