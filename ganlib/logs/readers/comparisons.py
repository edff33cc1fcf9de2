"""Tables that compare runs, models or classes: each row is one of them at its end, not a step of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ganlib.logs.tags import BATCH_NAMES, EPOCH_NAMES, IMAGE_NAMES, STEP_NAMES, WALL_TIME_NAMES, normalize_name

_STEPS = frozenset([*STEP_NAMES, *BATCH_NAMES, *EPOCH_NAMES, *IMAGE_NAMES, *WALL_TIME_NAMES])
# What the rows of such a table are called after.
_NAMES = frozenset(
    [
        "name", "model", "models", "model_name", "method", "methods", "run", "run_name", "run_id", "id", "experiment",
        "experiment_name", "exp_name", "architecture", "arch", "network", "backbone", "gan", "config", "configuration",
        "setting", "dataset", "data", "class", "class_name", "label", "category", "checkpoint", "snapshot", "trial",
        "system", "approach", "variant", "unnamed", "unnamed_0", "index", "",
    ]
)  # fmt: skip
_STATES = frozenset(["finished", "crashed", "failed", "running", "killed", "completed", "scheduled", "preempted"])


class TextOrNumbers(Protocol):
    """A column: its name, and its texts where it holds no numbers."""

    @property
    def name(self) -> str: ...
    @property
    def texts(self) -> list[str] | None: ...


def compared_names(columns: Sequence[TextOrNumbers], rows: int) -> list[str]:
    """The names of what the rows compare; none for a table of scalars over steps."""
    texts = {normalize_name(column.name): column.texts for column in columns if column.texts is not None}
    named = {name: cells for name, cells in texts.items() if name in _NAMES}
    distinct = next((cells for cells in named.values() if rows > 1 and len(set(cells)) == len(cells) == rows), [])
    has_steps = any(column.texts is None and normalize_name(column.name) in _STEPS for column in columns)
    has_states = any(cells and {cell.strip().lower() for cell in cells} <= _STATES for cells in texts.values())
    if has_states:
        return distinct or next(iter(named.values()), [])
    return [] if has_steps else distinct
