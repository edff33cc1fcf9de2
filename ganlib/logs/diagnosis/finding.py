"""Findings of a diagnosis, and the rules that make them."""

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

    ``info`` is worth knowing, ``warning`` worth a look; ``critical``: the weights are spoilt or learn no more.
    """

    rule: str
    title: str
    severity: Severity
    run: str
    start: int
    end: int
    evidence: str
    advice: str
    tag: str  # the curve that shows it; "" for the log itself


class Observation(NamedTuple):
    """What a rule finds in a run; the rule's title and advice make it a finding."""

    severity: Severity
    start: int
    end: int
    evidence: str
    tag: str


class Rule(NamedTuple):
    name: str
    title: str
    check: Callable[[Run, Objective], Iterator[Observation]]
    advice: str


def percent(count: int, total: int) -> str:
    """ "34 %"."""
    return f"{100 * count / total:.0f} %"
