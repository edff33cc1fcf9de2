"""A log, a folder of logs or a tree of such folders -> one tidy frame."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ganlib.logs.frame import LogError, Scalars, Skipped, build
from ganlib.logs.merging import Part, by_run, merged
from ganlib.logs.readers import EVENTS, FORMATS, Format
from ganlib.logs.readers.source import NoLog, Source, is_binary, utf8
from ganlib.naming import run_names

HEAD = 2**16  # bytes that decide about the format
# What lies beside logs and is none: not even opened.
OTHER = re.compile(
    r"\.(?:pth?|pkl|pickle|ckpt|safetensors|np[yz]|h5|hdf5|onnx|bin|zip|gz|xz|tar|png|jpe?g|gif|webp|bmp|mp4|avi|pdf"
    r"|svg|html|py|ipynb|md|ya?ml|toml|sh|css|js|so|lock|wandb)",
    re.IGNORECASE,
)


def read(path: Path | str, step: str | None = None) -> pd.DataFrame:
    """The scalars of a log, of a run's folder or of a tree of runs: ``run, step, wall_time, tag, value, original,
    segment``, a row per scalar.

    ``step`` names the column that counts where a table has several. The format is found by content. In ``attrs``:
    ``step_unit`` ("steps", "images", "epochs" or "mixed"), ``step_units`` by run, ``skipped`` (the first lines left
    out, with the reason) and ``skipped_total``. LogError if nothing could be read.
    """
    path = Path(path).absolute()
    if path.is_dir():
        return _tree(path, step)
    source = Source(path, step)
    found = read_file(source)
    if found is None:
        raise source.error("it is in none of the known formats (CSV, JSON, TensorBoard events, text logs)")
    runs: dict[str, list[Scalars]] = {}
    for scalars in found[1]:
        runs.setdefault(scalars.run or path.stem, []).append(scalars)
    return build(runs, source.skipped, source.total)


def read_file(source: Source) -> tuple[Format, list[Scalars]] | None:
    """What a file holds, and its format; None for a file of no known one. LogError for a damaged log."""
    try:
        with source.path.open("rb") as file:
            head = file.read(2 * HEAD)
            form = recognised(head, source.path)
            if form is None and head.strip():  # the rest may be large
                return None
            file.seek(0)
            data = file.read()
    except OSError as error:
        raise source.error(f"it cannot be opened ({error.strerror})") from None
    if form is None:
        raise source.error("it is empty")
    return form, scalars_of(form, data, source)


def scalars_of(form: Format, data: bytes, source: Source) -> list[Scalars]:
    """What a format's reader finds; LogError also for what the reader did not foresee."""
    try:
        return form.read(data if form is EVENTS else utf8(data), source)
    except (ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
        raise source.error(f"something in it is unforeseen ({type(error).__name__}: {error})") from error


def recognised(data: bytes, path: Path) -> Format | None:
    """The format of a file that begins so."""
    if EVENTS.matches(data, path):
        return EVENTS
    # An even number of bytes, so that UTF-16 is not cut within a character.
    head = utf8(data[: 2 * HEAD])[:HEAD]
    if not head.strip() or is_binary(head):
        return None
    start = head.decode("utf-8", errors="replace")
    return next((form for form in FORMATS if form.matches(start, path)), None)


def assembled(parts: list[Part], root: Path) -> dict[str, list[Scalars]]:
    """The runs of a tree by name, as ``build`` takes them."""
    found = by_run(parts, root)
    runs: dict[str, list[Scalars]] = {}
    for home, name in run_names(found).items():
        for run in dict.fromkeys(part.scalars.run for part in found[home]):
            of_run = [part for part in found[home] if part.scalars.run == run]
            runs[run if run and run not in runs else f"{name}/{run}" if run else name] = merged(of_run)
    return runs


def _tree(folder: Path, step: str | None) -> pd.DataFrame:
    parts: list[Part] = []
    skipped: list[Skipped] = []
    total = 0
    for path in candidates(folder):
        source = Source(path, step)
        try:
            form, found = read_file(source) or (None, [])
            parts += [Part(form, scalars, path) for scalars in found if form]
        except NoLog:
            continue
        except LogError as error:
            source.skip(error.line, error.reason)
        skipped += source.skipped
        total += source.total
    if not parts:
        because = f": {skipped[0].path} is none, {skipped[0].reason}" if skipped else ""
        raise LogError(folder, None, f"it holds no log of a known format{because}")
    return build(assembled(parts, folder), skipped, total)


def candidates(folder: Path) -> Iterator[Path]:
    """The files of a tree that may be logs, in a fixed order."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and not OTHER.fullmatch(path.suffix) and path.is_file():
                yield path
