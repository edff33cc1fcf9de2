"""Images of seeds whose latents are moved along directions that go by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.applications.catalogue import BY_CLASSIFIER, COUNT, LABEL, find_directions, is_found, measure_for
from ganlib.applications.directions import Direction, edit
from ganlib.applications.effects import ATTRIBUTE, CLASS
from ganlib.applications.saved_latents import stack_latents
from ganlib.applications.statistics import STATISTICS
from ganlib.applications.storage import saved_directions
from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel, Latents
from ganlib.naming import nearest_names
from ganlib.runs import Run
from ganlib.sampling.generate import fill_up, latents_at, sample
from ganlib.sampling.request import Edit, SampleRequest, SavedLatents

REGRESSED = ("statistics", *BY_CLASSIFIER)  # methods that look at images, thousands of them
_RANKED = re.compile(r"(sefa|pca)-([1-9]\d{0,2})(?:@(\d{1,3})-(\d{1,3}))?")


def latents_of(model: GenerativeModel, request: SampleRequest) -> list[int] | Latents:
    """What ``sample`` and ``Growing`` take for a request: its seeds, or their latents, or those of files, moved along
    its edits.
    """
    return _latents_of(model, request, request.image_sources, request.image_labels)


def _latents_of(
    model: GenerativeModel,
    request: SampleRequest,
    sources: Sequence[int | SavedLatents],
    labels: Sequence[int] | None,
) -> list[int] | Latents:
    edits = resolve(request.run, model, request.edits)
    if request.latents:
        return edited_latents(model, stack_latents(request.run, model, sources, labels), labels, edits)
    seeds = [source for source in sources if isinstance(source, int)]
    return edited_latents(model, seeds, labels, edits) if edits else seeds


def generate(model: GenerativeModel, request: SampleRequest) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8: all images of a request, as its link and its command line give them."""
    return sample(model, latents_of(model, request), request.image_labels, **request.options)


def items_of(request: SampleRequest) -> list[tuple[int | SavedLatents, int | None]]:
    """Source and class of each image: with the request's options and edits all that it depends on."""
    sources = request.image_sources
    labels: Sequence[int | None] = request.image_labels or [None] * len(sources)
    return list(zip(sources, labels, strict=True))


def generate_items(
    model: GenerativeModel, request: SampleRequest, items: Sequence[tuple[int | SavedLatents, int | None]]
) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8: images of these ``items_of``, of this request or of others of equal options and edits."""
    classes = [label for _, label in items if label is not None]
    labels = classes if len(classes) == len(items) else None
    return sample(
        model, _latents_of(model, request, [source for source, _ in items], labels), labels, **request.options
    )


def edited_latents(
    model: GenerativeModel,
    sources: Sequence[int] | Latents,
    labels: Sequence[int] | None,
    edits: Sequence[tuple[Direction, float | Tensor]],
) -> Latents:
    """Latents, or those of seeds, moved along ``edits``, on the model's device; each depends on its own seed alone."""
    y = None if labels is None else torch.as_tensor(labels)

    def compute() -> Latents:
        rows = fill_up(slice(0, len(sources)), len(sources) + 4)
        moves = [(direction, s[rows] if isinstance(s, Tensor) and s.ndim else s) for direction, s in edits]
        latents = latents_at(model, sources, rows)
        return edit(model, latents, None if y is None else y[rows], moves)[: len(sources)]

    return on_device(model.device, compute)


def edited_image(
    model: GenerativeModel, latents: Latents, label: int | None, edits: Sequence[tuple[Direction, float | Tensor]]
) -> NDArray[np.uint8]:
    """(H, W, C) uint8: one image's latents, those of a picture for instance, moved along ``edits``."""
    labels = None if label is None else [label]
    y = None if labels is None else torch.as_tensor(labels)
    return sample(model, on_device(model.device, lambda: edit(model, latents, y, edits)), labels)[0]


def film_strip(
    model: GenerativeModel, request: SampleRequest, direction: Direction, strengths: Sequence[float]
) -> NDArray[np.uint8]:
    """(strengths, H, W, C) uint8: the first image of a request, moved along one direction."""
    n, first = len(strengths), request.head(1)
    labels = None if first.image_labels is None else first.image_labels[:1] * n
    start = latents_of(model, first)
    repeated = start[torch.zeros(n, dtype=torch.int64)] if isinstance(start, Latents) else start * n
    latents = edited_latents(model, repeated, labels, [(direction, torch.tensor(strengths))])
    return sample(model, latents, labels, **request.options)


def resolve(run: Run, model: GenerativeModel, edits: Sequence[Edit]) -> list[tuple[Direction, float | Tensor]]:
    """Each edit's direction with its strength, read from the run's folder or found.

    GanlibError names a direction that is neither.
    """
    saved, _ = saved_directions(run)
    resolved: list[tuple[Direction, float | Tensor]] = []
    for requested in edits:
        name = requested.name
        if name in saved:
            resolved.append((saved[name].direction, requested.strength))
            continue
        method, layers, rank = _parse_name(run, name, list(saved))
        regressed = method in REGRESSED and not is_found(run, method)
        measure = measure_for(run, model.device) if regressed else None
        found = find_directions(run, model, method, measure, layers=layers, count=max(COUNT, rank))
        if name not in found:
            raise GanlibError(
                f"{run.name} has no direction {name!r}; near it are {', '.join(nearest_names(name, found))}."
            )
        resolved.append((found[name], requested.strength))
    return resolved


def method_to_find(run: Run, name: str) -> str | None:
    """The method that has to look at thousands of images before this direction is known; None where it is at hand.

    GanlibError for a name that is no direction's.
    """
    saved, _ = saved_directions(run)
    if name in saved:
        return None
    method, _, _ = _parse_name(run, name, list(saved))
    return method if method in REGRESSED and not is_found(run, method) else None


def _parse_name(run: Run, name: str, saved: list[str]) -> tuple[str, tuple[int, int] | None, int]:
    """ "sefa-3@0-4" -> its method, layers and rank."""
    if match := _RANKED.fullmatch(name):
        return match[1], (int(match[3]), int(match[4]) + 1) if match[3] else None, int(match[2])
    if name in STATISTICS:
        return "statistics", None, 0
    for prefix, method in ((CLASS, "classes"), (ATTRIBUTE, "attributes"), (LABEL, "labels")):
        if name.startswith(prefix):
            return method, None, 0
    known = ", ".join([*saved, "sefa-1", "pca-1", *STATISTICS])
    raise GanlibError(f"{run.name} has no direction {name!r}; there are {known} and more of their kind.")
