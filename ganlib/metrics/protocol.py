"""What two numbers must share to be compared, as ``records`` describes it."""

from __future__ import annotations

from typing import Any, Literal

from ganlib.metrics.extractors import Extractor
from ganlib.runs import Run


def protocol(
    run: Run,
    extractor: Extractor | None,
    *,
    n_real: int = 0,
    n_fake: int = 0,
    split: Literal["train", "test"] | None = None,
    options: dict[str, Any] | None = None,
    **how: Any,
) -> dict[str, Any]:
    """options: of ``generate``, those not at their default. how: what else the metric is made with."""
    reference = {"data": run.data_name, "split": split, "fingerprint": run.fingerprint(split)} if split else None
    return {
        "n_real": n_real,
        "n_fake": n_fake,
        "reference": reference,
        "extractor": extractor.name if extractor else None,
        "extractor_name": extractor.identity if extractor else None,
        "extractor_hash": extractor.hash if extractor else None,
        "resizer": extractor.resizer if extractor else "none",
        "options": options or {},
        **how,
    }
