"""Widgets of the curves page: runs, scalars, axis and style; the diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganlib.figures import Span
from ganlib.logs import AXES as AXIS_TITLES
from ganlib.logs import (
    Finding,
    NotebookSample,
    add_sample_diversity,
    add_snapshot_metrics,
    assign_x,
    available_axes,
    diagnose,
    find_annotations,
    matching,
    seed_groups,
)
from ganlib.logs.sheet_diversity import distinct_fraction
from ganlib.naming import counted
from ganlib.ui.catalog import all_recipes, best_first, evaluations, generates, runs
from ganlib.ui.links import check_link, check_link_list, linked_multiselect
from ganlib.ui.markup import plain
from ganlib.ui.names import run_labels
from ganlib.ui.screen import is_phone

DEFAULT_RUNS = 3
INTEGER_RANGE = 100  # from this width on an axis is cut at whole numbers
AXES = {"images": "images", "steps": "step", "epochs": "epoch", "time": "time", "date": "clock"}
LAYOUTS = {"overlay": "overlay", "one by one": "multiples"}
LOSSES = ("non-saturating", "minimax", "hinge", "least squares", "wasserstein")
CHOSEN = "finding_chosen"  # the session's key of whether a finding was chosen just now, whose interval is to be seen
ICONS = {"critical": ":red[:material/error:]", "warning": ":orange[:material/warning:]", "info": ":material/info:"}


def pick_logged_runs(tags: Mapping[str, Sequence[str]]) -> list[str]:
    """Names of logged runs; by default the best of the data set with the largest images."""
    names = sorted(tags)
    query = st.text_input(
        "Filter",
        key="filter",
        bind="query-params",
        placeholder="cifar10 model=sagan tag:fid",
        help="Regular expressions for names, key=value of a run's recipe, tag:name of a scalar; all of them must fit.",
    )
    matches = matching(all_recipes(), names, query, tags)
    if not matches:
        st.caption("No run fits the filter.")
    generators = best_first(run for run in runs(generates) if run.name in matches)
    defaults = matches
    if generators:
        best = max(generators, key=lambda run: run.config.image_size)
        defaults = [run.name for run in generators if run.data_name == best.data_name]
    check_link_list("runs", names)
    labels = label_runs(names)
    linked = [name for name in st.query_params.get_all("runs") if name in labels]  # an upload may be gone since
    options = {name: labels[name] for name in [*matches, *linked]}
    chosen = linked_multiselect("Runs", options, defaults[:DEFAULT_RUNS], key="runs")
    if not query or not chosen or not matches:
        return chosen
    shown = [name for name in chosen if name in matches] or defaults[:DEFAULT_RUNS]
    st.caption(plain(f"The filter shows {len(shown)} of {counted(len(matches), 'fitting run')}."))
    return shown


def label_runs(names: Iterable[str]) -> dict[str, str]:
    """Runs as pages call them, those of other tools by their own names."""
    labels = run_labels(runs())
    return {name: labels.get(name, name) for name in names}


def pick_tags(frame: pd.DataFrame) -> list[str]:
    tags = sorted(frame.tag.unique(), key=lambda tag: (not tag.startswith("loss"), tag))
    if not tags:
        return []  # a widget without options would forget its selection
    selected = st.session_state.get("tags")
    if selected and not set(selected) & set(tags):
        del st.session_state["tags"]  # runs of another tool, which calls its scalars otherwise
    losses = [tag for tag in tags if tag in ("loss", "loss/D", "loss/G")] or [t for t in tags if t.startswith("loss")]
    check_link_list("tags", tags)
    return st.multiselect("Scalars", tags, losses or tags[:2], key="tags", bind="query-params")


def add_scores(frame: pd.DataFrame, samples: Mapping[str, Sequence[NotebookSample]]) -> pd.DataFrame:
    """The frame with the scores of its runs' snapshots, and the diversity of their samples, as scalars."""
    frame = add_snapshot_metrics(frame.reset_index(drop=True), evaluations()[0])
    return add_sample_diversity(frame, samples, _distinct_fraction)


@st.cache_data(max_entries=1024, show_spinner=False)
def _distinct_fraction(content: bytes) -> float | None:
    return distinct_fraction(content)


