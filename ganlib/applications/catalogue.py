"""Directions by name: found and measured once for a run's weights, or saved in the run's folder.

sefa-1, pca-2      of a method and its rank           sefa-1@0-3   of a range of styles' layers
brightness, class-3 along which a statistic or the log probability of a class grows
anything else      saved: RUN/directions/NAME.safetensors, with how it came about and what it changes
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganlib.applications.directions import Direction
from ganlib.applications.discovery import (
    closed_form,
    draw,
    first_activations,
    images_of,
    principal_components,
    projections,
    regression,
)
from ganlib.applications.effects import Effect, Measure, Measured, measure_directions
from ganlib.applications.statistics import STATISTICS
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.models import GenerativeModel
from ganlib.naming import nearest_names
from ganlib.provenance import versions
from ganlib.runs import Run
from ganlib.settings import direction_cache

METHODS = {
    "sefa": "closed-form factorisation of the layers that read the latent",
    "pca": "principal components of styles, or of the activations that follow the latent",
    "statistics": "regression of brightness, colour, size, … on the latent, each apart from the others",
    "classes": "regression of the classifier's log probabilities on the latent",
}
COUNT = 8  # directions of a method that ranks them
FOUND_ON = range(1_000_000, 1_002_000)  # seeds
MEASURED_ON = range(100)  # other seeds
VERSION = 1  # of what is found and measured: raise it when a number changes
LARGEST_LATENT = 4_096  # values of a latent beyond which its covariance is not computed

_NAME = re.compile(r"[\w][\w .+-]{0,63}")


def space_of(model: GenerativeModel) -> str:
    """Where directions are looked for: styles, where the model has them."""
    return "w" if "w" in model.spaces else "z"


def methods_of(model: GenerativeModel) -> list[str]:
    """Those of ``METHODS`` that this model admits. A diffusion model's latent is an image of noise: none of it is read
    at once."""
    if model.family == "diffusion" or torch.Size(model.latent_shape).numel() > LARGEST_LATENT:
        return []
    return list(METHODS)


def find_directions(
    run: Run,
    model: GenerativeModel,
    method: str,
    measure: Measure,
    *,
    count: int = COUNT,
    layers: tuple[int, int] | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> dict[str, Measured]:
    """Name -> direction, of ``run``'s present weights; the second call reads them from the cache.

    ``layers``, of sefa and pca: first and last, exclusive, of the layers whose styles move. GanlibError for a method
    that the model does not admit or layers that it does not have.
    """
    _check(run, model, method, layers)
    suffix = f"@{layers[0]}-{layers[1]}" if layers else ""
    file = direction_cache() / f"{run.weights_hash}-{method}{suffix}-{count}-{VERSION}.safetensors"
    with suppress(GanlibError):
        return read_directions(file, run.weights_hash)
    with torch.inference_mode():
        directions = _find(model, method, measure, count, layers)
    names = [f"{method}-{i}{suffix}" for i in range(1, len(directions) + 1)]
    if method in ("statistics", "classes"):
        names = [direction.method for direction in directions]
    measured = measure_directions(
        model, directions, measure, MEASURED_ON, lambda done, total: progress("directions measured", done, total)
    )
    result = dict(zip(names, measured, strict=True))
    with suppress(GanlibError):  # a cache that cannot be written costs the next call its time
        write_directions(file, result, run, {"found_on": f"{FOUND_ON.start}-{FOUND_ON.stop - 1}"})
    return result


def _check(run: Run, model: GenerativeModel, method: str, layers: tuple[int, int] | None) -> None:
    if method not in METHODS:
        raise GanlibError(f"There is no method {method!r} to find directions; choose {', '.join(METHODS)}.")
    if method not in methods_of(model):
        raise GanlibError(
            f"Directions are not looked for in {run.name}: its latent has {torch.Size(model.latent_shape).numel():,} "
            "values that spread over the whole image; interpolate between seeds instead."
        )
    if not layers:
        return
    if "w+" not in model.spaces or method not in ("sefa", "pca"):
        raise GanlibError(f"Ranges of layers are for sefa and pca of models with styles, not {method} of {run.name}.")
    total = model.map(model.latents([0]), None if not model.conditional else torch.zeros(1, dtype=torch.int64), "w+")
    if not 0 <= layers[0] < layers[1] <= total.z.shape[1]:
        raise GanlibError(f"{run.name} has the layers 0 to {total.z.shape[1] - 1}, not {layers[0]} to {layers[1] - 1}.")


def _find(
    model: GenerativeModel, method: str, measure: Measure, count: int, layers: tuple[int, int] | None
) -> list[Direction]:
    space = space_of(model)
    sample = draw(model, FOUND_ON, space)
    if method == "sefa":
        readers = projections(model, "w+" if layers else space)
        if not readers:
            raise GanlibError("No layer of this model reads its latent linearly; choose another method than sefa.")
        return closed_form(sample, readers, count, layers)
    if method == "pca":
        features = None if space != "z" else first_activations(model, sample)
        directions = principal_components(sample, count, features)
        return [Direction(d.vector, d.space, d.method, layers) for d in directions]
    values = images_of(model, sample, measure)
    chosen = {name: v for name, v in values.items() if (name in STATISTICS) == (method == "statistics")}
    if not chosen:
        raise GanlibError("Directions of classes need a classifier of the run's data set; train one, or choose sefa.")
    return regression(sample, chosen, independent=method == "statistics")


def write_directions(file: Path, directions: dict[str, Measured], run: Run, provenance: dict[str, Any]) -> None:
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
        with safe_open(file, "pt") as content:
            about = json.loads(content.metadata()["ganlib"])
            vectors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118  # no mapping
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


def save_direction(run: Run, name: str, source: str, measured: Measured) -> Path:
    """Into the run's folder under a name of the user's; ``source`` is the direction's name where it was found.

    GanlibError for a name that is no file name, or is that of a method's direction.
    """
    if not _NAME.fullmatch(name) or name.partition("-")[0] in (*METHODS, "class") or name in STATISTICS:
        raise GanlibError(
            f"{name!r} cannot name a direction: it takes up to 64 letters, digits, spaces or .+-, and not the name of "
            "one that is found."
        )
    file = saved_folder(run) / f"{name}.safetensors"
    write_directions(file, {name: measured}, run, {"source": source})
    return file


def saved_directions(run: Run) -> tuple[dict[str, Measured], list[str]]:
    """Those of the run's folder by name, and a sentence for each file that cannot be used."""
    result: dict[str, Measured] = {}
    errors: list[str] = []
    for file in sorted(saved_folder(run).glob("*.safetensors")):
        try:
            result |= read_directions(file, run.weights_hash)
        except GanlibError as error:
            errors.append(str(error))
    return result, errors


