"""Tables that compare runs, models, classes or settings: each row is one of them at its end, not a step of a training.

A row is a run where a column names it (a model, a trial's number, a state such as "finished"), or where no two rows
have the same hyperparameters, as in a sweep. A table whose step or epoch rises is a log, whatever else it has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.tags import (
    BATCH_NAMES,
    EPOCH_NAMES,
    IMAGE_NAMES,
    STEP_NAMES,
    WALL_TIME_NAMES,
    axis_name,
    normalize_name,
)

_STEPS = frozenset([*STEP_NAMES, *BATCH_NAMES, *EPOCH_NAMES, *IMAGE_NAMES])
_TIMES = frozenset(WALL_TIME_NAMES) - {"time", "date"}  # which may be how long each run took, and when
# What the rows of such a table are called after.
_NAMES = frozenset(
    [
        "name", "model", "models", "model_name", "method", "methods", "run", "run_name", "run_id", "id", "experiment",
        "experiment_name", "exp_name", "architecture", "arch", "network", "backbone", "gan", "config", "configuration",
        "setting", "dataset", "data", "class", "class_name", "label", "category", "checkpoint", "snapshot", "trial",
        "trial_id", "trial_name", "system", "approach", "variant", "unnamed", "unnamed_0", "index", "",
    ]
)  # fmt: skip
# Numbers that stand for a run.
_NUMBERS = frozenset(
    [
        "run", "run_id", "experiment", "experiment_id", "exp_id", "trial", "trial_id", "trial_number", "trial_no",
        "fold", "model_id", "config_id", "session_group", "seed", "random_seed", "rank_test_score",
    ]
)  # fmt: skip
_STATES = frozenset(
    [
        "finished", "crashed", "failed", "running", "killed", "completed", "complete", "scheduled", "preempted",
        "pruned", "fail", "waiting", "pending", "terminated", "error", "success", "succeeded", "stopped",
    ]
)  # fmt: skip
# Hyperparameters that stay as they are over a training, and those that a schedule may change.
_FIXED = re.compile(
    r"(?:hparams?|hyper_?param(?:eter)?s?|config|params?|args)_.+|batch_?size|bs|beta_?[12]|b[12]|[zw]_?dim|nz|n[gd]f"
    r"|(?:latent|noise|hidden|embed(?:ding)?)_?(?:dim|size)|n_?critic|critic_(?:iters|steps)|dropout(?:_rate)?"
    r"|(?:n|num)_?(?:layers|units|filters|channels|heads|blocks)|width|depth|(?:lambda_?gp|gp_?lambda|r1_?gamma)"
)
_SCHEDULED = re.compile(r"(?:.+_)?(?:lr|learning_rate)(?:_.+)?|weight_decay|wd|momentum|gamma|lambda(?:_.+)?")
_CHOICES = frozenset(["optimizer", "optimiser", "activation", "loss_type", "scheduler"])
GRID_DIGITS = 2  # of values that people choose: 0.0002, 25, not what a schedule computes
MIN_SCHEDULED_ROWS = 3  # of values that might be a schedule's


class TextOrNumbers(Protocol):
    """A column: its name, and its texts where it holds no numbers."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> NDArray[np.float64]: ...
    @property
    def texts(self) -> list[str] | None: ...


def describe_comparison(columns: Sequence[TextOrNumbers], rows: int) -> str:
    """What the rows compare, as a reason why they are no log; "" for a table of scalars over steps."""
    if rows < 2:
        return ""
    texts = {normalize_name(column.name): column.texts for column in columns if column.texts is not None}
    numbers = {normalize_name(column.name): column.value for column in columns if column.texts is None}
    named = {name: [text.strip(" |") for text in cells] for name, cells in texts.items() if name in _NAMES}
    distinct = next((cells for cells in named.values() if len(set(cells)) == len(cells) == rows), [])
    has_states = any(cells and {cell.strip().lower() for cell in cells} <= _STATES for cells in texts.values())
    if has_states or (distinct and not _has_steps(numbers)):
        names = distinct or next(iter(named.values()), [])
        shown = [name for name in names if name][:2]
        examples = f" ({', '.join(shown)}{', …' * (rows > 2)})" if shown else ""
        return f"its rows compare {rows} runs, models or classes{examples} and are no steps"
    if not _has_steps(numbers) and (settings := _settings(numbers, texts, rows)):
        shown = settings[:3]
        return (
            f"its {rows} rows are runs that differ in {', '.join(shown)}{', …' * (len(settings) > 3)}, and are no steps"
        )
    return ""


def _has_steps(numbers: dict[str, NDArray[np.float64]]) -> bool:
    """Whether there is a time that passes: a number of epochs that is the same for all runs is none."""
    return any(axis_name(name) in _STEPS | _TIMES and len(np.unique(value)) > 1 for name, value in numbers.items())


def _settings(numbers: dict[str, NDArray[np.float64]], texts: dict[str, list[str]], rows: int) -> list[str]:
    """The columns by which all rows differ, if these are numbers of runs or hyperparameters."""
    for name, value in numbers.items():
        if name in _NUMBERS and len(np.unique(value)) == len(value) == rows:
            return [name]
    fixed = {name: value for name, value in numbers.items() if _FIXED.fullmatch(name)}
    grid = {
        name: value
        for name, value in numbers.items()
        if name not in fixed and _SCHEDULED.fullmatch(name) and _is_grid(value)
    }
    choices = {name: cells for name, cells in texts.items() if name in _CHOICES}
    settings: dict[str, Sequence[object]] = {
        name: list(cells) for name, cells in (fixed | grid).items() if len(np.unique(cells)) > 1
    }
    settings |= {name: cells for name, cells in choices.items() if len(set(cells)) > 1}
    complete = [cells for cells in settings.values() if len(cells) == rows]
    if len(set(zip(*complete, strict=True))) < rows:
        return []
    return list(settings) if rows >= MIN_SCHEDULED_ROWS or settings.keys() - grid.keys() else []


def _is_grid(values: NDArray[np.float64]) -> bool:
    return all(float(f"{value:.{GRID_DIGITS - 1}e}") == value for value in values.tolist())
