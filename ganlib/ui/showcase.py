"""What a page shows before anybody has chosen anything: picked by eye, in ``showcase.json`` of a folder of runs.

    {"run": "mnist-sngan", "class": "3", "seed": 0, "class_b": "8", "seed_b": 5, "edit_run": "celeba-dcgan"}

A folder without the file, and a run that is not there, leave the choice to the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ganlib.files import read_json
from ganlib.runs import Run
from ganlib.settings import run_roots


def showcase(run: Run) -> dict[str, Any]:
    """The choices for this run; {} where there are none."""
    chosen = _read()
    return chosen if chosen.get("run") == run.name else {}


def showcase_run(runs: Sequence[Run], key: str = "run") -> Run | None:
    """``key``: "run" of the pages that draw from seeds, "edit_run" of the one that fills holes."""
    name = _read().get(key)
    return next((run for run in runs if run.name == name), None)


def class_index(run: Run, key: str, default: int) -> int:
    """The class of one key as an index of the run's classes."""
    name = showcase(run).get(key)
    return run.classes.index(name) if name in run.classes else default


def seed_of(run: Run, key: str, default: int) -> int:
    value = showcase(run).get(key)
    return value if isinstance(value, int) and 0 <= value < 1000 else default


def _read() -> dict[str, Any]:
    for root in run_roots():
        try:
            content = read_json(root / "showcase.json")
        except ValueError:
            continue
        if isinstance(content, dict):
            return content
    return {}
