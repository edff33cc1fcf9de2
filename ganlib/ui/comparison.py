"""What the experiment pages share: choosing runs, scalars and protocols; tables and downloads."""

from __future__ import annotations

import json
from typing import Literal

import pandas as pd
import streamlit as st

from ganlib.experiments import METRICS, differing
from ganlib.provenance import commit, now
from ganlib.report import Part, html, latex
from ganlib.runs import Run
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


def current_scores(records: pd.DataFrame) -> pd.DataFrame:
    """Records whose weights are still the run's; snapshots and stale weights are left out."""
    hashes = {run.name: run.weights_hash for run in runs()}
    return records[(records.weights_hash == records.run.map(hashes)) & records.snapshot.isna()]


def pick_metric(records: pd.DataFrame) -> str:
    """One of those that some run was measured by."""
    labels = {METRICS[name].label: name for name in METRICS if (records.metric == name).any()}
    check_link("metric", labels.__contains__, f"there is {', '.join(labels)}")
    if len(labels) == 1:
        return next(iter(labels.values()))
    choice = st.segmented_control(
        "Metric", list(labels), default=next(iter(labels)), required=True, key="metric", bind="query-params"
    )
    name = labels[str(choice)]
    st.caption(METRICS[name].help)
    return name


def pick_protocol(records: pd.DataFrame) -> str:
    """One protocol, the most used first: numbers of two protocols never share a chart."""
    keys = dict(zip(records.protocol_label, records.protocol, strict=True))
    labels = list(records.protocol_label.value_counts().index)
    check_link("protocol", labels.__contains__, "no run was measured that way")
    label = st.selectbox(
        "Protocol",
        labels,  # as they are: a link holds what format_func would make of them
        key="protocol",
        bind="query-params",
        help="Only runs measured alike can be ranked: same reference, sample size, extractor and options.",
    )
    return str(keys[label])


def same_images(records: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """The records measured on the images of this protocol, or on those of one class, by the same extractor."""

    def made(key: str) -> dict[str, object]:
        told = json.loads(key)
        shares = ("n_real", "reference", "class", "n_fake") if "class" in told else ("n_real", "reference")
        return {k: v for k, v in told.items() if k in MAKING and k not in shares}

    wanted = json.loads(protocol)
    same = [all(wanted.get(k) == v for k, v in made(key).items()) for key in records.protocol]
    return records[pd.Series(same, records.index, dtype=bool)]


def floor_of(present: pd.DataFrame, ranked: pd.DataFrame) -> tuple[float, int] | None:
    """The FID that so many of the data set's own test images have by the same extractor, where it is known."""
    if ranked.metric.iloc[0] != "fid":
        return None
    same = ("reference", "extractor", "extractor_hash", "resizer")
    wanted = json.loads(ranked.protocol.iloc[0])
    floors = present[present.metric == "fid_floor"]
    for protocol, value, n in zip(floors.protocol, floors.value, floors.n_fake, strict=True):
        if all(json.loads(protocol)[key] == wanted[key] for key in same):
            return float(value), int(n)
    return None


def axis_title(ranked: pd.DataFrame) -> str:
    extractor = "Inception" if ranked.extractor.iloc[0] == "inception" else "embedded classifier's"
    metric = METRICS[ranked.metric.iloc[0]]
    return f"{metric.label} on {extractor} features ({metric.better} is better)"


def protocol_note(records: pd.DataFrame, ranked: pd.DataFrame) -> None:
    """Which runs are absent from the ranking, and why."""
    others = sorted(set(records.run) - set(ranked.run))
    missing = sorted({run.name for run in runs(generates)} - set(records.run))
    if others:
        st.caption(f"Measured under another protocol, so not ranked here: {', '.join(others)}.")
    if missing:
        st.caption(f"Not evaluated with their present weights: {', '.join(missing)}.")
    for sentence in sorted(set(ranked.warning) - {""}):
        st.warning(sentence)


def score_table(ranked: pd.DataFrame, agreement: pd.DataFrame) -> pd.DataFrame:
    """Sortable; each run with its class agreement, its size and its training: a good score has a price."""
    known: dict[str, Run] = {run.name: run for run in runs()}
    agrees = dict(zip(agreement.run, agreement.value, strict=True))
    metric = METRICS[ranked.metric.iloc[0]]
    ordered = ranked.sort_values("value", ascending=metric.better == "lower")
    chosen = [known[name] for name in ordered.run]
    table = pd.DataFrame(
        {
            "Run": [run.name for run in chosen],
            "Architecture": [run.model_name for run in chosen],
            metric.label: ordered.value.to_numpy(),
            "Low": ordered.low.to_numpy(),
            "High": ordered.high.to_numpy(),
            "Class agreement": [100 * agrees.get(run.name, float("nan")) for run in chosen],
            "Parameters": [sum(run.parameters.values()) for run in chosen],
            "Images seen": [run.images_seen for run in chosen],
            "Training, minutes": [run.training_seconds / 60 for run in chosen],
            "Evaluated": ordered.date.to_numpy(),
        }
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            **{name: number(format="%.4g") for name in (metric.label, "Low", "High")},
            **{name: number(format="localized") for name in ("Parameters", "Images seen")},
            "Training, minutes": number(format="%.0f"),
            "Class agreement": number(
                format="%.1f %%", help="Share of images that the data set's classifier puts into the asked class."
            ),
            "Evaluated": st.column_config.DateColumn(),
        },
        alt="Table of the ranked runs with their scores, sizes and training.",
    )
    return table


