"""Selections of records for the FID page: present, comparable, with their costs and histories."""

from __future__ import annotations

import pandas as pd

from ganlib.metrics.published import ORDER, published_order
from ganlib.naming import readable
from ganlib.records import (
    METRICS,
    Protocol,
    agreement_with,
    by_date,
    describe_features,
    measured_on,
    pair_scores,
    rank_agreement,
    rank_protocols,
    with_snapshots,
)
from ganlib.runs import Run
from ganlib.ui.catalog import generates, runs, weights_hashes
from ganlib.ui.training_cost import one_thread_minutes, one_thread_rates


def runs_without_fid(present: pd.DataFrame) -> list[str]:
    """Runs that generate and have no FID with their present weights."""
    return sorted({run.name for run in runs(generates)} - set(present.run[present.metric == "fid"]))


def of_data_set(present: pd.DataFrame, data: str) -> pd.DataFrame:
    """The rows of the runs that were trained on this data set."""
    return _with_starts(present[present.run.isin([run.name for run in runs() if run.data_name == data])])


def _with_starts(records: pd.DataFrame) -> pd.DataFrame:
    """``images_seen`` with those of the weights that runs started from, which a run's own records do not count."""
    before = {run.name: run.total_images - run.images_seen for run in runs()}
    return records.assign(images_seen=records.images_seen + records.run.map(before).fillna(0).astype("Int64"))


def find_floor(present: pd.DataFrame, ranked: pd.DataFrame) -> tuple[tuple[float, int] | None, str]:
    """FID of the data set's own test images by the same extractor and their number, and a note.

    The floor is None where they are not as many as the generated ones, since FID falls with their number: then
    the note says so.
    """
    if ranked.metric.iloc[0] != "fid":
        return None, ""

    def reference(protocol: Protocol) -> tuple[object, ...]:
        return protocol.reference, protocol.extractor, protocol.extractor_hash, protocol.resizer

    shown = Protocol.from_key(ranked.protocol.iloc[0])
    rows = present[present.metric == "fid_floor"]
    floors = {
        int(n): float(value)
        for protocol, value, n in zip(rows.protocol, rows.value, rows.n_fake, strict=True)
        if reference(Protocol.from_key(protocol)) == reference(shown)
    }
    if shown.n_fake in floors:
        return (floors[shown.n_fake], shown.n_fake), ""
    if not floors:
        return None, ""
    n, value = max(floors.items())
    return (
        None,
        f"{n:,} real test images have an FID of {readable(value)}: not drawn, since FID falls with their number.",
    )


