"""Stored comparisons of balancing methods: those in the folders of runs and those that belong to none."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from ganlib.applications.balancing.result import FILE, Balance, read_balance
from ganlib.data import display_name
from ganlib.errors import GanlibError
from ganlib.ui.catalog import Signature, signature
from ganlib.ui.links import check_link, linked_selectbox

RESULT = "balance"  # the key of the link


class Stored(NamedTuple):
    balance: Balance
    folder: Path

    @property
    def title(self) -> str:
        generator = f" with {self.balance.generator}" if self.balance.generator else ""
        return f"{display_name(self.balance.data)}{generator}"


def result_id(folder: Path) -> str:
    """RUN/NAME of one in a run's folder, NAME of another."""
    owner = folder.parent.parent
    return f"{owner.name}/{folder.name}" if (owner / "config.json").exists() else folder.name


def stored_results() -> tuple[dict[str, Stored], list[str]]:
    """By their names, the newest first; and a sentence for each that cannot be read."""
    return _stored(signature(f"*/balances/*/{FILE}") + signature(f"balances/*/{FILE}"))


@lru_cache(maxsize=2)
def _stored(files: Signature) -> tuple[dict[str, Stored], list[str]]:
    results, errors = [], []
    for path, _, _ in files:
        folder = Path(os.fsdecode(path)).parent
        try:
            results.append((result_id(folder), Stored(read_balance(folder), folder)))
        except GanlibError as error:
            errors.append(str(error))
    results.sort(key=lambda pair: str(pair[1].balance.provenance.get("date", "")), reverse=True)
    return dict(results), errors


def pick_result(results: dict[str, Stored]) -> Stored:
    """One of the stored results: that of the link, else the newest."""
    check_link(RESULT, results.__contains__, "no such comparison is stored here")
    titles = [stored.title for stored in results.values()]
    labels = {
        name: stored.title
        if titles.count(stored.title) == 1
        else f"{stored.title}, {str(stored.balance.provenance.get('date', ''))[:16]}"
        for name, stored in results.items()
    }
    with st.sidebar:
        return results[linked_selectbox("Comparison", labels, next(iter(results)), key=RESULT)]
