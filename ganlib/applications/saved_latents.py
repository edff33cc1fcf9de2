"""Latents in files: of a picture that was inverted, or of a seed, with the class they belong to.

RUN/latents/NAME.safetensors
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from ganlib.applications.storage import NAME
from ganlib.devices import on_device
from ganlib.errors import GanlibError, shortened
from ganlib.files import parse_json, write_atomically
from ganlib.models import GenerativeModel, Latents
from ganlib.provenance import versions
from ganlib.runs import Run
from ganlib.sampling.generate import fill_up
from ganlib.sampling.request import SavedLatents
from ganlib.settings import require_writable
from ganlib.tensors import LARGEST_LATENTS, read_safetensors

ENDING = ".safetensors"
UNREADABLE = (SafetensorError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


def latents_folder(run: Run) -> Path:
    return run.path / "latents"


def check_latents_name(name: str) -> None:
    """GanlibError for one that is no file name."""
    if not NAME.fullmatch(name) or name.endswith(ENDING):
        raise GanlibError(
            f"{name!r} cannot name latents: it takes up to 64 letters, digits, spaces or .+- and begins with a letter."
        )


def save_latents(run: Run, name: str, latents: Latents, label: int | None) -> Path:
    """Latents of one image into the run's folder. GanlibError for a name that is no file name."""
    require_writable()
    check_latents_name(name)
    file = latents_folder(run) / f"{name}{ENDING}"
    about = {
        "weights_sha256_12": run.weights_hash,
        "run": run.name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "space": latents.space,
        "class": label,
    }
    tensors = {"z": latents.z.cpu().contiguous(), "seeds": latents.seeds.contiguous()}
    write_atomically(file, save(tensors, {"ganlib": json.dumps(about)}))
    return file


def latents_file(run: Run, name: str) -> Path:
    """Of latents by name, or the path itself where it ends in .safetensors. GanlibError where there is none."""
    file = Path(name) if name.endswith(ENDING) else latents_folder(run) / f"{name}{ENDING}"
    if not file.is_file() or not (name.endswith(ENDING) or NAME.fullmatch(name)):
        raise _no_latents(run, name)
    return file


def _no_latents(run: Run, name: str) -> GanlibError:
    known = ", ".join(sorted(path.stem for path in latents_folder(run).glob(f"*{ENDING}"))) or "none"
    return GanlibError(f"{run.name} has no latents {shortened(name)}; it has {known}.")


def load_latents(run: Run, name: str) -> tuple[Latents, int | None]:
    """Latents of one image on the CPU and its class; GanlibError where there are none, or those of other weights."""
    file = latents_file(run, name)
    try:
        tensors, metadata = read_safetensors(file, LARGEST_LATENTS)
        about = _read_about(metadata)
        _check_weights(file, run, about)
        z, seeds = tensors["z"], tensors["seeds"]
        label = None if about["class"] is None else int(about["class"])
        latents = Latents(z.float(), seeds, str(about["space"]))
        if z.ndim < 2 or len(z) != 1 or seeds.shape != (1,):
            raise ValueError("it is not of one image")
        _check_label(run, label)
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:100]
        raise GanlibError(f"{file} holds no latents that can be read ({reason}); invert the picture again.") from None
    return latents, label


def find_latents(run: Run, name: str, *, files: bool = True) -> SavedLatents:
    """The request for latents by name or, with ``files``, by a path, with their class. GanlibError as of
    ``load_latents``.
    """
    if not files and name.endswith(ENDING):
        raise _no_latents(run, name)
    _, label = load_latents(run, name)
    return SavedLatents(name, label)


def list_latents(run: Run) -> tuple[dict[str, int | None], list[str]]:
    """Name -> class of those in the run's folder, and a sentence for each file that cannot be used."""
    labels: dict[str, int | None] = {}
    errors: list[str] = []
    for file in sorted(latents_folder(run).glob(f"*{ENDING}")):
        try:
            _, labels[file.stem] = load_latents(run, file.stem)
        except GanlibError as error:
            errors.append(str(error))
    return labels, errors


def stack_latents(
    run: Run,
    model: GenerativeModel,
    sources: Sequence[int | SavedLatents],
    labels: Sequence[int] | None,
    space: str = "z",
) -> Latents:
    """Latents of seeds and of files, in order, on the model's device: in the first space, from ``space`` on, that all
    of them reach. ``labels``: one each, None of an unconditional model.
    """
    loaded = [None if isinstance(source, int) else load_latents(run, source.name)[0] for source in sources]
    order = list(model.spaces)
    for source, latents in zip(sources, loaded, strict=True):
        if latents is not None and latents.space not in order:
            raise GanlibError(f"The latents {source} are of {latents.space}, which {run.name} does not have.")
    space = max([space, *(latents.space for latents in loaded if latents)], key=order.index)
    y = None if labels is None else torch.as_tensor(labels)

    def compute() -> Latents:
        rows = fill_up(slice(0, len(sources)), len(sources) + 4)
        seeds = [source if isinstance(source, int) else 0 for source in sources]
        drawn = model.latents([seeds[i] for i in rows.tolist()])
        mapped = model.map(drawn, None if y is None else y[rows], space)[: len(sources)]
        parts = [mapped[torch.tensor([i])] if latents is None else latents for i, latents in enumerate(loaded)]
        points = [_map(model, part, y, i, space).z.to(mapped.z) for i, part in enumerate(parts)]
        for source, point in zip(sources, points, strict=True):
            if point.shape[1:] != mapped.z.shape[1:]:
                raise GanlibError(f"The latents {source} are not of this model's shape; invert the picture again.")
        return Latents(torch.cat(points), torch.cat([part.seeds for part in parts]), space)

    return on_device(model.device, compute)


def _map(model: GenerativeModel, latents: Latents, labels: Tensor | None, row: int, space: str) -> Latents:
    """Of one image, into ``space``."""
    if latents.space == space:
        return latents
    here = replace(latents, z=latents.z.to(model.device))
    return model.map(here, None if labels is None else labels[row : row + 1], space)


def _read_about(metadata: dict[str, str]) -> dict[str, Any]:
    about = parse_json(metadata["ganlib"])
    if not isinstance(about, dict):
        raise TypeError("its description is no object")
    return about


def _check_label(run: Run, label: int | None) -> None:
    if label is not None and not 0 <= label < run.config.num_classes:
        raise ValueError(f"class {label}")


def _check_weights(file: Path, run: Run, about: dict[str, Any]) -> None:
    if about["weights_sha256_12"] != run.weights_hash:
        raise GanlibError(
            f"{file} holds latents of other weights ({about['weights_sha256_12']}); invert the picture again."
        )
