"""Directions in files.

RUN/directions/NAME.safetensors   a direction, how it was found, what it changes; sets of them in the cache
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from ganlib.applications.directions import Direction
from ganlib.applications.effects import ATTRIBUTE, CLASS, Effect, Measured
from ganlib.applications.statistics import STATISTICS
from ganlib.errors import GanlibError, shortened
from ganlib.files import parse_json, write_atomically
from ganlib.provenance import versions
from ganlib.runs import Run
from ganlib.settings import require_writable
from ganlib.tensors import LARGEST_LATENTS, read_safetensors

NAME = re.compile(r"[^\W\d][\w .+-]{0,63}")  # of a file that a user names
_FOUND = (CLASS, ATTRIBUTE, "label-")  # beginnings of names that a method gives
_RANKED = re.compile(r"(sefa|pca)-\d")


def write_directions(file: Path, directions: dict[str, Measured], run: Run, **provenance: Any) -> None:
    tensors: dict[str, Tensor] = {name: m.direction.vector.contiguous() for name, m in directions.items()}
    about = {
        "weights_sha256_12": run.weights_hash,
        "run": run.name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        **provenance,
        "directions": {
            name: {
                "space": m.direction.space,
                "method": m.direction.method,
                "layers": m.direction.layers,
                "seeds": m.seeds,
                "effects": [asdict(effect) for effect in m.effects],
            }
            for name, m in directions.items()
        },
    }
    write_atomically(file, save(tensors, {"ganlib": json.dumps(about)}))


def read_directions(file: Path, weights_hash: str) -> dict[str, Measured]:
    """GanlibError for a file that is none, or holds directions of other weights."""
    try:
        vectors, metadata = read_safetensors(file, LARGEST_LATENTS)
        about = parse_json(metadata["ganlib"])
        result: dict[str, Measured] = {}
        for name, entry in about["directions"].items():
            layers = (int(entry["layers"][0]), int(entry["layers"][1])) if entry["layers"] else None
            direction = Direction(vectors[name].float(), str(entry["space"]), str(entry["method"]), layers)
            effects = tuple(Effect(str(e["name"]), float(e["monotone"]), float(e["change"])) for e in entry["effects"])
            result[name] = Measured(direction, effects, int(entry["seeds"]))
        of = about["weights_sha256_12"]
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:100]
        raise GanlibError(f"{file} holds no directions that can be read ({reason}); find them again.") from None
    if of != weights_hash:
        raise GanlibError(f"{file} holds directions of other weights ({of}, not {weights_hash}); find them again.")
    return result


def saved_folder(run: Run) -> Path:
    return run.path / "directions"


def check_direction_name(name: str) -> None:
    """GanlibError for one that is no file name, or is that of a method's direction."""
    found = _RANKED.match(name) or name.startswith(_FOUND) or name in STATISTICS
    if not NAME.fullmatch(name) or found:
        raise GanlibError(
            f"{shortened(name)} cannot name a direction: it takes up to 64 letters, digits, spaces or .+-, begins with "
            "a letter, and is not the name of one that is found."
        )


def save_direction(run: Run, name: str, source: str, measured: Measured) -> Path:
    """Into the run's folder under a name of the user's; ``source`` is the direction's name where it was found.

    GanlibError for a name that is no file name, or is that of a method's direction.
    """
    require_writable()
    check_direction_name(name)
    file = saved_folder(run) / f"{name}.safetensors"
    write_directions(file, {name: measured}, run, source=source)
    return file


def saved_directions(run: Run) -> tuple[dict[str, Measured], list[str]]:
    """Those of the run's folder by name, and a sentence for each file that cannot be used."""
    result: dict[str, Measured] = {}
    errors: list[str] = []
    for file in sorted(saved_folder(run).glob("*.safetensors")):
        try:
            directions = read_directions(file, run.weights_hash)
        except GanlibError as error:
            errors.append(str(error))
            continue
        try:
            for name in directions:
                check_direction_name(name)
        except GanlibError as error:
            errors.append(f"{file}: {error}")
            continue
        result |= directions
    return result, errors
