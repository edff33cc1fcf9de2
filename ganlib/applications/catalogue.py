"""Directions by name, found and measured once for a run's weights.

sefa-1, pca-2        of a method and its rank         sefa-1@0-3         of a range of styles' layers
brightness, size     along which a statistic grows    class-3            along which a class's log probability grows
label-3              to the mean style of a class     attribute-Smiling  along which an attribute's log odds grow
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganlib.applications.classifier import classifier_hash, load_classifier
from ganlib.applications.directions import Direction
from ganlib.applications.discovery import (
    closed_form,
    difference,
    first_activations,
    images_of,
    principal_components,
    regression,
)
from ganlib.applications.effects import Measure, Measured, measure_directions, measure_of
from ganlib.applications.projections import Sample, draw, projections
from ganlib.applications.statistics import STATISTICS
from ganlib.applications.storage import read_directions, write_directions
from ganlib.data.attributes import split_class
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from ganlib.settings import direction_cache

METHODS = {
    "sefa": "closed-form factorisation of the layers that read the latent",
    "pca": "principal components of styles, or of the activations that follow the latent",
    "statistics": "regression of brightness, colour, size, … on the latent, each apart from the others",
    "classes": "regression of the classifier's log probabilities on the latent",
    "attributes": "regression of the classifier's log odds of each attribute on the latent, each apart from the others",
    "labels": "from the mean style of the images without a class or an attribute to that of those with it",
}
COUNT = 8  # directions of a method that ranks them
FOUND_ON = range(1_000_000, 1_002_000)  # seeds
MEASURED_ON = range(100)  # other seeds
BY_CLASSIFIER = ("classes", "attributes")  # methods whose directions depend on it
LABEL = "label-"  # before a class's number or an attribute's name
VERSION = 1  # of what is found and measured: raise it when a number changes
LARGEST_LATENT = 4_096  # values of a latent beyond which its covariance is not computed


def space_of(model: GenerativeModel) -> str:
    """Where directions are looked for: styles, where the model has them."""
    return "w" if "w" in model.spaces else "z"


def has_directions(model: GenerativeModel) -> bool:
    """Not of a diffusion model: its latent is an image of noise, none of which is read at once."""
    return model.family != "diffusion" and torch.Size(model.latent_shape).numel() <= LARGEST_LATENT


def methods_of(run: Run, model: GenerativeModel) -> list[str]:
    """Those of ``METHODS`` that this run admits: attributes in place of classes where it has them; labels where styles
    depend on the class.
    """
    if not has_directions(model):
        return []
    left_out = {"classes" if run.recipe.data.attributes else "attributes"}
    left_out |= set() if model.conditional and space_of(model) == "w" else {"labels"}
    return [method for method in METHODS if method not in left_out]


def measure_for(run: Run, device: torch.device) -> Measure:
    """Image statistics and, where there is a classifier of the run's data set, the log probabilities of its classes."""
    return measure_of(load_classifier(run, device), run.recipe.data.attributes)


def find_directions(
    run: Run,
    model: GenerativeModel,
    method: str,
    measure: Measure | None = None,
    *,
    count: int = COUNT,
    layers: tuple[int, int] | None = None,
) -> dict[str, Direction]:
    """Name -> direction, of ``run``'s present weights; a second call reads them from the cache.

    ``layers``, of sefa and pca: first and last, exclusive, of the layers whose styles move. GanlibError for a method
    that the model does not admit or layers that it does not have. ``measure`` is what statistics and classes regress.
    """
    _check(run, model, method, layers)
    file = _cache_file(run, "found", method, layers, count)
    with suppress(GanlibError):
        return {name: measured.direction for name, measured in read_directions(file, run.weights_hash).items()}
    with torch.inference_mode():
        found = dict(zip(*_find(run, model, method, measure, count, layers), strict=True))
    with suppress(GanlibError):  # a cache that cannot be written costs the next call its time
        write_directions(file, {name: Measured(direction, (), 0) for name, direction in found.items()}, run)
    return found


def measured_directions(
    run: Run,
    model: GenerativeModel,
    method: str,
    measure: Measure,
    *,
    count: int = COUNT,
    layers: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Measured]:
    """``find_directions`` with what each changes over ``MEASURED_ON``, likewise kept in the cache."""
    found = find_directions(run, model, method, measure, count=count, layers=layers)
    file = _cache_file(run, "measured", method, layers, count)
    with suppress(GanlibError):
        return read_directions(file, run.weights_hash)
    measured = measure_directions(model, list(found.values()), measure, MEASURED_ON, progress)
    result = dict(zip(found, measured, strict=True))
    with suppress(GanlibError):
        write_directions(file, result, run)
    return result