def best_snapshots(records: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
    """The best snapshot of each ranked run under the same protocol, where one is better than the run's weights."""
    same = (records.metric == ranked.metric.iloc[0]) & (records.protocol == ranked.protocol.iloc[0])
    candidates = records[same & records.snapshot.notna() & records.run.isin(ranked.run)]
    lower = METRICS[ranked.metric.iloc[0]].better == "lower"
    final = candidates.run.map(ranked.set_index("run").value).astype("float64")
    candidates = candidates[candidates.value.lt(final) if lower else candidates.value.gt(final)]
    return candidates.sort_values("value", ascending=lower).drop_duplicates("run")


def summarize_warnings(records: pd.DataFrame) -> str:
    """The first warning of these records and the number of others; "" where there are none."""
    warnings = list(dict.fromkeys(records.warning[records.warning != ""]))
    more = f" And {len(warnings) - 1} more of this kind." if len(warnings) > 1 else ""
    return warnings[0] + more if warnings else ""


def describe_best_snapshots(best: pd.DataFrame) -> str:
    """The legend of the diamonds on the bars; "" where there are none."""
    if best.empty:
        return ""
    values = [
        f"{run} {readable(value)} at {int(images):,} images"
        for run, value, images in zip(best.run, best.value, best.snapshot, strict=True)
    ]
    return f"◆ the best snapshot, where it is better than the run's weights: {'; '.join(values)}."


def precision_and_recall(present: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """``run, precision, recall`` of the runs that have both, measured on the images of this protocol."""
    columns = {
        name: measured_on(present[present.metric == name], protocol).drop_duplicates("run").set_index("run").value
        for name in ("precision", "recall")
    }
    return pd.DataFrame(columns).dropna().rename_axis("run").reset_index()


def class_scores(present: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
    """The FIDs of single classes of the ranked runs, by the features and on the images of the ranking's protocol."""
    classes = present[(present.metric == "class_fid") & present.run.isin(ranked.run)]
    classes = classes[classes.extractor == ranked.extractor.iloc[0]]
    return measured_on(classes, ranked.protocol.iloc[0])


def axis_title(ranked: pd.DataFrame) -> str:
    return title_of(ranked.metric.iloc[0], ranked.extractor.iloc[0])


def title_of(name: str, extractor: str) -> str:
    metric, features = METRICS[name], describe_features(extractor)
    return f"{metric.label}{f' on {features.name} features' if features else ''} ({metric.better} is better)"


def class_agreement(present: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
    """Of the ranked runs, on the images of their protocol, by the one classifier that most of them share.

    It is always a classifier of the data set, whatever measures the images otherwise.
    """
    shown = Protocol.from_key(ranked.protocol.iloc[0])
    rows = by_date(present[(present.metric == "class_agreement") & present.run.isin(ranked.run)])
    same = [(p.n_fake, p.options) == (shown.n_fake, shown.options) for p in map(Protocol.from_key, rows.protocol)]
    rows = rows[pd.Series(same, rows.index, dtype=bool)]
    return rows[rows.protocol == rank_protocols(rows)[0]] if len(rows) else rows


def describe_extractor(ranked: pd.DataFrame) -> str:
    """What the features of these scores can and cannot tell; "" where there are none."""
    features = describe_features(ranked.extractor.iloc[0])
    return features.tells if features else ""


def other_features(measured: pd.DataFrame, ranked: pd.DataFrame) -> list[tuple[pd.DataFrame, str]]:
    """Pairs of scores, as ``pair_scores`` gives them, and the axis title, of each other extractor of the same images.

    ``measured``: the present rows of the metric, under all protocols.
    """
    protocol, metric = ranked.protocol.iloc[0], ranked.metric.iloc[0]
    return [
        (pair_scores(measured, protocol, str(row.protocol)), title_of(metric, str(row.extractor)))
        for row in rank_agreement(measured, protocol).itertuples()
    ]


def describe_agreement(measured: pd.DataFrame, ranked: pd.DataFrame, data: str) -> str:
    """How far other extractors, and published values, order the ranked runs alike; "" where nothing is known.

    ``data``: of the ranked runs, for a metric without a reference.
    """
    agreement = rank_agreement(measured, ranked.protocol.iloc[0])
    parts = [
        f"{row.correlation:.2f} with {features.name} features ({row.runs} runs)"
        for row in agreement.itertuples()
        if (features := describe_features(str(row.extractor)))
    ]
    metric = ranked.metric.iloc[0]
    models = {run.name: run.model_name for run in runs()}
    order = published_order(ranked.data.iloc[0] or data, metric)
    if known := agreement_with(ranked.set_index("run").value, models, METRICS[metric].better, order):
        n, correlation = known
        parts.append(f"{correlation:.2f} with the published order ({ORDER}, {n} architectures)")
    return f"Rank correlation (Spearman): {'; '.join(parts)}." if parts else ""


def add_costs(points: pd.DataFrame, present: pd.DataFrame) -> pd.DataFrame:
    """The records, of weights and of snapshots, beside what they cost, with what the weights that a run started from
    had cost; milliseconds per image on the machine that timed most of the runs.
    """
    by_name: dict[str, Run] = {run.name: run for run in runs()}
    of_row = [by_name[name] for name in points.run]
    images = [run.images_seen if pd.isna(n) else int(n) for run, n in zip(of_row, points.snapshot, strict=True)]
    costs = points.copy()
    training_rates = one_thread_rates(present)
    costs["training, minutes"] = [
        one_thread_minutes(run, n, training_rates, by_name) for run, n in zip(of_row, images, strict=True)
    ]
    costs["images seen"] = [run.total_images - run.images_seen + n for run, n in zip(of_row, images, strict=True)]
    costs["parameters"] = [sum(run.parameters.values()) for run in of_row]
    timed = present[(present.metric == "sampling_rate") & present.run.isin(points.run)]
    if timed.empty:
        return costs
    timed = timed[timed.protocol == timed.protocol.mode().iloc[0]]
    rates = costs.run.map(dict(zip(timed.run, timed.value, strict=True)))
    machine = Protocol.from_key(timed.protocol.iloc[0]).extra.get("machine", "an unknown machine")
    costs[f"milliseconds an image, {machine}"] = 1000 / rates
    return costs


def score_history(records: pd.DataFrame, metric: str, protocol: str) -> pd.DataFrame:
    """The metric of snapshots and of present weights, for the runs that have both."""
    history = with_snapshots(records, weights_hashes(), metric, protocol)
    known = [run.name for run in runs()]
    history = history[history.run.isin(history.run[history.snapshot.notna()]) & history.run.isin(known)]
    return _with_starts(history)
