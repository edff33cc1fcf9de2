"""Records of many runs as one frame, and which of them compare.

``read_evaluations`` reads them, ``present`` keeps those of the runs' present weights, ``usual_scores`` of those the
ones that most runs of a data set share a protocol in: what cards, orders and listings show.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd

from ganlib.errors import GanlibError
from ganlib.records.features import EMBEDDED
from ganlib.records.record import Protocol, Record
from ganlib.records.store import read_entries

COLUMNS = {
    "run": "str",
    "metric": "str",
    "value": "float64",
    "low": "float64",  # the interval; NaN where there is none
    "high": "float64",
    "protocol": "str",  # its key: records compare only where it is equal
    "protocol_label": "str",
    "extractor": "str",  # "" where the model itself is measured
    "data": "str",  # of the reference; "" for a metric of generated images alone
    "class_name": "str",  # where one class alone was measured, else ""
    "space": "str",  # of the latent whose paths were measured, else ""
    "n_real": "int64",  # images compared with, 0 where there are none
    "n_fake": "int64",  # images generated, 0 where none are
    "n_seeds": "Int64",  # images generated, of one class those of all; missing where it is unknown
    "options": "str",  # of ``generate``, those not at their default; "" where all are
    "images_seen": "Int64",
    "snapshot": "Int64",  # images seen at the snapshot; missing for the run's weights
    "weights_hash": "str",
    "date": "datetime64[us, UTC]",
    "warning": "str",
}
MOST_NAMED = 20  # damaged records of a file that have a sentence each
IDENTITY = ["run", "metric", "protocol", "snapshot", "weights_hash"]


def read_evaluations(folders: Mapping[Path, str]) -> tuple[pd.DataFrame, list[str]]:
    """The metric records of all run folders, and a sentence for each file or record that cannot be used.

    ``folders``: run folder -> the run's name, as ``ganlib.naming`` gives it. Columns as in ``COLUMNS``, in the
    order of the files. Of records with the same run, metric, protocol, snapshot and weights the one of the latest date
    stays. A run never evaluated contributes nothing.
    """
    rows, errors = [], []
    for folder, name in folders.items():
        path = folder / "evaluation.json"
        try:
            entries = read_entries(path)
        except GanlibError as error:
            errors.append(str(error))
            continue
        damaged = []
        for number, entry in enumerate(entries, 1):
            try:
                rows.append(_row(name, Record.from_dict(entry)))
            except (ValueError, RecursionError) as error:
                reason = " ".join(str(error).split())[:120]
                damaged.append(f"{path}: record {number} {reason} and is left out; evaluate the run again.")
        errors += damaged[:MOST_NAMED]
        if (more := len(damaged) - MOST_NAMED) > 0:
            errors.append(f"{path}: {more:,} more records are damaged and left out; evaluate the run again.")
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    # All at once: 20 times faster than each by itself.
    frame["date"] = pd.to_datetime(frame["date"], utc=True, errors="coerce", format="ISO8601")
    frame = frame.astype(COLUMNS)
    frame = by_date(frame).drop_duplicates(IDENTITY, keep="last").sort_index().reset_index(drop=True)
    return frame.assign(protocol_label=_distinct_labels(frame)), errors


def present(scores: pd.DataFrame, weights: Mapping[str, str], protocol: str | None = None) -> pd.DataFrame:
    """The rows of the runs' present weights, of all protocols or of one: not of snapshots, nor of earlier weights.

    ``weights``: run -> its weights' hash. A run has at most one row of a metric and protocol.
    """
    current = (scores["weights_hash"] == scores["run"].map(weights)) & scores["snapshot"].isna()
    return scores[current if protocol is None else current & (scores["protocol"] == protocol)]


def with_snapshots(scores: pd.DataFrame, weights: Mapping[str, str], metric: str, protocol: str) -> pd.DataFrame:
    """The rows of a metric and protocol, those of snapshots as well as those of ``present``.

    A snapshot that became the run's weights counts once, as these.
    """
    rows = scores[(scores["metric"] == metric) & (scores["protocol"] == protocol)]
    final, snapshots = present(rows, weights), rows[rows["snapshot"].notna()]
    ends = set(zip(final["run"], final["images_seen"], strict=True))
    repeated = [end in ends for end in zip(snapshots["run"], snapshots["snapshot"], strict=True)]
    return pd.concat([final, snapshots[~np.array(repeated, bool)]]).sort_index()


def usual_protocols(scores: pd.DataFrame, data: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """(data set, metric) -> the key of the protocol in which most of the data set's runs compare, at default options.

    ``scores``: of ``present``. ``data``: run -> its data set.
    """
    default = scores[scores["options"] == ""].assign(of_data=scores["run"].map(data))
    counts = _count_protocols(default, ["of_data", "metric"])
    keys = zip(counts["of_data"], counts["metric"], strict=True)
    return dict(zip(keys, counts["protocol"], strict=True))  # the last of each counts


def rank_protocols(scores: pd.DataFrame) -> list[str]:
    """The keys of the protocols of these rows, that in which most runs compare first."""
    return list(_count_protocols(scores, [])["protocol"])[::-1]


def _count_protocols(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """A row for each protocol, within ``by``, in ascending order of the runs that it compares.

    Of several that compare as many: default options; then the embedded extractor, which alone knows the requested
    classes and whose references come with its run, so that everybody can measure another run likewise; then the most
    images; then the one used last.
    """
    scores = scores.assign(own=scores["extractor"] == EMBEDDED, default=scores["options"] == "")
    counts = scores.groupby([*by, "protocol"], as_index=False).agg(
        runs=("run", "nunique"),
        default=("default", "first"),
        own=("own", "first"),
        n_fake=("n_fake", "max"),
        date=("date", "max"),
    )
    return counts.sort_values(["runs", "default", "own", "n_fake", "date", "protocol"], na_position="first")


def usual_scores(scores: pd.DataFrame, data: Mapping[str, str]) -> pd.DataFrame:
    """The rows of ``present`` under the usual protocol of their run's data set and metric: one a run and metric."""
    usual = usual_protocols(scores, data)
    keys = [usual.get((data.get(run, ""), metric)) for run, metric in zip(scores["run"], scores["metric"], strict=True)]
    return scores[scores["protocol"] == pd.Series(keys, scores.index, dtype="str")]


