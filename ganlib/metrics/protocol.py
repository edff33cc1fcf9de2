"""The protocol of a run's metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ganlib.data.sets import is_imbalanced
from ganlib.records import Protocol, Reference
from ganlib.runs import Run

if TYPE_CHECKING:  # it brings torch-fidelity, and not every metric takes one
    from ganlib.metrics.extractors import Extractor


def class_mix(run: Run) -> dict[str, Any]:
    """What the protocol of generated images holds beyond others where the run's data set is imbalanced.

    There conditional models are measured on classes in proportion to the data, as those of unconditional ones are by
    themselves. Combinations of attributes always were in proportion, and need no mark.
    """
    data = run.recipe.data
    return {"class_mix": "in proportion"} if is_imbalanced(data.class_counts) and not data.attributes else {}


def protocol(
    run: Run,
    extractor: Extractor | None,
    *,
    n_real: int = 0,
    n_fake: int = 0,
    split: Literal["train", "test"] | None = None,
    options: dict[str, Any] | None = None,
    **extra: Any,
) -> Protocol:
    """``split``: of the run's data set, compared with. ``options``: of ``generate``, those not at their default."""
    reference = Reference(run.data_name, split, run.fingerprint(split)) if split else None
    return Protocol(
        n_real=n_real,
        n_fake=n_fake,
        reference=reference,
        extractor=extractor.name if extractor else None,
        extractor_name=extractor.identity if extractor else None,
        extractor_hash=extractor.hash if extractor else None,
        resizer=extractor.resizer if extractor else "none",
        options=options or {},
        extra=extra,
    )
