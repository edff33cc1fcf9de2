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
# "step 1,000": a count has no decimals, so that the comma is none.
_GROUP = re.compile(rb"\d,\d{3}(?!\d)")
_COUNT = re.compile(
    rf"((?<![A-Za-z0-9_/])(?:{STEP_WORD}|{BATCH_WORD}|images?|imgs?|samples?)[^\w,.\n]{{0,4}})".encode()
    + rb"([1-9]\d{0,2}(?:,\d{3})+)(?![\d,])",
    re.IGNORECASE,
)


def plain_numbers(text: bytes) -> bytes:
    """The same lines, in UTF-8; each pattern is tried only where a quick search finds a sign of it."""
    if _WRAPPER.search(text):
        text = _WRAPPED.sub(rb"\1", text)
    if _FOREIGN_NAN_SIGN.search(text):
        text = _FOREIGN_NAN.sub(_as_python, text)
    if b"'" in text or "’".encode() in text:
        text = _APOSTROPHES.sub(_without_marks, text)
    if _GROUP.search(text):
        text = _COUNT.sub(_with_plain_count, text)
    return text


def _as_python(match: re.Match[bytes]) -> bytes:
    return match[1] + (b"inf" if (match[2] or b"").upper() == b"INF" else b"nan")


def _without_marks(match: re.Match[bytes]) -> bytes:
    return match[0].replace(b"'", b"").replace("’".encode(), b"")


def _with_plain_count(match: re.Match[bytes]) -> bytes:
    return match[1] + match[2].replace(b",", b"")
