"""Where a comparison of balancing methods is kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from ganlib.applications.balancing.config import BalanceConfig
from ganlib.runs import Run
from ganlib.settings import results_root


def default_folder(data: str, generator: Run | None, config: BalanceConfig, options: Sequence[str] = ()) -> Path:
    """By what is compared and how: in the folder of the generator, else with the results of no run.

    ``options``: NAME=VALUE of the generator.
    """
    key = json.dumps([data, config.to_dict(), *options], sort_keys=True)
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", data)[:40]
    base = generator.path if generator else results_root()
    return base / "balances" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
