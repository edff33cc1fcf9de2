"""What runs and numbers of things are called, and which names are nearest to an unknown one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

UNDECODED = re.compile("[\ud800-\udfff]")  # how Python keeps the bytes of a name that is no UTF-8


def displayable(name: str) -> str:
    """A file's name as pages and tables can hold it: a byte that is no text is written out, "run\\xff"."""
    return UNDECODED.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", name)


def counted(n: int, noun: str) -> str:
    """ "1 image", "1,000 images", "2 classes"."""
    return f"{n:,} {noun}{'' if n == 1 else 'es' if noun.endswith('s') else 's'}"


def readable(value: float, digits: int = 3) -> str:
    """``value`` with so many digits that count, and no exponent where fewer than seven before the point do: "1,886"."""
    return f"{value:,.0f}" if 10**digits - 0.5 <= abs(value) < 1e6 else f"{value:.{digits}g}"


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
        name = next((way for way in map(displayable, ways) if not taken[way]), displayable(ways[-1]))
        names[folder] = name
        taken[name] += 1
    return names


def nearest_names(name: str, names: Iterable[str], n: int = 3) -> list[str]:
    """At most n of ``names``, best first: those that contain ``name``, then those spelled alike; [] where none is."""
    names = list(names)
    containing = [other for other in names if name and name.casefold() in other.casefold()]
    return list(dict.fromkeys([*containing, *get_close_matches(name, names, n=n, cutoff=0.5)]))[:n]
