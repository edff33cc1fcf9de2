"""What the images of a comparison cost, with the training of their generator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ganlib.balances import Balance
from ganlib.runs import Run


def costs(balance: Balance, runs: Iterable[Run]) -> dict[str, Any]:
    """``generation`` with ``training_seconds``, of the run with the same weights where an older result lacks it."""
    stored = balance.generation
    if "training_seconds" in stored or not balance.generator:
        return stored
    weights = balance.protocol.get("weights_sha256_12")
    same = [run for run in runs if run.name == balance.generator and run.weights_hash == weights]
    return stored | {"training_seconds": same[0].training_seconds} if same else stored
