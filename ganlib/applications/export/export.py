"""Exports a labelled set of a run's images, and goes on where an interrupted export stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from ganlib.applications.export.card import data_card
from ganlib.applications.export.config import ExportConfig
from ganlib.applications.export.copies import REPORT, Render, Sample, examine
from ganlib.applications.export.filters import filter_identities, load_filters
from ganlib.applications.export.formats import (
    Encoded,
    FolderWriter,
    ShardWriter,
    Writer,
    ZipWriter,
    class_folders,
    complete_zip,
)
from ganlib.applications.export.manifest import MANIFEST, Manifest, Row
from ganlib.applications.export.selection import Picture, Selection, samples_of
from ganlib.devices import tasks_at_once
from ganlib.errors import GanlibError
from ganlib.files import (
    DAMAGED_ARCHIVE,
    PARTIAL,
    holding,
    open_zip,
    parse_json,
    read_json,
    remove_partial_files,
    write_atomically,
)
from ganlib.images import png
from ganlib.models import GenerativeModel
from ganlib.provenance import now, versions
from ganlib.runs import Run
from ganlib.sampling import CHUNK, check_options

HEADER, CARD = "export.json", "README.md"
IMAGES = "images.zip"  # of a ZIP that is not whole yet
LARGEST_HEADER = 1_000_000  # bytes
UNLABELLED = "images"  # the folder where there are no classes

Progress = Callable[[str, int, int], None]  # (stage, images done, images in all)


@dataclass(frozen=True)
class Export:
    path: Path  # a folder, or a ZIP
    images: int
    resumed: int  # of them were there already


def export(
    run: Run,
    path: Path,
    config: ExportConfig,
    device: torch.device,
    options: dict[str, Any] | None = None,
    progress: Progress = lambda stage, done, total: None,
    report: Render | None = None,
) -> Export:
    """Images of every class into ``path``; GanlibError where that holds something else, or a filter lets too few pass.

    ``report`` makes the HTML of the search for copies of training images, which is CSV without it.

    A process that is killed leaves images that do not count: only what the manifest names is there.
    """
    model = run.load(device)
    if not isinstance(model, GenerativeModel):
        raise GanlibError(f"{run.name} generates no images; choose a run that does.")
    options = check_options(model, options or {})
    quotas = config.quotas(len(run.classes) if model.conditional else 1)
    header = _header(run, config, options)
    folder = path.with_name(f"{path.name}.partial") if config.format == "zip" else path
    if config.format == "zip" and path.exists():
        _require_same(path, _header_of_zip(path), header)
        shutil.rmtree(folder, ignore_errors=True)  # of an export that was killed just before its end
        return Export(path, sum(quotas), sum(quotas))
    filters = load_filters(
        run,
        device,
        min_confidence=config.min_confidence,
        min_distance=config.min_distance,
        data_root=config.data_root or None,
    )
    _begin(folder, path, header)
    with holding(folder) as alone:
        if not alone:
            raise GanlibError(f"Another process is exporting to {path}; wait for it, or choose another --out.")
        for part in (folder, *filter(Path.is_dir, folder.iterdir())):
            remove_partial_files(part, below=True)
        manifest = Manifest(folder / MANIFEST, options, run.weights_hash)
        manifest.cut()
        drawn = CHUNK * tasks_at_once(device)  # at a time
        selection = Selection(samples_of(model, options), quotas, config.first_seed, filters, model.conditional, drawn)
        selection.skip(row.seed for row in manifest.rows())
        resumed, sample = sum(selection.accepted), Sample(selection.total)
        with closing(_writer(folder, config, manifest, resumed)) as writer:
            _write(selection, writer, manifest, run.classes if model.conditional else (), sample, progress)
        progress("compared with training images", 0, 1)
        copies = examine(run, config, manifest, selection, sample, report)
        for name in REPORT:
            if name in copies.files:
                write_atomically(folder / name, copies.files[name])
            else:
                (folder / name).unlink(missing_ok=True)
        card = data_card(run, config, options, header["filters"], selection, copies)
        write_atomically(folder / CARD, card.encode())
        if config.format == "zip":
            complete_zip(folder / IMAGES, [folder / name for name in (HEADER, MANIFEST, *copies.files, CARD)], path)
            shutil.rmtree(folder, ignore_errors=True)
    return Export(path, sum(quotas), resumed)


def _writer(folder: Path, config: ExportConfig, manifest: Manifest, images: int) -> Writer:
    if config.format == "webdataset":
        return ShardWriter(folder, config.shard, -(-images // config.shard))
    if config.format == "zip":
        return ZipWriter(folder / IMAGES, (row.file for row in manifest.rows()))
    return FolderWriter(folder)


def _write(
    selection: Selection,
    writer: Writer,
    manifest: Manifest,
    classes: Sequence[str],
    sample: Sample,
    progress: Progress,
) -> None:
    """One part is encoded and written while the next is generated."""
    folders, done = class_folders(classes), sum(selection.accepted)

    def store(part: list[Picture]) -> list[Row]:
        rows = [_row(picture, classes, folders) for picture in part]
        contents = encoders.map(lambda picture: png(picture.image), part)
        return writer.write([Encoded(row, content) for row, content in zip(rows, contents, strict=True)])

    with ThreadPoolExecutor(2) as encoders, ThreadPoolExecutor(1) as storing:
        pending: Future[list[Row]] | None = None
        for part in selection:
            if pending:
                manifest.append(pending.result())
            pending = storing.submit(store, part)
            sample.keep(done, part)
            done += len(part)
            progress("exported", done, selection.total)
        if pending:
            manifest.append(pending.result())
        if rows := writer.finish():
            manifest.append(rows)


def _row(picture: Picture, classes: Sequence[str], folders: Sequence[str]) -> Row:
    label = picture.label
    folder = UNLABELLED if label is None else folders[label]
    name = "" if label is None else classes[label]
    return Row(f"{folder}/{picture.seed:010d}.png", picture.seed, name, label, picture.scores)


def _header(run: Run, config: ExportConfig, options: dict[str, Any]) -> dict[str, Any]:
    """What the images depend on; where the data set lies does not."""
    fields_of_images = {f.name: config.to_dict()[f.name] for f in fields(config) if f.name != "data_root"}
    return {
        "run": run.name,
        "model": run.model_name,
        "data": run.data_name,
        "weights_sha256_12": run.weights_hash,
        "options": options,
        "export": fields_of_images,
        "filters": filter_identities(run, min_confidence=config.min_confidence, min_distance=config.min_distance),
    }


def _begin(folder: Path, path: Path, header: dict[str, Any]) -> None:
    """Make the folder, or see that an export of the very same images began in it."""
    file = folder / HEADER
    if file.exists():
        try:
            found = read_json(file)
        except ValueError:
            found = None
        _require_same(path, found, header)
    elif folder.exists() and (not folder.is_dir() or not all(p.name.endswith(PARTIAL) for p in folder.iterdir())):
        raise GanlibError(f"{folder} holds other files; choose an empty or new folder for --out.")
    else:
        content = header | {"versions": versions(), "created": now()}
        write_atomically(file, json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")


def _require_same(path: Path, found: Any, header: dict[str, Any]) -> None:
    if not isinstance(found, dict):
        raise GanlibError(f"{path} holds something else than an export; choose another --out.")
    for name, value in header.items():
        if name == "filters" and name not in found:  # earlier versions did not say what judged
            continue
        if found.get(name) != value:
            what = _other_filter(found[name], value) if name == "filters" else f"with another {name}"
            raise GanlibError(f"{path} holds an export {what}; choose another --out.")


def _other_filter(found: Any, here: dict[str, str]) -> str:
    """Of two that differ, the first that does."""
    of_old = found if isinstance(found, dict) else {}
    name = next((name for name in here if of_old.get(name) != here[name]), "")
    judges = {"confidence": "another classifier", "distance": "other training and test images"}
    old = str(of_old.get(name, "unknown"))[:12]
    return f"filtered by {judges.get(name, 'others')} ({old}) than are here now ({here.get(name, 'none')})"


def _header_of_zip(path: Path) -> Any:
    try:
        with open_zip(path) as archive, archive.open(HEADER) as file:
            return parse_json(file.read(LARGEST_HEADER))
    except DAMAGED_ARCHIVE:
        return None
