"""A log, a folder of logs or a tree of such folders -> one tidy frame."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ganlib.logs import cache
from ganlib.logs.frame import LogError, Scalars, SkippedLine, build_frame
from ganlib.logs.merging import FileScalars, group_by_run, merge_files, name_by_datastore
from ganlib.logs.readers import FORMATS, LogFormat
from ganlib.logs.readers.source import NotALog, Source, is_binary, to_utf8
from ganlib.naming import run_names

HEAD_BYTES = 2**16  # that decide about the format
LISTED_BYTES = 2**14  # that decide which runs and scalars a log is listed with
# Files that lie beside logs and are none: not even opened.
OTHER_SUFFIXES = re.compile(
    r"\.(?:pth?|pkl|pickle|ckpt|safetensors|h5|hdf5|onnx|bin|zip|gz|xz|tar|png|jpe?g|gif|webp|bmp|mp4|avi|pdf"
    r"|svg|html|py|md|ya?ml|toml|sh|css|js|so|lock|\w+-(?:wal|shm|journal))",
    re.IGNORECASE,
)
OTHER_NAMES = frozenset(["debug.log", "debug-internal.log", "debug-core.log"])  # Weights & Biases' own doings


def read(path: Path | str, step: str | None = None) -> pd.DataFrame:
    """The scalars of a log, of a run's folder or of a tree of runs, a row each: ``run, step, wall_time, tag, value,
    original, segment``.

    ``step`` names the step column of a table that has several candidates. The format is detected from the content.
    In ``attrs``: ``step_unit`` ("steps", "images", "epochs" or "mixed"), ``step_units`` by run, ``skipped`` (the
    first lines left out, with the reason), ``skipped_total`` and ``notebooks`` (see ``build_frame``). LogError if
    nothing could be read.
    """
    path = Path(path).absolute()
    if path.is_dir():
        return _read_tree(path, step)
    source = Source(path, step)
    log_format, scalars = read_file(source)
    if log_format is None:
        raise source.error("it is in none of the known formats (CSV, JSON, TensorBoard events, text logs)")
    runs: dict[str, list[Scalars]] = {}
    for run_scalars in scalars:
        runs.setdefault(run_scalars.run or path.stem, []).append(run_scalars)
    raise_if_nothing_was_read(runs, source.skipped, source.skipped_total)
    return build_frame(runs, source.skipped, source.skipped_total)


def raise_if_nothing_was_read(runs: Mapping[str, list[Scalars]], skipped: list[SkippedLine], total: int) -> None:
    """LogError where all lines were skipped; a log that has only begun has none."""
    if total and not any(len(part) for parts in runs.values() for part in parts):
        first = skipped[0]
        raise LogError(first.path, first.line, f"nothing could be read from it: {first.reason}")


def read_file(source: Source) -> tuple[LogFormat | None, list[Scalars]]:
    """A file's format and its scalars by run; None and none for an unknown format. LogError for a damaged log."""
    try:
        with source.path.open("rb") as file:
            head = file.read(2 * HEAD_BYTES)
            log_format = detect_format(head, source.path)
            if log_format is None and head.strip():  # the rest may be large
                return None, []
            file.seek(0)
            data = file.read() if log_format is None or log_format.content != "path" else b""
    except OSError as error:
        raise source.error(f"it cannot be opened ({error.strerror})") from None
    if log_format is None:
        raise source.error("it is empty")
    entry = cache.entry_of(data, source)
    if entry and (cached := cache.load(entry, source)) is not None:
        if log_format.name == "notebook":  # which may lie elsewhere now
            cached = [replace(part, notebook=source.path) for part in cached]
        return log_format, cached
    scalars = parse_scalars(log_format, data, source)
    if entry:
        cache.store(entry, scalars, source)
    return log_format, scalars


def read_head(source: Source) -> tuple[LogFormat, list[Scalars]] | None:
    """What the first lines of a long log hold; None for a file that can only be read as a whole. LogError as above."""
    try:
        with source.path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise source.error(f"it cannot be opened ({error.strerror})") from None
    if len(head) < HEAD_BYTES:
        return None
    first = head[: head.rfind(b"\n", 0, LISTED_BYTES) + 1]
    log_format = detect_format(first, source.path) or detect_format(head, source.path)
    if log_format is None or not log_format.appended or log_format.content == "path":
        return None
    first = first if log_format.content == "text" else head
    end, _ = log_format.find_end(first, source)
    scalars = parse_scalars(log_format, first[:end], source) if end else []
    return (log_format, scalars) if any(map(len, scalars)) else None


def parse_scalars(log_format: LogFormat, data: bytes, source: Source) -> list[Scalars]:
    """The scalars by run that a format's reader finds; LogError also for what the reader did not expect."""
    try:
        return log_format.read(to_utf8(data) if log_format.content == "text" else data, source)
    except (ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
        raise source.error(f"its content is unexpected ({type(error).__name__}: {error})") from error


def detect_format(data: bytes, path: Path) -> LogFormat | None:
    """The format of a file from its first bytes."""
    for log_format in FORMATS:
        if log_format.content != "text" and log_format.matches(data, path):
            return log_format
    # An even number of bytes, so that UTF-16 is not cut within a character.
    head = to_utf8(data[: 2 * HEAD_BYTES])[:HEAD_BYTES]
    if not head.strip() or is_binary(head):
        return None
    text = head.decode("utf-8", errors="replace")
    texts = (log_format for log_format in FORMATS if log_format.content == "text")
    return next((log_format for log_format in texts if log_format.matches(text, path)), None)


def scalars_by_run(files: list[FileScalars], root: Path) -> dict[str, list[Scalars]]:
    """The runs of a tree by name, as ``build_frame`` takes them."""
    by_folder = {folder: name_by_datastore(own) for folder, own in group_by_run(files, root).items()}
    runs: dict[str, list[Scalars]] = {}
    for folder, name in run_names(by_folder).items():
        for run in dict.fromkeys(file.scalars.run for file in by_folder[folder]):
            run_files = [file for file in by_folder[folder] if file.scalars.run == run]
            runs[run if run and run not in runs else f"{name}/{run}" if run else name] = merge_files(run_files)
    return runs


def candidate_files(folder: Path) -> Iterator[Path]:
    """The files of a tree that may be logs, in a fixed order."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if is_candidate(name) and path.is_file():
                yield path


def is_candidate(name: str) -> bool:
    """Whether a file of this name may be a log."""
    is_other = name.startswith(".") or name in OTHER_NAMES or OTHER_SUFFIXES.fullmatch(Path(name).suffix)
    return not is_other


def _read_tree(folder: Path, step: str | None) -> pd.DataFrame:
    files: list[FileScalars] = []
    skipped: list[SkippedLine] = []
    skipped_total = 0
    for path in candidate_files(folder):
        source = Source(path, step)
        try:
            log_format, scalars = read_file(source)
            files += [FileScalars(log_format, run_scalars, path) for run_scalars in scalars if log_format]
        except NotALog:
            continue
        except LogError as error:
            source.skip(error.line, error.reason)
        skipped += source.skipped
        skipped_total += source.skipped_total
    if not files:
        example = f": {skipped[0].path} is none, {skipped[0].reason}" if skipped else ""
        raise LogError(folder, None, f"it holds no log of a known format{example}")
    runs = scalars_by_run(files, folder)
    raise_if_nothing_was_read(runs, skipped, skipped_total)
    return build_frame(runs, skipped, skipped_total)
