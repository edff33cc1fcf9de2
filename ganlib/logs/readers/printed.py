"""Printed text with its numbers as Python writes them: no wrappers, no groups of digits, NaN as such."""

from __future__ import annotations

import re

from ganlib.logs.readers.positions import BATCH_WORD, STEP_WORD

_WRAPPER = re.compile(rb"(?:tensor|array|float\d\d|Variable|scalar)\(")
_WRAPPED = re.compile(  # "tensor(0.5, device='cuda:0', grad_fn=<MeanBackward0>)" is 0.5
    rb"(?<![\w.])(?:(?:np|numpy|torch|jnp|tf)\.)?(?:tensor|array|float\d\d|Variable|scalar)\("
    rb"\s{0,9}\[{0,2}([^\s,()\[\]]{1,40})\]{0,2}(?:,\s{0,9}(?:device|dtype|grad_fn|requires_grad|shape|numpy|name)=[^\n,()]{1,60}(?:\(\))?){0,4}\)"
)
# Of Microsoft's C library, and of C99 with the kind of the NaN.
_FOREIGN_NAN = re.compile(
    rb"(?<![\w.])([-+]?)(?:1\.#(?:(QNAN|SNAN|IND|INF)\d{0,9})|nan\((?:ind|snan)\))", re.IGNORECASE
)
_FOREIGN_NAN_SIGN = re.compile(rb"\.#|nan\(", re.IGNORECASE)
_APOSTROPHES = re.compile("(?<![\\d.,'’])[1-9]\\d{0,2}(?:['’]\\d{3})+(?![\\d'’])".encode())
# A count has no decimals, so that what stands between groups of three of its digits is no mark: "step 1,000/5,000".
_COUNTED = rf"(?<![A-Za-z0-9_/])(?:{STEP_WORD}|{BATCH_WORD}|images?|imgs?|samples?)[^\w,.\n]{{0,4}}"
_NAME_OR_END = r"(?=[ \t]{0,9}(?:$|[^\w\s.,%/]|,(?!\d)|[^\W\d]\w{0,60}[ \t]{0,9}[:=\d]))"


def _count(mark: str, after: str = "") -> re.Pattern[bytes]:
    groups = rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+"
    pattern = rf"({_COUNTED})((?:\d{{1,3}}/)?{groups}(?:/{groups})?)(?!\d|{mark}\d){after}"
    return re.compile(pattern.encode(), re.IGNORECASE | re.MULTILINE)


# Signs are what can be searched for quickly in all of a log.
_COMMA_SIGN, _COMMA_COUNT = re.compile(rb",(?<=\d,)\d{3}(?!\d)"), _count(",")
_SPACE_SIGN, _SPACE_COUNT = (
    re.compile(rb"[a-z\x80-\xff][^\w\n]{0,5}[1-9]\d{0,2} \d{3}(?!\d)", re.IGNORECASE),
    _count(" ", _NAME_OR_END),
)
_DOT_SIGN, _DOT_COUNT = re.compile(rb"\d\.\d{3}(?!\d)"), _count("[.]")  # where other numbers have decimal commas
_DECIMAL_COMMA = re.compile(rb",(?:(?<=\d,)(?:\d\d?(?!\d)|\d{4,}|(?<!\d0,)(?<=0,)\d))")
_DOT = re.compile(rb"\d\.\d")


def plain_numbers(text: bytes) -> bytes:
    """The same lines, in UTF-8; each pattern is tried only where a quick search finds a sign of it."""
    if _WRAPPER.search(text):
        text = _WRAPPED.sub(rb"\1", text)
    if _FOREIGN_NAN_SIGN.search(text):
        text = _FOREIGN_NAN.sub(_as_python, text)
    if b"'" in text or "’".encode() in text:
        text = _APOSTROPHES.sub(_without_marks, text)
    if _COMMA_SIGN.search(text):
        text = _COMMA_COUNT.sub(_without_groups, text)
    if _SPACE_SIGN.search(text):
        text = _SPACE_COUNT.sub(_without_groups, text)
    if _DECIMAL_COMMA.search(text) and _DOT_SIGN.search(text) and _DOT_COUNT.search(text):
        text = b"\n".join(map(_without_dots, text.split(b"\n")))
    return text


def _without_dots(line: bytes) -> bytes:
    """The line without the dots in its counts, if its other numbers have decimal commas."""
    plain = _DOT_COUNT.sub(_without_groups, line)
    return plain if _DECIMAL_COMMA.search(plain) and not _DOT.search(plain) else line


def _as_python(match: re.Match[bytes]) -> bytes:
    return match[1] + (b"inf" if (match[2] or b"").upper() == b"INF" else b"nan")


def _without_marks(match: re.Match[bytes]) -> bytes:
    return match[0].replace(b"'", b"").replace("’".encode(), b"")


def _without_groups(match: re.Match[bytes]) -> bytes:
    return match[1] + re.sub(rb"[,. ]", b"", match[2])
