"""Which run a file belongs to; and the files of one run: what continues is joined, what is said twice counts once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars, one_after_another
from ganlib.logs.readers import EVENTS, FORMATS, Format
from ganlib.logs.readers.mlflow import FOLDER
from ganlib.logs.tags import EVALUATIONS, canonical

SAME = 0.9  # share of a file's values that another file must have for both to be the same scalars
PART = re.compile(
    r"(?:[a-z]+[_.-])?(?:(train|training)|val|valid|validation|test|eval|evaluation)(?:[_.-][a-z]+)?", re.IGNORECASE
)
_WANDB = re.compile(r"(?:offline-)?run-\d+")


class Part(NamedTuple):
    """One run's scalars in one file."""

    form: Format
    scalars: Scalars
    path: Path


def by_run(parts: Iterable[Part], root: Path) -> dict[Path, list[Part]]:
    """The folder of each run, and the parts of its log. A folder of logs of several runs is called after these."""
    folders: dict[Path, list[Part]] = {}
    for part in parts:
        folder, homed = _home(part, root)
        folders.setdefault(folder, []).append(homed)
    runs: dict[Path, list[Part]] = {}
    for folder, inside in folders.items():
        if _several(inside):
            for part in inside:
                runs.setdefault(part.path.with_suffix(""), []).append(part)
        else:
            runs.setdefault(folder, []).extend(inside)
    return runs


def merged(parts: list[Part]) -> list[Scalars]:
    """The scalars of a run's files, no tag in two of them.

    Files of one format whose steps follow on each other are joined. Where two files have the same tag and the
    same values, those of the more exact format stay; with other values they are other scalars, and are called
    after their file: ``validation/loss``.
    """
    kept: list[Part] = []
    for part in _in_order(parts):
        for place, before in enumerate(kept):
            if _continues(before, part):
                kept[place] = before._replace(scalars=one_after_another([before.scalars, part.scalars]))
                break
        else:
            kept.append(part._replace(scalars=_distinct(part, kept)))
    return [part.scalars for part in kept if len(part.scalars)]


def _home(part: Part, root: Path) -> tuple[Path, Part]:
    """The run's folder: where the file lies, but for tools that spread a run over several, some by tag."""
    folder = part.path.parent
    if part.form.name == "MLflow" and FOLDER in (names := [parent.name for parent in part.path.parents]):
        return part.path.parents[names.index(FOLDER) + 1], part
    if folder.name == "files" and _WANDB.match(folder.parent.name):
        return folder.parent, part
    if part.path.name.endswith("_log.jsonl"):  # BigGAN-PyTorch keeps the losses in a folder beside
        beside = folder / part.path.name.removesuffix("_log.jsonl")
        return (beside if beside.is_dir() else folder), part
    if part.form is EVENTS and folder != root and len(part.scalars.originals) == 1:
        tag = part.scalars.originals[0]
        if folder.parent.name == "data":  # mimicry: a folder per scalar
            return folder.parent.parent, _renamed(part, folder.name)
        if folder.name.startswith(head := tag.replace("/", "_") + "_"):  # PyTorch's add_scalars
            return folder.parent, _renamed(part, f"{tag}/{folder.name.removeprefix(head)}")
    return folder, part


def _renamed(part: Part, name: str) -> Part:
    return part._replace(scalars=replace(part.scalars, originals=[name], tags=[canonical(name).name]))


def _several(parts: list[Part]) -> bool:
    """Whether files of one format say different things of the same scalars."""
    ordered = _in_order(parts)
    for place, part in enumerate(ordered):
        for before in ordered[:place]:
            shared = _trained(before.scalars) & _trained(part.scalars)
            if (
                before.form is part.form
                and shared
                and not PART.fullmatch(part.path.stem)
                and not PART.fullmatch(before.path.stem)
                and not _continues(before, part)
                and not any(_same(part, before, tag) for tag in shared)
            ):
                return True
    return False


def _trained(scalars: Scalars) -> set[str]:
    return set(scalars.tags) - EVALUATIONS - {"epoch", "images", "elapsed", "tick"}


def _in_order(parts: list[Part]) -> list[Part]:
    forms = sorted((*FORMATS, EVENTS), key=lambda form: form.precision)
    rank = {form.name: place for place, form in enumerate(forms)}

    def key(part: Part) -> tuple[int, bool, float, int, str]:
        known = part.scalars.wall[np.isfinite(part.scalars.wall)]
        begin = float(known.min()) if len(known) else 0.0
        of = PART.fullmatch(part.path.stem)
        beside = of is not None and not of[1]
        return rank[part.form.name], beside, begin, int(part.scalars.step.min(initial=0)), str(part.path)

    return sorted(parts, key=key)


def _continues(before: Part, after: Part) -> bool:
    if before.form is not after.form or not set(before.scalars.tags) & set(after.scalars.tags):
        return False
    if before.form.continues or not len(before.scalars) or not len(after.scalars):
        return before.form.continues
    return int(after.scalars.step.min()) > int(before.scalars.step.max())


def _distinct(part: Part, kept: list[Part]) -> Scalars:
    scalars, tags = part.scalars, list(part.scalars.tags)
    drop = np.zeros(len(scalars), bool)
    for code, tag in enumerate(scalars.tags):
        other = next((before for before in kept if tag in before.scalars.tags), None)
        if other is None:
            continue
        if _same(part, other, tag):
            drop |= scalars.code == code
        else:
            tags[code] = f"{part.path.stem}/{tag}"
    return replace(scalars, tags=tags).where(~drop)


def _same(part: Part, other: Part, tag: str) -> bool:
    """Whether a tag's values stand in the other file too, at the nearest steps; NaN and infinities are alike."""
    mine = part.scalars.where(part.scalars.code == part.scalars.tags.index(tag))
    theirs = other.scalars.where(other.scalars.code == other.scalars.tags.index(tag))
    if mine.unit != theirs.unit or not len(mine) or not len(theirs):
        return True  # one of two axes has to do
    order = np.argsort(theirs.step, kind="stable")
    step, value = theirs.step[order], theirs.value[order]
    after = np.searchsorted(step, mine.step).clip(0, len(step) - 1)
    before = np.searchsorted(step, mine.step, side="right").clip(1) - 1
    precision = max(part.form.precision, other.form.precision)
    agree = [_close(mine.value, value[place], precision) for place in (before, after, (before - 1).clip(0))]
    return bool(np.mean(agree[0] | agree[1] | agree[2]) >= SAME)


def _close(a: NDArray[np.float64], b: NDArray[np.float64], precision: float) -> NDArray[np.bool_]:
    # What is printed with few digits has a step of its own near zero.
    size = np.maximum(np.maximum(np.abs(a), np.abs(b)), min(1, 100 * precision))
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(a - b) <= precision * size
    return near | (~np.isfinite(a) & ~np.isfinite(b))