def report(title: str, parts: list[Part], table: pd.DataFrame, ranked: pd.DataFrame) -> None:
    """What the page shows as files: records for a spreadsheet, the table for LaTeX, all of it as a page of HTML."""
    name, protocol = ranked.metric.iloc[0], ranked.protocol_label.iloc[0]
    plain = table.assign(Evaluated=table.Evaluated.dt.date.astype("str"))
    footer = f"Protocol: {protocol}. ganlib {commit() or ''}, {now()}."
    with st.container(horizontal=True):
        download_frame("Table as CSV", ranked, f"{name}.csv")
        for label, kind, mime, icon, make in (
            ("Table as LaTeX", "tex", "text/x-tex", "function", lambda: latex(plain).encode()),
            ("Report as HTML", "html", "text/html", "description", lambda: html(title, parts, footer).encode()),
        ):
            st.download_button(label, make, f"{name}.{kind}", mime, on_click="ignore", icon=f":material/{icon}:")


def with_costs(ranked: pd.DataFrame) -> pd.DataFrame:
    """The records beside what their runs cost."""
    known: dict[str, Run] = {run.name: run for run in runs()}
    chosen = [known[name] for name in ranked.run]
    costs: dict[str, list[float]] = {
        "parameters": [sum(run.parameters.values()) for run in chosen],
        "training, minutes": [run.training_seconds / 60 for run in chosen],
        "images seen": [run.images_seen for run in chosen],
    }
    return pd.concat([ranked, pd.DataFrame(costs, index=ranked.index)], axis=1)


def pick_cost() -> str:
    costs = ("parameters", "training, minutes", "images seen")
    check_link("cost", costs.__contains__, f"it can be {', '.join(costs)}")
    return str(st.segmented_control("Against", costs, default=costs[0], required=True, key="cost", bind="query-params"))


def courses(records: pd.DataFrame, metric: str, protocol: str) -> pd.DataFrame:
    """That metric of snapshots and present weights, for the runs that have both."""
    hashes = {run.name: run.weights_hash for run in runs()}
    present = records.snapshot.notna() | (records.weights_hash == records.run.map(hashes))
    found = records[(records.metric == metric) & (records.protocol == protocol) & present]
    return found[found.run.isin(found.run[found.snapshot.notna()]) & found.run.isin(hashes)]


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
