"""Stored comparisons: those in the folders of runs and those that belong to none."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from ganlib.errors import GanlibError
from ganlib.files import read_json
from ganlib.twosample.result import FILE, Comparison, read_comparison
from ganlib.ui.catalog import Signature, signature, weights_hashes
from ganlib.ui.links import check_link, linked_selectbox

RESULT = "result"  # the key of the link


class Stored(NamedTuple):
    folder: Path
    title: str
    date: str
    weights: str  # hash of the synthetic run's weights, "" where that side was no run


def result_id(folder: Path) -> str:
    """RUN/NAME of one in a run's folder, NAME of another."""
    owner = folder.parent.parent
    return f"{owner.name}/{folder.name}" if (owner / "config.json").exists() else folder.name


def stored_results() -> tuple[dict[str, Stored], list[str]]:
    """By their names, the newest first; and a sentence for each that cannot be read."""
    return _stored(signature(f"*/comparisons/*/{FILE}") + signature(f"comparisons/*/{FILE}"))


@lru_cache(maxsize=2)
def _stored(files: Signature) -> tuple[dict[str, Stored], list[str]]:
    results, errors = [], []
    for path, _, _ in files:
        folder = Path(os.fsdecode(path)).parent
        try:
            results.append((result_id(folder), _read_head(folder)))
        except GanlibError as error:
            errors.append(str(error))
    results.sort(key=lambda pair: pair[1].date, reverse=True)
    return dict(results), errors


def _read_head(folder: Path) -> Stored:
    try:
        content: Any = read_json(folder / FILE)
        names = (Path(str(content[side])).name for side in ("real", "synthetic"))
        date, weights = str(content["provenance"]["date"]), content["protocol"]["synthetic"].get("weights", "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise GanlibError(f"{folder / FILE} is no readable comparison ({reason}); run ganlib compare again.") from None
    return Stored(folder, " vs ".join(names), date, str(weights))


def pick_result(results: dict[str, Stored]) -> str:
    """One of the stored results: that of the link, else the newest."""
    check_link(RESULT, results.__contains__, "no such comparison is stored here")
    titles = [stored.title for stored in results.values()]
    labels = {
        name: stored.title if titles.count(stored.title) == 1 else f"{stored.title}, {stored.date[:16]}"
        for name, stored in results.items()
    }
    with st.sidebar:
        return linked_selectbox("Comparison", labels, next(iter(results)), key=RESULT)


def load_result(stored: Stored) -> Comparison:
    modified = (stored.folder / FILE).stat().st_mtime_ns
    return _load(os.fsencode(stored.folder), modified)


@st.cache_resource(max_entries=8, show_spinner=False)
def _load(folder: bytes, modified: int) -> Comparison:
    return read_comparison(Path(os.fsdecode(folder)))


def is_outdated(stored: Stored) -> bool:
    """Whether no run has the weights any more that were compared."""
    return bool(stored.weights) and stored.weights not in weights_hashes().values()
