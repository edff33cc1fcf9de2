"""Results of comparisons that are stored: in the folders of runs, and those that belong to no run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

import streamlit as st

from ganlib.errors import GanlibError
from ganlib.ui.catalog import Signature, signature
from ganlib.ui.links import check_link, linked_selectbox


class Stored(Protocol):
    @property
    def title(self) -> str: ...

    @property
    def date(self) -> str: ...


S = TypeVar("S", bound=Stored)


def result_id(folder: Path) -> str:
    """RUN/NAME of one in a run's folder, NAME of another."""
    owner = folder.parent.parent
    return f"{owner.name}/{folder.name}" if (owner / "config.json").exists() else folder.name


def stored_results(kind: str, file: str, read: Callable[[Path], S]) -> tuple[dict[str, S], list[str]]:
    """Of folders ``kind``/NAME that hold ``file``, by their names, the newest first; a sentence for each damaged one.

    ``read``: folder -> result, GanlibError where it is damaged; a function of a module, by which results are cached.
    """
    return _stored(read, signature(f"*/{kind}/*/{file}") + signature(f"{kind}/*/{file}"))


@lru_cache(maxsize=4)
def _stored(read: Callable[[Path], S], files: Signature) -> tuple[dict[str, S], list[str]]:
    results, errors = [], []
    for path, _, _ in files:
        folder = Path(os.fsdecode(path)).parent
        try:
            results.append((result_id(folder), read(folder)))
        except GanlibError as error:
            errors.append(str(error))
    results.sort(key=lambda pair: pair[1].date, reverse=True)
    return dict(results), errors


def pick_result(results: Mapping[str, Stored], key: str) -> str:
    """The name of one of them: that of the link, else the newest."""
    check_link(key, results.__contains__, "no such comparison is stored here")
    labels = _labels(results)
    with st.sidebar:
        return linked_selectbox("Comparison", labels, next(iter(results)), key=key)


def _labels(results: Mapping[str, Stored]) -> dict[str, str]:
    """As short as tells them apart: the title, with its minute, or with its name."""
    titles = Counter(stored.title for stored in results.values())
    minutes = Counter((stored.title, stored.date[:16]) for stored in results.values())

    def label(name: str, stored: Stored) -> str:
        if titles[stored.title] == 1:
            return stored.title
        minute = stored.date[:16]
        return f"{stored.title}, {minute if minutes[stored.title, minute] == 1 else name}"

    return {name: label(name, stored) for name, stored in results.items()}