def pick_axis(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The frame with its places on the selected axis as column x, and the axis's title."""
    available = available_axes(frame)
    names = [name for name in AXES if AXES[name] in available]
    if not names:  # no run is chosen
        return frame.assign(x=0.0), ""
    check_link("x", names.__contains__, f"these runs logged {', '.join(names)}")
    choice = st.segmented_control(
        "Horizontal axis",
        names,
        default=names[0],
        required=True,
        key="x",
        bind="query-params",
        label_visibility="collapsed",
    )
    axis = AXES[str(choice)]
    return assign_x(frame, axis), AXIS_TITLES[axis]


def draw_missing(frame: pd.DataFrame, on_axis: pd.DataFrame, shown: pd.DataFrame) -> None:
    """Which runs logged nothing of the axis, or none of the chosen scalars."""
    if missing := sorted(set(frame.run.unique()) - set(on_axis.run.unique())):
        st.caption(f"Not shown, since they did not log this axis: {plain(', '.join(missing))}.")
    if without := sorted(set(on_axis.run.unique()) - set(shown.run.unique())):
        st.caption(f"Not shown, since they logged none of the chosen scalars: {plain(', '.join(without))}.")


def pick_smoothing() -> float:
    return float(st.slider("Smoothing", 0.0, 0.99, 0.6, 0.01, key="smooth", bind="query-params", width=200))


def pick_style(places: Sequence[DeltaGenerator]) -> dict[str, Any]:
    """Keywords of ``figures.curves``, picked in four places."""
    layout, log_y, log_x, clip = places
    check_link("layout", LAYOUTS.__contains__, f"it can be {', '.join(LAYOUTS)}")
    common: dict[str, Any] = {"required": True, "bind": "query-params", "label_visibility": "collapsed"}
    chosen = layout.segmented_control("Layout", list(LAYOUTS), default="overlay", key="layout", **common)
    return {
        "layout": LAYOUTS[str(chosen)],
        "narrow": is_phone(),
        "log_y": log_y.toggle("Log values", key="log", bind="query-params"),
        "log_x": log_x.toggle("Log axis", key="log_x", bind="query-params"),
        "clip": clip.toggle(
            "Clip", key="clip", bind="query-params", help="Leaves a hundredth of the values at each end outside."
        ),
    }


def pick_groups(names: Sequence[str]) -> dict[str, str]:
    """Run -> first run that differs from it in the seed alone; {} where such runs are shown apart."""
    table = all_recipes()
    groups = seed_groups(table.loc[[name for name in names if name in table.index]])
    if groups and st.toggle("Mean over seeds", True, key="seeds", bind="query-params"):
        return groups
    return {}


def pick_annotations(frame: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Rows to mark within the shown range, with their labels."""
    within = frame.x.between(shown.x.min(), shown.x.max())
    annotations = {kind: rows[within[rows.index]] for kind, rows in find_annotations(frame)}
    if not annotations:
        return frame[:0]
    check_link_list("marks", annotations)
    kinds = st.pills(
        "Marks", list(annotations), selection_mode="multi", default=list(annotations), key="marks", bind="query-params"
    )
    return pd.concat([annotations[kind] for kind in kinds]) if kinds else frame[:0]


def pick_range(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows within a range of the axis: fewer of them are drawn more finely."""
    low, high = frame.x.min(), frame.x.max()
    if not low < high:
        return frame
    if frame.x.dtype.kind == "M":
        low, high = low.to_pydatetime(), high.to_pydatetime()
    elif high - low > INTEGER_RANGE:
        low, high = floor(low), ceil(high)
    start, end = st.slider("Shown range", low, high, (low, high), key=f"range {low} {high}")
    return frame[(frame.x >= start) & (frame.x <= end)]


def draw_diagnosis(frame: pd.DataFrame) -> tuple[list[Finding], Span | None]:
    """The findings of these runs, and the interval of the selected one."""
    st.subheader("Diagnosis", anchor=False)
    kinds = {run.name: run.blueprint.loss_kind for run in runs()}
    default = pick_loss() if set(frame.run.unique()) - kinds.keys() else None
    findings = [
        finding
        for run, own in frame.groupby("run", observed=True)
        for finding in diagnose(own, loss=kinds.get(str(run), default))
    ]
    if not findings:
        st.caption("No findings in these runs.")
        return findings, None
    names = [f"{finding.rule} {finding.run} {finding.start}" for finding in findings]
    units: Mapping[str, str] = frame.attrs.get("step_units", {})
    check_link("finding", names.__contains__, "these runs have no such finding")
    linked = st.query_params.get("finding")
    st.session_state["finding"] = names.index(linked) if linked in names else None
    if linked and linked not in names:  # of other runs
        del st.query_params["finding"]

    def write_link() -> None:
        st.query_params["finding"] = names[st.session_state["finding"]]
        st.session_state[CHOSEN] = True

    selected = st.radio(
        "Findings",
        range(len(findings)),
        on_change=write_link,
        format_func=lambda i: _format_finding(findings[i], units.get(findings[i].run, "steps")),
        captions=[plain(f"{finding.evidence} {finding.advice}") for finding in findings],
        label_visibility="collapsed",
        key="finding",
    )
    if selected is None:
        return findings, None
    finding = findings[selected]
    x = frame.x[(frame.run == finding.run) & (frame.step >= finding.start) & (frame.step <= finding.end)]
    return findings, Span(x.min(), x.max(), finding.title) if len(x) else None


def pick_loss() -> str | None:
    """The loss of other tools' runs, which their logs do not name."""
    check_link("loss", LOSSES.__contains__, f"it can be {', '.join(LOSSES)}")
    kind = st.selectbox(
        "Loss of other tools' runs",
        LOSSES,
        index=None,
        placeholder="unknown: only findings that hold for any loss",
        key="loss",
        bind="query-params",
    )
    return None if kind is None else str(kind)


def _format_finding(finding: Finding, unit: str) -> str:
    unit = "steps" if unit == "mixed" else unit  # of files that count differently
    interval = f"{unit} {finding.start:,} to {finding.end:,}"
    return f"{ICONS[finding.severity]} **{plain(finding.title)}** · {plain(finding.run)} · {interval}"
