"""What the FID page is made of: metric, protocol, ranking, costs, what others published, reports."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import streamlit as st
from PIL import Image

from ganlib.experiments import METRICS, published
from ganlib.provenance import commit, now
from ganlib.report import Part, html, latex
from ganlib.runs import Run
from ganlib.ui.catalog import generates, runs
from ganlib.ui.curves import download_frame
from ganlib.ui.links import check_link
from ganlib.ui.pictures import data_url

COSTS = ("parameters", "training, minutes", "images seen")
FEATURES = {
    "embedded": "embedded classifier's",
    "inception": "Inception",
    "vgg16": "VGG16",
    "clip": "CLIP",
    "dinov2": "DINOv2",
}
SHOWN = 5  # pictures of a run in a table
MAKING = ("n_fake", "extractor", "extractor_name", "extractor_hash", "resizer", "options")  # of images and features


def current_scores(records: pd.DataFrame) -> pd.DataFrame:
    """Records whose weights are still the run's; snapshots and stale weights are left out."""
    hashes = {run.name: run.weights_hash for run in runs()}
    return records[(records.weights_hash == records.run.map(hashes)) & records.snapshot.isna()]


def unscored(present: pd.DataFrame) -> list[str]:
    """Runs that generate and have no FID with their present weights."""
    return sorted({run.name for run in runs(generates)} - set(present.run[present.metric == "fid"]))


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


def best_snapshots(records: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
    """The best snapshot of each ranked run under the same protocol, where one is better than the run's weights."""
    same = (records.metric == ranked.metric.iloc[0]) & (records.protocol == ranked.protocol.iloc[0])
    found = records[same & records.snapshot.notna() & records.run.isin(ranked.run)]
    lower = METRICS[ranked.metric.iloc[0]].better == "lower"
    final = found.run.map(ranked.set_index("run").value).astype("float64")
    found = found[found.value.lt(final) if lower else found.value.gt(final)]
    return found.sort_values("value", ascending=lower).drop_duplicates("run")


def precision_and_recall(present: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """``run, precision, recall`` of the runs that have both, measured on the images of this protocol."""
    columns = {
        name: same_images(present[present.metric == name], protocol).drop_duplicates("run").set_index("run").value
        for name in ("precision", "recall")
    }
    return pd.DataFrame(columns).dropna().rename_axis("run").reset_index()


def published_scores(ranked: pd.DataFrame) -> pd.DataFrame | None:
    """What others report of the same data set and extractor, apart from our own numbers."""
    known = published(ranked.data.iloc[0], ranked.extractor.iloc[0])
    metric = ranked.metric.iloc[0]
    if metric not in known or known[metric].isna().all():
        return None
    columns = {"model": "Model", metric: METRICS[metric].label, "source": "Source", "protocol": "Protocol"}
    table = known.dropna(subset=[metric]).sort_values(metric)[list(columns)].rename(columns=columns)
    with st.expander("Published values", icon=":material/menu_book:"):
        st.caption("As their sources report them, each under its own protocol: to be read beside ours, not ranked.")
        st.dataframe(table, hide_index=True, alt=f"Table of published values of {METRICS[metric].label}.")
    return table


def axis_title(ranked: pd.DataFrame) -> str:
    metric = METRICS[ranked.metric.iloc[0]]
    features = FEATURES.get(ranked.extractor.iloc[0])
    return f"{metric.label}{f' on {features} features' if features else ''} ({metric.better} is better)"


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
    shown = table.copy()
    shown.insert(1, "Pictures", [thumbnails(run) for run in chosen])
    st.dataframe(
        shown,
        hide_index=True,
        row_height=44,
        placeholder="–",
        column_config={
            "Pictures": st.column_config.ImageColumn(width="medium", help="Of the end of its training, one a class."),
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


def thumbnails(run: Run) -> str | None:
    """The first pictures of the last sheet that the run's training left, one a row of the sheet."""
    moments = run.folder.sample_images()
    if not moments:
        return None
    path = run.folder.samples / f"{moments[-1]}.webp"
    return _thumbnails(str(path), path.stat().st_mtime_ns, run.config.image_size)


@st.cache_data(max_entries=256, show_spinner=False)
def _thumbnails(path: str, mtime_ns: int, side: int) -> str:
    sheet = Image.open(Path(path)).convert("RGB")
    step = side + 2  # the sheet's gap
    tiles = [sheet.crop((0, y, side, y + side)) for y in range(0, sheet.height, step)][:SHOWN]
    strip = Image.new("RGB", (step * len(tiles) - 2, side), "white")
    for i, tile in enumerate(tiles):
        strip.paste(tile, (i * step, 0))
    content = io.BytesIO()
    strip.save(content, "WEBP", quality=85)
    return data_url(content.getvalue(), "webp")


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


def with_costs(ranked: pd.DataFrame, present: pd.DataFrame) -> pd.DataFrame:
    """The records beside what their runs cost; milliseconds an image on the machine that timed most of them."""
    known: dict[str, Run] = {run.name: run for run in runs()}
    chosen = [known[name] for name in ranked.run]
    found = ranked.copy()
    found["parameters"] = [sum(run.parameters.values()) for run in chosen]
    found["training, minutes"] = [run.training_seconds / 60 for run in chosen]
    found["images seen"] = [run.images_seen for run in chosen]
    timed = present[(present.metric == "sampling_rate") & present.run.isin(ranked.run)]
    if timed.empty:
        return found
    timed = timed[timed.protocol == timed.protocol.mode().iloc[0]]
    rates = found.run.map(dict(zip(timed.run, timed.value, strict=True)))
    machine = json.loads(timed.protocol.iloc[0]).get("machine", "an unknown machine")
    found[f"milliseconds an image, {machine}"] = 1000 / rates
    return found


def pick_cost(costed: pd.DataFrame) -> str:
    """A column of ``with_costs``."""
    costs = {name.partition(",")[0]: name for name in costed.columns if name in COSTS or "millisecond" in name}
    check_link("cost", costs.__contains__, f"it can be {', '.join(costs)}")
    choice = st.segmented_control(
        "Against", list(costs), default=next(iter(costs)), required=True, key="cost", bind="query-params"
    )
    cost = costs[str(choice)]
    if missing := sorted(costed.run[costed[cost].isna()]):
        st.caption(f"Not timed on that machine (python -m ganlib speed): {', '.join(missing)}.")
    return cost


def courses(records: pd.DataFrame, metric: str, protocol: str) -> pd.DataFrame:
    """That metric of snapshots and present weights, for the runs that have both."""
    hashes = {run.name: run.weights_hash for run in runs()}
    present = records.snapshot.notna() | (records.weights_hash == records.run.map(hashes))
    found = records[(records.metric == metric) & (records.protocol == protocol) & present]
    return found[found.run.isin(found.run[found.snapshot.notna()]) & found.run.isin(hashes)]
