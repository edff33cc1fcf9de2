"""Stored comparisons of balancing methods."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ganlib.balances import FILE, Balance, read_balance
from ganlib.data import display_name
from ganlib.ui.stored_results import stored_results

RESULT = "balance"  # the key of the link


class Stored(NamedTuple):
    balance: Balance
    folder: Path

    @property
    def title(self) -> str:
        generator = f" with {self.balance.generator}" if self.balance.generator else ""
        return f"{display_name(self.balance.data)}{generator}"

    @property
    def date(self) -> str:
        return str(self.balance.provenance.get("date", ""))


def balances() -> tuple[dict[str, Stored], list[str]]:
    """By their names, the newest first; and a sentence for each that cannot be read."""
    return stored_results("balances", FILE, _read)


def _read(folder: Path) -> Stored:
    return Stored(read_balance(folder), folder)
