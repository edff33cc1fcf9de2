"""Log formats, one file each. A new one is a module with ``matches`` and ``read``, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ganlib.experiments.frame import Scalars
from ganlib.experiments.readers import delimited
from ganlib.experiments.readers.source import Source


class Format(NamedTuple):
    name: str
    matches: Callable[[str, Path], bool]  # the first 64 kB as text
    read: Callable[[bytes, Source], list[Scalars]]  # UTF-8; the event files' reader gets the bytes as they are
    precision: float = 1e-5  # relative; what the tool rounds to
    continues: bool = False  # a resumed run begins a new file, which may start at an earlier step


# The first that matches reads the file. Of scalars that two files of a run share, the earlier format's stay.
FORMATS = (Format("table", delimited.matches, delimited.read),)