def cached_directions(
    run: Run, method: str, *, count: int = COUNT, layers: tuple[int, int] | None = None
) -> dict[str, Measured] | None:
    """What ``measured_directions`` has in the cache for the run's present weights; None where it has nothing."""
    with suppress(GanlibError):
        return read_directions(_cache_file(run, "measured", method, layers, count), run.weights_hash)
    return None


def is_found(run: Run, method: str, *, count: int = COUNT, layers: tuple[int, int] | None = None) -> bool:
    """Whether ``find_directions`` reads them from the cache."""
    return _cache_file(run, "found", method, layers, count).is_file()


def layer_count(model: GenerativeModel) -> int:
    """Layers that have styles of their own, 0 of a model without styles."""
    if "w+" not in model.spaces:
        return 0
    label = torch.zeros(1, dtype=torch.int64) if model.conditional else None
    with torch.inference_mode():
        return int(model.map(model.latents([0]), label, "w+").z.shape[1])


def _cache_file(run: Run, what: str, method: str, layers: tuple[int, int] | None, count: int) -> Path:
    classifier = f"-{classifier_hash(run)}" if what == "measured" or method in BY_CLASSIFIER else ""
    name = f"{run.weights_hash}{classifier}-{method}{_suffix(layers)}-{count}-{what}-{VERSION}.safetensors"
    return direction_cache() / name


def _suffix(layers: tuple[int, int] | None) -> str:
    return f"@{layers[0]}-{layers[1] - 1}" if layers else ""


def _label_groups(run: Run, model: GenerativeModel, sample: Sample) -> dict[str, Tensor]:
    """Name -> (N,) which of the sample has an attribute, or is of a class."""
    assert sample.labels is not None
    attributes, k = run.recipe.data.attributes, model.config.num_classes
    if not attributes:
        return {f"{LABEL}{i}": sample.labels == i for i in range(k)}
    has = torch.tensor([split_class(label, len(attributes)) for label in range(k)])[sample.labels]
    return {f"{LABEL}{name}": has[:, i] for i, name in enumerate(attributes)}


def _check(run: Run, model: GenerativeModel, method: str, layers: tuple[int, int] | None) -> None:
    if method not in METHODS:
        raise GanlibError(f"There is no method {method!r} to find directions; choose {', '.join(METHODS)}.")
    if not has_directions(model):
        raise GanlibError(
            f"Directions are not looked for in {run.name}: its latent has {torch.Size(model.latent_shape).numel():,} "
            "values that spread over the whole image; interpolate between seeds instead."
        )
    if method not in methods_of(run, model):
        known = ", ".join(methods_of(run, model))
        raise GanlibError(f"{run.name} has no directions by {method}, which means {METHODS[method]}; choose {known}.")
    if not layers:
        return
    if "w+" not in model.spaces or method not in ("sefa", "pca"):
        raise GanlibError(f"Ranges of layers are for sefa and pca of models with styles, not {method} of {run.name}.")
    total = layer_count(model)
    if not 0 <= layers[0] < layers[1] <= total:
        raise GanlibError(f"{run.name} has the layers 0 to {total - 1}, not {layers[0]} to {layers[1] - 1}.")


def _find(
    run: Run, model: GenerativeModel, method: str, measure: Measure | None, count: int, layers: tuple[int, int] | None
) -> tuple[list[str], list[Direction]]:
    """Names and directions."""
    space = space_of(model)
    sample = draw(model, FOUND_ON, space)
    if method in ("statistics", *BY_CLASSIFIER):
        needed = measure if method in BY_CLASSIFIER else None  # a classifier would only cost time
        values = images_of(model, sample, needed or measure_of(None))
        chosen = {name: v for name, v in values.items() if (name in STATISTICS) == (method == "statistics")}
        if not chosen:
            raise GanlibError(
                f"Directions of {method} need a classifier of the run's data set; train one, or take sefa."
            )
        directions = regression(sample, chosen, independent=method != "classes")
        return [direction.method for direction in directions], directions
    if method == "labels":
        directions = [difference(sample, group, name) for name, group in _label_groups(run, model, sample).items()]
        return [direction.method for direction in directions], directions
    if method == "sefa":
        readers = projections(model, "w+" if layers else space)
        if not readers:
            raise GanlibError("No layer of this model reads its latent linearly; choose another method than sefa.")
        directions = closed_form(sample, readers, count, layers)
    else:
        features = None if space != "z" else first_activations(model, sample)
        directions = [replace(d, layers=layers) for d in principal_components(sample, count, features)]
    return [f"{method}-{i}{_suffix(layers)}" for i in range(1, len(directions) + 1)], directions
