"""What a diagnosis is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ganlib.logs.diagnosis.curves import Run
from ganlib.logs.diagnosis.objectives import Objective

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """What a run's curves show from step ``start`` to ``end``, in sentences for a reader.

    ``info`` is worth knowing, ``warning`` worth a look, and after ``critical`` the weights are spoilt or learn no more.
    """

    sign: str
    title: str
    severity: Severity
    run: str
    start: int
    end: int
    evidence: str
    advice: str
    tag: str  # the curve that shows it; "" for the log itself


class Claim(NamedTuple):
    """A finding before its sign adds title and advice."""

    severity: Severity
    start: int
    end: int
    evidence: str
    tag: str


class Sign(NamedTuple):
    name: str
    title: str
    find: Callable[[Run, Objective], Iterator[Claim]]
    advice: str


def share(part: int, whole: int) -> str:
    """ "34 %"."""
    return f"{100 * part / whole:.0f} %"
