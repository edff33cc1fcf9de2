"""The files of one run: what continues is joined, what is said twice counts once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganlib.experiments.frame import Scalars, one_after_another
from ganlib.experiments.readers import FORMATS, Format

SAME = 0.9  # share of a file's values that another file must have for both to be the same scalars


def merged(parts: list[tuple[Format, Scalars, Path]]) -> list[Scalars]:
    """The scalars of a run's files, no tag in two of them.

    Files of one format whose steps follow on each other are joined. Where two files have the same tag and the
    same values, those of the more exact format stay; with other values they are other scalars, and are called
    after their file: ``validation/loss``.
    """
    order = {form.name: place for place, form in enumerate(FORMATS)}
    kept: list[tuple[Format, Scalars, Path]] = []
    for form, scalars, path in sorted(parts, key=lambda part: (order[part[0].name], _start(part[1]), str(part[2]))):
        for place, (other, before, first) in enumerate(kept):
            if form is other and _continues(form, before, scalars):
                kept[place] = other, one_after_another([before, scalars]), first
                break
        else:
            kept.append((form, _distinct(form, scalars, path, kept), path))
    return [scalars for _, scalars, _ in kept if len(scalars)]


def _start(scalars: Scalars) -> tuple[float, int]:
    known = scalars.wall[np.isfinite(scalars.wall)]
    return (float(known.min()) if len(known) else 0.0), int(scalars.step.min(initial=0))


def _continues(form: Format, before: Scalars, after: Scalars) -> bool:
    if not set(before.tags) & set(after.tags) or not len(before) or not len(after):
        return False
    return form.continues or int(after.step.min()) > int(before.step.max())


def _distinct(form: Format, scalars: Scalars, path: Path, kept: list[tuple[Format, Scalars, Path]]) -> Scalars:
    drop = np.zeros(len(scalars), bool)
    tags = list(scalars.tags)
    for code, tag in enumerate(scalars.tags):
        here = scalars.code == code
        for _, other, _ in kept:
            if tag in other.tags:
                there = other.code == other.tags.index(tag)
                if scalars.unit != other.unit or _same(scalars.where(here), other.where(there), form.precision):
                    drop |= here
                else:
                    tags[code] = f"{path.stem}/{tag}"
                break
    scalars.tags = tags
    return scalars.where(~drop) if drop.any() else scalars


def _same(mine: Scalars, other: Scalars, precision: float) -> bool:
    """Whether the values stand in the other file too, at the nearest steps; non-finite ones agree with each other."""
    order = np.argsort(other.step, kind="stable")
    step, value = other.step[order], other.value[order]
    after = np.searchsorted(step, mine.step).clip(0, len(step) - 1)
    before = np.searchsorted(step, mine.step, side="right").clip(1) - 1
    agree = [_close(mine.value, value[place], precision) for place in (before, after, (before - 1).clip(0))]
    return bool(np.mean(agree[0] | agree[1] | agree[2]) >= SAME)


def _close(a: NDArray[np.float64], b: NDArray[np.float64], precision: float) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(a - b) <= precision * np.maximum(np.abs(a), np.abs(b))
    return near | (~np.isfinite(a) & ~np.isfinite(b))
