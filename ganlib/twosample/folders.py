"""Where the result of a comparison is kept. Known without the libraries that compare: the dashboard opens sooner."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from ganlib.errors import GanlibError
from ganlib.runs import Run, find_run
from ganlib.settings import results_root
from ganlib.twosample.config import ComparisonConfig


def default_folder(real: str, synthetic: str, options: Sequence[Sequence[str]], config: ComparisonConfig) -> Path:
    """By what is compared and how: in the folder of the synthetic run, else of the real one, else with the results of
    no run. ``options``: NAME=VALUE of either side.
    """
    key = json.dumps([real, *map(list, options), config.to_dict()], sort_keys=True)
    run = _find(synthetic) or _find(real)
    if run is None:
        key = json.dumps([synthetic, key])
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", Path(real).name)[:40]
    base = run.path if run else results_root()
    return base / "comparisons" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _find(name: str) -> Run | None:
    try:
        return find_run(name)
    except GanlibError:
        return None
