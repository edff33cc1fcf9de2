"""DVCLive: a table of tabs for each metric, ``<run>/plots/metrics/train/loss.tsv``, with the columns step and loss."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers import delimited
from ganlib.logs.readers.source import Source
from ganlib.logs.tags import canonical_tags

FOLDERS = (("metrics", "plots"), ("scalars", "plots"))  # from the inside out; "scalars" before version 2


def matches(head: str, path: Path) -> bool:
    header = head.split("\n", 1)[0].split("\t")
    return run_folder(path) is not None and "step" in header and header[-1] == path.stem


def read(text: bytes, source: Source) -> list[Scalars]:
    """The metric under its whole name, which the folders have: the header repeats the last part only."""
    root = run_folder(source.path)
    name = source.path.with_suffix("").relative_to(root / "plots").as_posix().partition("/")[2] if root else ""
    result = []
    for scalars in delimited.read(text, source):
        originals = [name if original == source.path.stem else original for original in scalars.originals]
        tags = [tag.name for tag in canonical_tags(originals, {})]
        result.append(replace(scalars, originals=originals, tags=tags))
    return result


def run_folder(path: Path) -> Path | None:
    """The folder that has the run's ``plots``; None for a path of another tool."""
    names = [parent.name for parent in path.parents]
    for index, pair in enumerate(pairwise(names)):
        if pair in FOLDERS:
            return path.parents[index + 2]
    return None
