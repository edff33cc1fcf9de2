"""Numbers as people and tools write them. The whole number, or none: nothing is cut off a cell that holds more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

MISSING_VALUES = frozenset(["", "-", "--", "n/a", "na", "none", "null", "no", "<na>", "#n/a", "n.a.", "undefined"])

# What is multiplied by where the unit is written after the number. A time is in seconds.
UNITS = {
    "": 1, "%": 1, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "ms": 1e-3, "msec": 1e-3, "us": 1e-6,
    "µs": 1e-6, "μs": 1e-6, "ns": 1e-9, "m": 60, "min": 60, "mins": 60, "minutes": 60, "h": 3600, "hr": 3600,
    "hrs": 3600, "hours": 3600, "d": 86400, "k": 1e3, "K": 1e3, "M": 1e6, "dB": 1, "db": 1, "px": 1, "x": 1,
    "KB": 1, "kB": 1, "MB": 1, "GB": 1, "TB": 1, "KiB": 1, "MiB": 1, "GiB": 1, "G": 1, "Hz": 1, "W": 1,
    "it/s": 1, "s/it": 1, "img/s": 1, "imgs/s": 1, "images/s": 1, "samples/s": 1, "steps/s": 1, "batch/s": 1,
    "batches/s": 1, "iter/s": 1, "iters/s": 1, "s/step": 1, "s/iter": 1, "s/epoch": 1, "s/batch": 1, "sec/step": 1,
    "ms/step": 1e-3, "us/step": 1e-6, "ms/it": 1e-3, "ms/iter": 1e-3, "ms/batch": 1e-3,
}  # fmt: skip

_DIGITS = "(?:[0-9]++(?:_[0-9]++)*+)"
_PLAIN = rf"[-+]?(?:{_DIGITS}(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?"
_CELL = re.compile(rf"({_PLAIN}) ?([A-Za-zµμ%]{{0,8}}(?:/[a-z]{{1,5}})?)")
_GROUPED = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})++(?:\.[0-9]*+)?")  # 1,234.5
_GROUPED_BY_DOTS = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:\.[0-9]{3})++(?:,[0-9]*+)?")  # 1.234,5
_GROUPED_BY_APOSTROPHES = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:['’][0-9]{3})++(?:\.[0-9]*+)?")  # 1'234.5
_MICROSOFT = re.compile(r"([-+]?)1\.#(QNAN|SNAN|IND|INF)[0-9]{0,9}", re.IGNORECASE)
_COMMA = re.compile(r"([-+]?[0-9]*),([0-9]++(?:[eE][-+]?[0-9]++)?)(%?)")
_WRAPPED = re.compile(
    r"(?:[A-Za-z_][\w.]{0,40})?\(\s{0,9}\[?([^,()\[\]]{1,40})\]?(?:,[^()]{0,80})?\)|\[([^,\[\]]{1,40})\]"
)

_CLOCK_TIME = re.compile(r"(?:(\d+) days?,? *)?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_TIME_WITH_UNITS = re.compile(r"(?:(\d+)d)? *(?:(\d+)h)? *(?:(\d+)m)? *(?:(\d+(?:\.\d+)?)s)?")

_FOREIGN = re.compile("[\u00a0\u2007\u2009\u202f\u2212\ufe63\uff05\uff0b-\uff1d\u2060\u200b]")
_NARROW_GROUPS = re.compile("(?<=[0-9])[\u00a0\u2007\u2009\u202f](?=[0-9]{3}(?![0-9]))")
_TO_ASCII = {
    **{0xFF10 + digit: str(digit) for digit in range(10)},
    **dict.fromkeys([0x2212, 0xFE63, 0xFF0D], "-"),
    **dict.fromkeys([0x00A0, 0x2007, 0x2009, 0x202F], " "),
    **dict.fromkeys([0x2060, 0x200B], ""),
    **dict(zip(range(0xFF0B, 0xFF0D), "+,", strict=True)),
    **dict(zip([0xFF05, 0xFF0E, 0xFF0F, 0xFF1A, 0xFF1B, 0xFF1C, 0xFF1D], "%./:;<=", strict=True)),
}


def to_ascii_numerals(text: str) -> str:
    """Minus signs, full-width digits and signs, and narrow blanks as ASCII has them; all else as it is.

    Narrow blanks within a number, which set off groups of three digits, are left out.
    """
    return _NARROW_GROUPS.sub("", text).translate(_TO_ASCII) if not text.isascii() and _FOREIGN.search(text) else text


def parse_number(text: str, decimal: str = ".") -> float | None:
    """A cell as a float; None for a missing value. ValueError for what is no number as a whole.

    A unit is dropped ("12.5%") and a time is in seconds ("1.2e-3s", "0:00:05"). ``decimal`` is the mark of the file;
    groups of three digits may be set off by the other one.
    """
    cell = text.strip().strip("\"'").strip()
    try:
        return float(_without_comma(cell)) if decimal == "," and "," in cell else float(cell)
    except ValueError:
        if cell.lower() in MISSING_VALUES:
            return None
    if (ascii_cell := to_ascii_numerals(cell)) != cell:
        return parse_number(ascii_cell, decimal)
    if len(cell) > 200:
        raise ValueError(f"{cell[:40]!r}… is no number")
    if decimal == "," and ("," in cell or cell.count(".") > 1):
        cell = _without_comma(cell)
    elif _GROUPED.fullmatch(cell):
        cell = cell.replace(",", "")
    elif _GROUPED_BY_APOSTROPHES.fullmatch(cell):
        cell = cell.replace("'", "").replace("’", "")
    elif match := _MICROSOFT.fullmatch(cell):
        return float(f"{match[1]}{'inf' if match[2].upper() == 'INF' else 'nan'}")
    if match := _CELL.fullmatch(cell):
        unit = UNITS.get(match[2])
        if unit is not None:
            return float(match[1]) * unit
    elif match := _WRAPPED.fullmatch(cell):
        return parse_number(match[1] or match[2], ".")
    return parse_duration(cell)


def has_decimal_commas(cells: Iterable[str]) -> bool:
    """Whether the comma is the decimal mark of these cells: "0,5" is among them, and nothing like "0.5"."""
    with_marks = [cell for cell in cells if "," in cell or "." in cell]
    commas = [cell for cell in with_marks if _COMMA.fullmatch(cell.strip()) and not _GROUPED.fullmatch(cell.strip())]
    return bool(commas) and not any("." in cell and "," not in cell for cell in with_marks)


def without_grouping_dots(cells: list[str], is_whole: bool) -> list[str]:
    """Cells of a column with decimal commas, "1.000" as "1000" where its dots set off thousands.

    They do where "1.234,5" is among the cells, and in whole numbers: where ``is_whole`` says that they are, or where
    they rise only so, as in "500", "1.000", "1.500". Elsewhere "1.234" may be a number with decimals.
    """
    stripped = [cell.strip() for cell in cells]
    dotted = [cell for cell in stripped if "." in cell]
    if not dotted or not all(map(_GROUPED_BY_DOTS.fullmatch, dotted)):
        return cells
    whole = [cell.replace(".", "") for cell in stripped]
    if any("," in cell for cell in dotted) or is_whole or (_rises(whole) and not _rises(stripped)):
        return whole
    return cells


def _rises(cells: list[str]) -> bool:
    try:
        numbers = [number for cell in cells if (number := parse_number(cell)) is not None]
    except ValueError:
        return False
    return all(earlier <= later for earlier, later in pairwise(numbers))


def _without_comma(cell: str) -> str:
    """The cell of a file with decimal commas as Python writes it; unchanged if it is no such number."""
    if _COMMA.fullmatch(cell):
        return cell.replace(",", ".")
    return cell.replace(".", "").replace(",", ".") if _GROUPED_BY_DOTS.fullmatch(cell) else cell


def parse_duration(text: str) -> float:
    """ "9 days, 20:04:38", "0:00:05", "1h 07m 31s" -> seconds. ValueError for anything else."""
    text = text.strip()
    match = _CLOCK_TIME.fullmatch(text) or _TIME_WITH_UNITS.fullmatch(text) if len(text) < 80 else None
    if match and any(match.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    raise ValueError(f"{text[:40]!r} is no number")
