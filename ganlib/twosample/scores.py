"""What a comparison measured of its synthetic run, as records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ganlib.records import Interval, Protocol, Record, Reference
from ganlib.twosample.context import Context
from ganlib.twosample.sides import Side, source_and_part

METRIC = {  # the test and its statistic -> the metric of a record
    ("small network", "ROC-AUC"): "two_sample_auc",
    ("logistic regression", "ROC-AUC"): "two_sample_auc",
    ("nearest neighbour", "accuracy"): "neighbour_accuracy",
    ("energy distance", "energy distance"): "energy_distance",
    ("copies", "proportion"): "copied",
}


def score_records(context: Context) -> list[Record]:
    """What the tests measured of the synthetic run, for its ``evaluation.json``; [] where that side is no run."""
    run, result = context.synthetic.run, context.result
    if run is None:
        return []
    rows: Iterable[Any] = result.tests.itertuples()
    return [
        Record(
            metric=METRIC[row.test, row.statistic],
            value=float(row.value),
            interval=None if row.low != row.low else Interval(row.low, row.high, "bootstrap over held-out images"),
            protocol=_protocol(context, row),
            labels="balanced" if run.conditional else "none",
            seeds=f"0-{len(context.synthetic) - 1}",
            options=dict(context.synthetic.options),
            images_seen=run.images_seen,
            weights_hash=run.weights_hash,
            versions=result.provenance["versions"],
            commit=result.provenance["commit"],
            date=result.provenance["date"],
            extra={"p_value": float(row.p_value)} if row.p_value == row.p_value else {},
        )
        for row in rows
        if (row.test, row.statistic) in METRIC and row.section != "latents"
    ]


def _protocol(context: Context, row: Any) -> Protocol:
    network = context.networks.get(row.subject)
    extra = {"test": row.test, "size": context.result.protocol["size"], "encoding": context.result.protocol["encoding"]}
    if network is None:
        extra |= {"subject": row.subject}
    if row.test == "copies":
        extra |= {"training_images": context.result.facts["memorisation"][row.subject]["training_images"]}
    return Protocol(
        n_real=int(row.n_real),
        n_fake=int(row.n_synthetic),
        reference=_reference(context.real),
        extractor=network.name if network else None,
        extractor_hash=network.hash if network else None,
        resizer=network.resizer if network else "none",
        options=_changed(context.synthetic),
        extra=extra | {"seed": context.config.seed},
    )


def _reference(side: Side) -> Reference:
    return Reference(*source_and_part(side.name), side.fingerprint)


def _changed(side: Side) -> dict[str, Any]:
    """The options that are not at their default, as protocols have them."""
    if side.run is None:
        return {}
    model: Any = side.run.blueprint
    defaults = {option.name: option.default for option in model.options}
    return {name: value for name, value in side.options.items() if value != defaults.get(name)}
