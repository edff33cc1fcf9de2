"""``evaluation.json``: every number ever measured of a run, with all that it depends on.

The file is ``{"records": [...]}``. This module alone touches it, without torch, and only ever appends.
A record:

metric        fid · fid_infinity · class_fid · kid · isc · precision · recall · density · coverage · class_agreement ·
              ppl · cas · sampling_rate (images/s) · fid_floor · accuracy · code_accuracy · probe_accuracy
value         float
interval      {low, high, how} or null                  blocks        the metric on each seed block, or []
protocol      what two numbers must share to be compared: n_real, n_fake, reference {data, split, fingerprint}
              or null, extractor, extractor_name, extractor_hash, resizer, options not at their default;
              of some also what the metric is made with: subset, splits, neighbours, sizes, class
              of code_accuracy also the code, and matched {data, split, fingerprint, n}: where its values got classes;
              of sampling_rate also the machine; its blocks are calls of 64 images
              of ppl also space, path, epsilon, paths, how many, and the percentiles beyond which they are discarded
              of cas also trained: the classifier's model, width, images seen, batch_size and seed
              of probe_accuracy also trained, likewise, grid and svm; its layers and pixels_accuracy stand beside it
labels        "balanced" or "none"                      seeds         "0-9999" or null
options       all options of ``generate``               images_seen   by the evaluated weights
weights_hash  12 hex digits of the evaluated file       snapshot      its images, null for the weights
versions · commit · date                                warning       why to doubt the number, or null
"""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from types import NoneType
from typing import Any

from filelock import FileLock

from ganlib.errors import GanlibError
from ganlib.files import write_atomically

Record = dict[str, Any]

NAMED = {
    "fid": "FID",
    "fid_infinity": "FID∞",
    "kid": "KID",
    "isc": "IS",
    "class_fid": "FID",
    "ppl": "PPL",
    "fid_floor": "FID of test images",
}
NAMED_SHARES = {
    "accuracy": "accuracy",
    "code_accuracy": "code accuracy",
    "class_agreement": "class agreement",
    "cas": "classification accuracy score",
}
ENDS = ("low", "high")  # of an interval
PROTOCOL: dict[str, type | tuple[type, ...]] = {  # what all protocols hold
    "n_real": int,
    "n_fake": int,
    "options": dict,
    "extractor": (str, NoneType),
}


def read_records(path: Path) -> list[Record]:
    """All records in order of time, [] where there is no file; GanlibError when it is damaged."""
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    records = content.get("records") if isinstance(content, dict) else None
    if not isinstance(records, list):
        raise _damaged(path, "it holds no list of records")
    for i, record in enumerate(records):
        if reason := _flaw(record):
            raise _damaged(path, f"record {i} {reason}")
    return records


def append_records(path: Path, new: list[Record]) -> None:
    """Adds to what is there, one process at a time; a damaged file raises GanlibError and stays as it is."""
    with FileLock(path.with_name(f".{path.name}.lock")):
        records = read_records(path) + new
        content = json.dumps({"records": records}, indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(path, content.encode() + b"\n")


def current(records: list[Record], weights_hash: str) -> list[Record]:
    """Records of the run's present weights: those of earlier ones are stale, those of snapshots apart."""
    return [r for r in records if r["weights_hash"] == weights_hash and r["snapshot"] is None]


def protocol_key(record: Record) -> str:
    """Two numbers of a metric may be compared exactly when their keys are equal."""
    return json.dumps(record["protocol"], sort_keys=True, separators=(",", ":"))


def describe(record: Record) -> str:
    """One line for people. What another extractor than Inception measures is never called plainly FID."""
    metric, p, value, interval = record["metric"], record["protocol"], record["value"], record["interval"]
    half = (interval["high"] - interval["low"]) / 2 if interval else None
    real = f"{p['n_real']:,} {p['reference']['split']}" if p["reference"] else ""
    if metric in NAMED_SHARES:
        generated = f"n={p['n_fake']:,}"
        behind = {
            "class_agreement": [p["extractor"], generated],
            "code_accuracy": [p.get("code"), f"{real} images"],
            "cas": [generated, f"{real} images"],
        }.get(metric, [f"{real} images"])
        spread = f" ± {half:.1%}" if half is not None else ""
        return f"{NAMED_SHARES[metric]} ({', '.join(behind)}) {value:.1%}{spread}"
    name = NAMED.get(str(metric), metric)
    if "class" in p:
        name = f"{name} of {p['class']}"
    if metric == "ppl":
        name = f"{name} in {p['space']}"
    spread = f" ± {half:.2g}" if half is not None else ""
    return f"{name} ({p['extractor']}, n={p['n_fake']:,}{f' vs {real}' if real else ''}) {value:.4g}{spread}"


def _flaw(record: Any) -> str:
    """What readers of a record rely on and it lacks, "" where it is sound."""
    if not isinstance(record, dict):
        return "is not an object"
    missing = [name for name in ("snapshot", "interval") if name not in record]
    if missing:
        return f"lacks {missing[0]!r}"
    protocol, interval = record.get("protocol"), record["interval"]
    reference = protocol.get("reference") if isinstance(protocol, dict) else None
    sound = {
        "metric": isinstance(record.get("metric"), str),
        "value": _is_number(record.get("value")),
        "interval": interval is None or (isinstance(interval, dict) and all(map(_is_number, map(interval.get, ENDS)))),
        "weights_hash": isinstance(record.get("weights_hash"), str),
        "protocol": isinstance(protocol, dict)
        and all(isinstance(protocol.get(name), kind) for name, kind in PROTOCOL.items())
        and (reference is None or (isinstance(reference, dict) and {"data", "split"} <= reference.keys())),
    }
    return next((f"has no proper {name!r}" for name, right in sound.items() if not right), "")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _damaged(path: Path, reason: str) -> GanlibError:
    reason = " ".join(reason.split())[:120]
    return GanlibError(f"{path} is damaged ({reason}); repair it or move it away: nothing in it was changed.")
