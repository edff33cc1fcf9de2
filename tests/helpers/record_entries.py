"""Records as ``evaluation.json`` has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ganlib.records import Record


def entry(protocol: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An FID with these ``changes``, those of its ``protocol`` apart."""
    return {
        "metric": "fid",
        "value": 12.5,
        "interval": {"low": 12.0, "high": 13.0, "how": "10 blocks"},
        "blocks": [12.0, 13.0],
        "protocol": {
            "n_real": 50_000,
            "n_fake": 10_000,
            "reference": {"data": "cifar10-jpeg", "split": "train", "fingerprint": "bf"},
            "extractor": "embedded",
            "extractor_name": "cifar10-classifier",
            "extractor_hash": "0123",
            "resizer": "none",
            "options": {},
        }
        | (protocol or {}),
        "labels": "balanced",
        "seeds": "0-9999",
        "options": {"temperature": 1.0},
        "warning": None,
        "images_seen": 64_000,
        "weights_hash": "abc",
        "snapshot": None,
        "versions": {"torch": "2"},
        "commit": None,
        "date": "2026-11-20T10:00:00+00:00",
    } | changes


def record(protocol: dict[str, Any] | None = None, **changes: Any) -> Record:
    return Record.from_dict(entry(protocol, **changes))


def write_entries(folder: Path, *entries: object) -> dict[Path, str]:
    """The run's records; folder -> its name, as ``read_evaluations`` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps({"records": entries}))
    return {folder: folder.name}