@dataclass(frozen=True)
class Edit:
    """A direction's name and how far to go along it, in deviations."""

    name: str
    strength: float


def parse_edits(text: str) -> tuple[Edit, ...]:
    """ "sefa-1=2,brightness=-0.5" -> edits; GanlibError where it is no such list."""
    edits = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.rpartition("=")
        try:
            strength = float(number)
        except ValueError:
            strength = float("nan")
        if not equals or not name.strip() or not abs(strength) <= 1e3:
            raise GanlibError(f"{part!r} is no edit; write a direction and how far to go, like sefa-1=2.")
        edits.append(Edit(name.strip(), strength))
    return tuple(edits)


def format_edits(edits: Sequence[Edit]) -> str:
    return ",".join(f"{edit.name}={edit.strength:g}" for edit in edits)


def resolve(run: Run, model: GenerativeModel, edits: Sequence[Edit], measure: Measure) -> list[tuple[Direction, float]]:
    """Each edit's direction with its strength, found or read where it is not known yet."""
    saved, _ = saved_directions(run)
    resolved = []
    for edit in edits:
        if edit.name in saved:
            resolved.append((saved[edit.name].direction, edit.strength))
            continue
        method, layers, rank = _parse_name(edit.name)
        directions = find_directions(run, model, method, measure, layers=layers, count=max(COUNT, rank))
        if edit.name not in directions:
            near = nearest_names(edit.name, [*saved, *directions])
            raise GanlibError(f"{run.name} has no direction {edit.name!r}; it has {', '.join(near)}.")
        resolved.append((directions[edit.name].direction, edit.strength))
    return resolved


def _parse_name(name: str) -> tuple[str, tuple[int, int] | None, int]:
    """ "sefa-3@0-4" -> its method, layers and rank."""
    if match := re.fullmatch(r"(sefa|pca)-([1-9]\d{0,2})(?:@(\d{1,3})-(\d{1,3}))?", name):
        layers = (int(match[3]), int(match[4])) if match[3] else None
        return match[1], layers, int(match[2])
    return ("statistics" if name in STATISTICS else "classes"), None, 0
