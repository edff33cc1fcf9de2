"""Stored comparisons: those in the folders of runs and those that belong to none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from ganlib.errors import GanlibError
from ganlib.files import read_json
from ganlib.twosample.result import FILE, Comparison, read_comparison
from ganlib.ui.catalog import weights_hashes
from ganlib.ui.stored_results import stored_results

RESULT = "result"  # the key of the link


class Stored(NamedTuple):
    folder: Path
    title: str
    date: str
    weights: str  # hash of the synthetic run's weights, "" where that side was no run


def comparisons() -> tuple[dict[str, Stored], list[str]]:
    """By their names, the newest first; and a sentence for each that cannot be read."""
    return stored_results("comparisons", FILE, _read_head)


def _read_head(folder: Path) -> Stored:
    try:
        content: Any = read_json(folder / FILE)
        names = (Path(str(content[side])).name for side in ("real", "synthetic"))
        date, weights = str(content["provenance"]["date"]), content["protocol"]["synthetic"].get("weights", "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise GanlibError(f"{folder / FILE} is no readable comparison ({reason}); run ganlib compare again.") from None
    return Stored(folder, " vs ".join(names), date, str(weights))


def load_result(stored: Stored) -> Comparison:
    modified = (stored.folder / FILE).stat().st_mtime_ns
    return _load(os.fsencode(stored.folder), modified)


@st.cache_resource(max_entries=8, show_spinner=False)
def _load(folder: bytes, modified: int) -> Comparison:
    return read_comparison(Path(os.fsdecode(folder)))


def is_outdated(stored: Stored) -> bool:
    """Whether no run has the weights any more that were compared."""
    return bool(stored.weights) and stored.weights not in weights_hashes().values()
