"""Which run a file belongs to; the files of one run become one, continued files joined and duplicates dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.logs.frame import Scalars, concat_scalars
from ganlib.logs.readers import FORMATS, TENSORBOARD, WANDB, LogFormat, dvclive
from ganlib.logs.readers.mlflow import METRICS_FOLDER
from ganlib.logs.tags import EVALUATION_TAGS, PROGRESS, canonical_tag

MIN_AGREEMENT = 0.9  # fraction of a file's values that another file must have for both to hold the same scalars
SPLIT_FILE = re.compile(
    r"(?:[a-z]+[_.-])?(?:(train|training)|val|valid|validation|test|eval|evaluation)(?:[_.-][a-z]+)?", re.IGNORECASE
)
_WANDB_RUN = re.compile(r"(?:offline-)?run-\d+")


class FileScalars(NamedTuple):
    """The scalars of one run in one file."""

    log_format: LogFormat
    scalars: Scalars
    path: Path


def group_by_run(files: Iterable[FileScalars], root: Path) -> dict[Path, list[FileScalars]]:
    """The folder of each run, and the files of its log. The files of a folder with several runs name these runs."""
    folders: dict[Path, list[FileScalars]] = {}
    for file in files:
        folder, file = _find_run_folder(file, root)
        folders.setdefault(folder, []).append(file)
    runs: dict[Path, list[FileScalars]] = {}
    for folder, folder_files in folders.items():
        if _holds_several_runs(folder_files):
            for file in folder_files:
                runs.setdefault(file.path.with_suffix(""), []).append(file)
        else:
            runs.setdefault(folder, []).extend(folder_files)
    return runs


def merge_files(files: list[FileScalars]) -> list[Scalars]:
    """The scalars of a run's files, each tag in one of them only.

    Files of one format whose steps follow on each other are joined. Where two files have the same tag with the same
    values, those of the more exact format are used; with other values they are other scalars, and are prefixed with
    the name of their file: ``validation/loss``.
    """
    merged: list[FileScalars] = []
    for file in _sort_files(files):
        for index, earlier in enumerate(merged):
            if _is_continuation(earlier, file):
                merged[index] = earlier._replace(scalars=concat_scalars([earlier.scalars, file.scalars]))
                break
        else:
            scalars = _drop_duplicates(file, merged)
            if len(scalars):  # a thousand copies are not to be compared with each other
                merged.append(file._replace(scalars=scalars))
    return [file.scalars for file in merged]


def name_by_datastore(files: list[FileScalars]) -> list[FileScalars]:
    """The files of a folder of Weights & Biases as one run: only the datastore says how it is called."""
    name = next((file.scalars.run for file in files if file.log_format is WANDB), "")
    return [file._replace(scalars=replace(file.scalars, run=file.scalars.run or name)) for file in files]


def _find_run_folder(file: FileScalars, root: Path) -> tuple[Path, FileScalars]:
    """The run's folder: that of the file, except for tools that use several folders per run, some named by tag."""
    folder = file.path.parent
    if file.log_format.name == "MLflow" and METRICS_FOLDER in (names := [parent.name for parent in file.path.parents]):
        return file.path.parents[names.index(METRICS_FOLDER) + 1], file
    if file.log_format.name == "DVCLive" and (run := dvclive.run_folder(file.path)):
        return run, file
    if folder.name == "files" and _WANDB_RUN.match(folder.parent.name):
        return folder.parent, file
    if file.path.name.endswith("_log.jsonl"):  # BigGAN-PyTorch keeps the losses in a folder beside this file
        losses = folder / file.path.name.removesuffix("_log.jsonl")
        return (losses if losses.is_dir() else folder), file
    if file.log_format is TENSORBOARD and folder != root and len(file.scalars.originals) == 1:
        tag = file.scalars.originals[0]
        if folder.parent.name == "data":  # mimicry: a folder per scalar
            return folder.parent.parent, _rename_only_tag(file, folder.name)
        if folder.name.startswith(prefix := tag.replace("/", "_") + "_"):  # PyTorch's add_scalars
            return folder.parent, _rename_only_tag(file, f"{tag}/{folder.name.removeprefix(prefix)}")
        parts = tuple(tag.split("/"))  # tensorboardX's add_scalars: a folder for the tag, and one for each in it
        if folder.relative_to(root).parts[-1 - len(parts) : -1] == parts:
            return folder.parents[len(parts)], _rename_only_tag(file, f"{tag}/{folder.name}")
    return folder, file


