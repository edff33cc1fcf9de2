"""``evaluation.json`` of runs -> one frame, a row per metric record, with the key that says what compares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from math import isfinite, nan
from pathlib import Path
from typing import Any

import pandas as pd

from ganlib.errors import GanlibError
from ganlib.naming import run_names

DTYPES = {
    "run": "str",
    "metric": "str",
    "value": "float64",
    "low": "float64",  # the interval; NaN where none was made
    "high": "float64",
    "protocol": "str",  # canonical JSON: records compare only where it is equal
    "protocol_label": "str",
    "extractor": "str",  # "" where a classifier is itself what is measured
    "data": "str",  # of the reference; "" for a metric of generated images alone
    "class_name": "str",  # of what was measured for one class alone, else ""
    "n_fake": "int64",
    "images_seen": "Int64",
    "snapshot": "Int64",  # images seen at the snapshot; missing for the run's weights
    "weights_hash": "str",
    "date": "datetime64[us, UTC]",
    "warning": "str",
}
IDENTITY = ["run", "metric", "protocol", "snapshot", "weights_hash"]


def read_evaluations(folders: Iterable[Path]) -> tuple[pd.DataFrame, list[str]]:
    """The metric records of all run folders, and a sentence for each file or record that cannot be used.

    Columns as in ``DTYPES``. Of records with the same run, metric, protocol, snapshot and weights the one of
    the latest date stays. A run is called as ``run_names`` says; one never evaluated contributes nothing.
    """
    rows, broken = [], []
    for folder, name in run_names(folders).items():
        path = folder / "evaluation.json"
        if not path.exists():
            continue
        try:
            records = _records(path)
        except GanlibError as error:
            broken.append(str(error))
            continue
        for number, record in enumerate(records, 1):
            try:
                rows.append(_row(name, record))
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                reason = f"lacks {error}" if isinstance(error, KeyError) else f"is damaged ({error})"
                broken.append(f"{path}: record {number} {reason} and is left out; evaluate the run again.")
    frame = pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)
    by_date = frame.sort_values("date", kind="stable", na_position="first")
    frame = by_date.drop_duplicates(IDENTITY, keep="last").sort_index().reset_index(drop=True)
    return frame.assign(protocol_label=_distinct_labels(frame)), broken


def _records(path: Path) -> list[Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content["records"], list):
            return content["records"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise GanlibError(f"{path} is damaged: it holds no records; restore it or evaluate the run again.")


def _row(run: str, record: dict[str, Any]) -> dict[str, object]:
    protocol = record["protocol"]
    interval = record.get("interval") or {}
    snapshot, images = record.get("snapshot"), record.get("images_seen")
    return {
        "run": run,
        "metric": str(record["metric"]),
        "value": _number(record["value"]),
        "low": _number(interval["low"]) if interval else nan,
        "high": _number(interval["high"]) if interval else nan,
        "protocol": json.dumps(protocol, sort_keys=True, separators=(",", ":")),
        "protocol_label": _label(protocol),
        "extractor": str(protocol["extractor"] or ""),
        "data": str((protocol["reference"] or {"data": ""})["data"]),
        "class_name": str(protocol.get("class") or ""),
        "n_fake": int(protocol["n_fake"]),
        "images_seen": None if images is None else int(images),
        "snapshot": None if snapshot is None else int(snapshot),
        "weights_hash": str(record.get("weights_hash") or ""),
        "date": pd.to_datetime(str(record.get("date")), utc=True, errors="coerce"),
        "warning": str(record.get("warning") or ""),
    }


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def _label(protocol: dict[str, Any]) -> str:
    """ "embedded cifar10-classifier · 10,000 generated vs 50,000 cifar10-jpeg train · truncation 0.5"."""
    reference, options = protocol["reference"], protocol.get("options") or {}
    network = dict.fromkeys(filter(None, [protocol["extractor"], protocol.get("extractor_name")]))
    sides = []
    if n_fake := int(protocol["n_fake"]):
        sides.append(f"{n_fake:,} generated")
    if reference:
        sides.append(f"{int(protocol['n_real']):,} {reference['data']} {reference['split']}")
    where = [str(protocol[key]) for key in ("space", "machine") if key in protocol]
    asked = [f"{key} {value}" for key, value in sorted(options.items())]
    return " · ".join(filter(None, [" ".join(network), " vs ".join(sides), *where, *asked]))


def _distinct_labels(frame: pd.DataFrame) -> pd.Series[str]:
    """Protocols of a metric apart only in a hash or the resizer share their words: four digits tell them apart."""
    shared = frame.groupby(["metric", "protocol_label"])["protocol"].transform("nunique") > 1
    digits = frame["protocol"].map(lambda key: hashlib.sha256(key.encode()).hexdigest()[:4])
    return frame["protocol_label"].where(~shared, frame["protocol_label"] + " · #" + digits)