def measured_on(scores: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """The rows of the images of this protocol, as ``Protocol.measured_on`` says."""
    images = Protocol.from_key(protocol)
    same = {key: Protocol.from_key(key).measured_on(images) for key in scores["protocol"].unique()}
    scores = scores[scores["protocol"].map(same).astype(bool)]
    return scores[(scores["class_name"] == "") | (scores["n_seeds"] == images.n_fake).fillna(False)]


def by_date(scores: pd.DataFrame) -> pd.DataFrame:
    """The latest last; what has no date comes first, and of one date what the file has last comes last."""
    return scores.sort_values("date", kind="stable", na_position="first")


def _row(run: str, record: Record) -> dict[str, object]:
    protocol, interval = record.protocol, record.interval
    return {
        "run": run,
        "metric": record.metric,
        "value": float(record.value),
        "low": float(interval.low) if interval else nan,
        "high": float(interval.high) if interval else nan,
        "protocol": protocol.key,
        "protocol_label": protocol.label,
        "extractor": protocol.extractor or "",
        "data": protocol.reference.data if protocol.reference else "",
        "class_name": str(protocol.extra.get("class") or ""),
        "space": str(protocol.extra.get("space") or ""),
        "n_real": protocol.n_real,
        "n_fake": protocol.n_fake,
        "n_seeds": _count_seeds(record.seeds),
        "options": protocol.options_label,
        "images_seen": record.images_seen,
        "snapshot": record.snapshot,
        "weights_hash": record.weights_hash,
        "date": str(record.date),
        "warning": record.warning or "",
    }


def _count_seeds(seeds: object) -> int | None:
    """Of "0-9999"; a foreign record may hold anything."""
    match = re.fullmatch(r"(\d{1,15})-(\d{1,15})", str(seeds))
    return int(match[2]) - int(match[1]) + 1 if match else None


def _distinct_labels(frame: pd.DataFrame) -> pd.Series[str]:
    """Protocols of a metric that differ in a hash or the resizer alone have one label: four digits tell them apart."""
    shared = frame.groupby(["metric", "protocol_label"])["protocol"].transform("nunique") > 1
    digits = frame["protocol"].map(lambda key: hashlib.sha256(key.encode()).hexdigest()[:4])
    return frame["protocol_label"].where(~shared, frame["protocol_label"] + " · #" + digits)