def _rename_only_tag(file: FileScalars, name: str) -> FileScalars:
    return file._replace(scalars=replace(file.scalars, originals=[name], tags=[canonical_tag(name).name]))


def _holds_several_runs(files: list[FileScalars]) -> bool:
    """Whether files of one format have different values of the same scalars."""
    distinct: list[tuple[FileScalars, set[str]]] = []  # with their tags; a copy of another file tells nothing new
    for file in _sort_files(files):
        if SPLIT_FILE.fullmatch(file.path.stem):
            continue
        tags, is_copy = _training_tags(file.scalars), False
        for earlier, earlier_tags in distinct:
            shared = earlier_tags & tags if earlier.scalars.run == file.scalars.run else set()
            if earlier.log_format is not file.log_format or not shared or _is_continuation(earlier, file):
                continue
            if not any(_has_same_values(file, earlier, tag) for tag in shared):
                return True
            if is_copy := tags <= earlier_tags:
                break
        if not is_copy:
            distinct.append((file, tags))
    return False


def _training_tags(scalars: Scalars) -> set[str]:
    return set(scalars.tags) - EVALUATION_TAGS - PROGRESS


def _sort_files(files: list[FileScalars]) -> list[FileScalars]:
    """The most exact format first, training before validation, then by time, step and name."""
    formats = sorted(FORMATS, key=lambda log_format: log_format.precision)
    rank = {log_format.name: index for index, log_format in enumerate(formats)}

    def key(file: FileScalars) -> tuple[int, bool, float, int, str]:
        wall = file.scalars.wall[np.isfinite(file.scalars.wall)]
        start = float(wall.min()) if len(wall) else 0.0
        split = SPLIT_FILE.fullmatch(file.path.stem)
        is_validation = split is not None and not split[1]
        return rank[file.log_format.name], is_validation, start, int(file.scalars.step.min(initial=0)), str(file.path)

    return sorted(files, key=key)


def _is_continuation(earlier: FileScalars, later: FileScalars) -> bool:
    if earlier.log_format is not later.log_format or not set(earlier.scalars.tags) & set(later.scalars.tags):
        return False
    if earlier.log_format.resumes_in_new_file or not len(earlier.scalars) or not len(later.scalars):
        return earlier.log_format.resumes_in_new_file
    return int(later.scalars.step.min()) > int(earlier.scalars.step.max())


def _drop_duplicates(file: FileScalars, merged: list[FileScalars]) -> Scalars:
    scalars, tags = file.scalars, list(file.scalars.tags)
    duplicate = np.zeros(len(scalars), bool)
    for code, tag in enumerate(scalars.tags):
        other = next((earlier for earlier in merged if tag in earlier.scalars.tags), None)
        if other is None:
            continue
        if _has_same_values(file, other, tag):
            duplicate |= scalars.code == code
        else:
            tags[code] = f"{file.path.stem}/{tag}"
    return replace(scalars, tags=tags).select(~duplicate)


def _has_same_values(file: FileScalars, other: FileScalars, tag: str) -> bool:
    """Whether the other file has a tag's values too, at the nearest steps; NaN and infinities count as equal."""
    ours = file.scalars.select(file.scalars.code == file.scalars.tags.index(tag))
    theirs = other.scalars.select(other.scalars.code == other.scalars.tags.index(tag))
    if ours.unit != theirs.unit or not len(ours) or not len(theirs):
        return True  # only one of two step units can be shown
    order = np.argsort(theirs.step, kind="stable")
    step, value = theirs.step[order], theirs.value[order]
    after = np.searchsorted(step, ours.step).clip(0, len(step) - 1)
    before = np.searchsorted(step, ours.step, side="right").clip(1) - 1
    precision = max(file.log_format.precision, other.log_format.precision)
    agree = [_is_close(ours.value, value[index], precision) for index in (before, after, (before - 1).clip(0))]
    return bool(np.mean(agree[0] | agree[1] | agree[2]) >= MIN_AGREEMENT)


def _is_close(a: NDArray[np.float64], b: NDArray[np.float64], precision: float) -> NDArray[np.bool_]:
    # A value printed with few digits has an absolute precision near zero.
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), min(1, 100 * precision))
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(a - b) <= precision * scale
    return close | (~np.isfinite(a) & ~np.isfinite(b))
