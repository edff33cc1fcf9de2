"""A direction from two sets of images: from the mean latent of the one to that of the other."""

from __future__ import annotations

from collections.abc import Sequence

from ganlib.applications.catalogue import FOUND_ON, MEASURED_ON, has_directions, space_of
from ganlib.applications.directions import Direction
from ganlib.applications.discovery import difference_of
from ganlib.applications.effects import Measure, Measured, measure_directions
from ganlib.applications.projections import draw
from ganlib.applications.saved_latents import stack_latents
from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel, Latents
from ganlib.runs import Run
from ganlib.sampling.keyframes import KeyFrame

SAMPLE = FOUND_ON[:500]  # seeds by whose latents a deviation is measured


def direction_between(
    run: Run, model: GenerativeModel, more: Sequence[KeyFrame], less: Sequence[KeyFrame], measure: Measure
) -> Measured:
    """The direction along which images come to resemble ``more`` and not ``less``, and what it changes over seeds.

    GanlibError where a set is empty, or the model's latents are not those of directions.
    """
    if not has_directions(model):
        raise GanlibError(f"{run.name} has no directions: no layer reads its latent at once; interpolate instead.")
    space = space_of(model)
    sides = [_latents(run, model, keys, space) if keys else None for keys in (more, less)]
    if sides[0] is None or sides[1] is None:
        raise GanlibError("A direction lies between two sets of images; choose some of each.")
    if {side.space for side in sides if side} != {space}:
        raise GanlibError(f"Saved latents of another space than {space} give no direction of it; choose seeds.")
    to, fro = sides[0].z, sides[1].z

    def compute() -> Measured:
        direction: Direction = difference_of(draw(model, SAMPLE, space), to, fro, "two sets")
        return measure_directions(model, [direction], measure, MEASURED_ON)[0]

    return on_device(model.device, compute)


def _latents(run: Run, model: GenerativeModel, keys: Sequence[KeyFrame], space: str) -> Latents:
    labels = [key.label for key in keys if key.label is not None] or None
    return stack_latents(run, model, [key.source for key in keys], labels, space)
