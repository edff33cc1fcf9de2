"""What a run is called where several are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path


def run_names(folders: Iterable[Path]) -> dict[Path, str]:
    """Each folder's name; with its parent before it where an earlier folder already has that name.

    The gallery and the local runs may both hold ``cifar10-sngan``: as one run their curves would zigzag.
    """
    names: dict[Path, str] = {}
    taken: Counter[str] = Counter()
    for folder in folders:
        if folder in names:
            continue
        ways = (folder.name, f"{folder.parent.name}/{folder.name}", str(folder))
        name = next((way for way in ways if not taken[way]), ways[-1])
        names[folder] = name
        taken[name] += 1
    return names
