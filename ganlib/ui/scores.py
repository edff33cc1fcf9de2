"""Which records the FID page shows: metric, protocol, what was measured alike, costs, courses."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ganlib.records import METRICS, RANKED, Protocol, measured_on
from ganlib.runs import Run
from ganlib.ui.catalog import generates, runs, weights_hashes
from ganlib.ui.links import check_link

SHOWN_RUNS = "shown_runs"  # the key of what was shown last
COSTS = ("parameters", "training, minutes", "images seen")
FEATURES = {
    "embedded": "embedded classifier's",
    "inception": "Inception",
    "vgg16": "VGG16",
    "clip": "CLIP",
    "dinov2": "DINOv2",
}


def unscored(present: pd.DataFrame) -> list[str]:
    """Runs that generate and have no FID with their present weights."""
    return sorted({run.name for run in runs(generates)} - set(present.run[present.metric == "fid"]))


def pick_metric(records: pd.DataFrame) -> str:
    """One of those that some run was measured by."""
    labels = {METRICS[name].label: name for name in RANKED if (records.metric == name).any()}
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
    """One protocol, the most used first: numbers of two protocols never share a chart.

    Another metric has other protocols: then the one that was used of most of the runs shown before.
    """
    keys = dict(zip(records.protocol_label, records.protocol, strict=True))
    labels = list(records.protocol_label.value_counts().index)
    check_link("protocol", labels.__contains__, "no run was measured that way")
    before = st.session_state.get(SHOWN_RUNS, ())
    if before and st.session_state.get("protocol") not in labels:
        shared = records.run.isin(before).groupby(records.protocol_label).sum()
        st.session_state["protocol"] = max(labels, key=shared.__getitem__)
    label = st.selectbox(
        "Protocol",
        labels,  # as they are: a link holds what format_func would make of them
        key="protocol",
        bind="query-params",
        help="Only runs measured alike can be ranked: same reference, sample size, extractor and options.",
    )
    st.session_state[SHOWN_RUNS] = set(records.run[records.protocol_label == label])
    return str(keys[label])


def floor_of(present: pd.DataFrame, ranked: pd.DataFrame) -> tuple[float, int] | None:
    """The FID that so many of the data set's own test images have by the same extractor, where it is known.

    It is said and not returned where they are not as many as the generated ones: FID falls with their number.
    """
    if ranked.metric.iloc[0] != "fid":
        return None

    def reference(protocol: Protocol) -> tuple[object, ...]:
        return protocol.reference, protocol.extractor, protocol.extractor_hash, protocol.resizer

    shown = Protocol.from_key(ranked.protocol.iloc[0])
    of_metric = present[present.metric == "fid_floor"]
    floors = {
        int(n): float(value)
        for protocol, value, n in zip(of_metric.protocol, of_metric.value, of_metric.n_fake, strict=True)
        if reference(Protocol.from_key(protocol)) == reference(shown)
    }
    if shown.n_fake in floors:
        return floors[shown.n_fake], shown.n_fake
    if floors:
        n, value = max(floors.items())
        st.caption(f"{n:,} real test images have an FID of {value:.3g}: no floor here, for it falls with their number.")
    return None


def best_snapshots(records: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
    """The best snapshot of each ranked run under the same protocol, where one is better than the run's weights."""
    same = (records.metric == ranked.metric.iloc[0]) & (records.protocol == ranked.protocol.iloc[0])
    found = records[same & records.snapshot.notna() & records.run.isin(ranked.run)]
    lower = METRICS[ranked.metric.iloc[0]].better == "lower"
    final = found.run.map(ranked.set_index("run").value).astype("float64")
    found = found[found.value.lt(final) if lower else found.value.gt(final)]
    return found.sort_values("value", ascending=lower).drop_duplicates("run")


def doubts(records: pd.DataFrame) -> str:
    """Why not to trust these numbers, in a sentence: the first reason and how many there are like it."""
    reasons = list(dict.fromkeys(records.warning[records.warning != ""]))
    more = f" And {len(reasons) - 1} more of this kind." if len(reasons) > 1 else ""
    return reasons[0] + more if reasons else ""


def said_best(best: pd.DataFrame) -> str:
    """What the diamonds on the bars are."""
    if best.empty:
        return ""
    each = [
        f"{run} {value:.3g} at {int(images):,} images"
        for run, value, images in zip(best.run, best.value, best.snapshot, strict=True)
    ]
    return f"◆ the best snapshot, where it is better than the run's weights: {'; '.join(each)}."


def precision_and_recall(present: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """``run, precision, recall`` of the runs that have both, measured on the images of this protocol."""
    columns = {
        name: measured_on(present[present.metric == name], protocol).drop_duplicates("run").set_index("run").value
        for name in ("precision", "recall")
    }
    return pd.DataFrame(columns).dropna().rename_axis("run").reset_index()


def axis_title(ranked: pd.DataFrame) -> str:
    metric = METRICS[ranked.metric.iloc[0]]
    features = FEATURES.get(ranked.extractor.iloc[0])
    return f"{metric.label}{f' on {features} features' if features else ''} ({metric.better} is better)"


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
    machine = Protocol.from_key(timed.protocol.iloc[0]).extra.get("machine", "an unknown machine")
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
    hashes = weights_hashes()
    present = records.snapshot.notna() | (records.weights_hash == records.run.map(hashes))
    found = records[(records.metric == metric) & (records.protocol == protocol) & present]
    return found[found.run.isin(found.run[found.snapshot.notna()]) & found.run.isin(hashes)]
