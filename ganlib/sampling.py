"""Seeds to images: in chunks, in the device's thread, never through a global generator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganlib.devices import is_out_of_memory, on_device
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel, Latents

T = TypeVar("T")

CHUNK = 64  # large enough for full throughput of a small network, small enough to show progress


def to_uint8(images: Tensor) -> np.ndarray:
    """(N, C, H, W) in [-1, 1] -> (N, H, W, C) uint8, rounded to the nearest level. GanlibError where one is NaN."""
    if images.isnan().any():  # which has no nearest level
        raise GanlibError("Some pixels are not numbers: the weights or the options drive the model out of its range.")
    levels = ((images + 1) * 127.5).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def check_options(model: GenerativeModel, options: dict[str, Any]) -> dict[str, Any]:
    """Parses a user's options; GanlibError names an unknown one or the bounds of a known one."""
    known = {o.name: o for o in model.options}
    for name in options:
        if name not in known:
            names = ", ".join(known) or "no options"
            raise GanlibError(f"This model has no option {name!r}; it has {names}.")
    return {name: known[name].parse(value) for name, value in options.items()}


def sample_chunks(
    model: GenerativeModel,
    seeds: Iterable[int],
    labels: Sequence[int] | Tensor | None = None,
    *,
    chunk: int = CHUNK,
    **options: Any,
) -> Iterator[np.ndarray]:
    """Yields (n, H, W, C) uint8 until all seeds are done.

    labels: (N,) class indices or (N, K) weights; None for unconditional models. options: as ``generate`` has
    them, scalars or (N,) tensors. A chunk that does not fit in memory is halved and tried again: a seed's
    image does not depend on its chunk.
    """

    def images_of(*asked: Any, **options: Any) -> np.ndarray:
        return to_uint8(model.generate(*asked, **options))

    yield from _of_seeds(images_of, model, seeds, labels, options, chunk)


def _of_seeds(
    make: Callable[..., T],
    model: GenerativeModel,
    seeds: Iterable[int],
    labels: Sequence[int] | Tensor | None,
    options: dict[str, Any],
    chunk: int,
) -> Iterator[T]:
    """``make(latents, labels, **options)`` for consecutive parts of the seeds."""
    seeds = list(seeds)
    if labels is not None:
        labels = torch.as_tensor(labels)
        if len(labels) != len(seeds):
            raise GanlibError(f"{len(seeds)} seeds need as many labels, not {len(labels)}.")

    def compute(part: slice) -> T:
        y = None if labels is None else labels[part]  # checked on the CPU, moved by the model
        return make(model.latents(seeds[part]), y, **part_of(options, part))

    yield from _in_parts(model, len(seeds), compute, chunk)


def in_chunks(
    model: GenerativeModel, n: int, compute: Callable[[slice], Tensor], chunk: int = CHUNK
) -> Iterator[np.ndarray]:
    """``compute(part)`` as uint8 for consecutive parts of n images, halved for good where memory runs out."""
    yield from _in_parts(model, n, lambda part: to_uint8(compute(part)), chunk)


def _in_parts(model: GenerativeModel, n: int, compute: Callable[[slice], T], chunk: int) -> Iterator[T]:
    start = 0
    while start < n:
        part = slice(start, min(start + chunk, n))
        try:
            made = on_device(model.device, partial(compute, part))
        except RuntimeError as error:
            if not is_out_of_memory(error) or chunk == 1:
                raise
            chunk //= 2
            continue
        yield made
        start = part.stop


def sample(
    model: GenerativeModel,
    seeds: Iterable[int],
    labels: Sequence[int] | Tensor | None = None,
    *,
    chunk: int = CHUNK,
    **options: Any,
) -> np.ndarray:
    """(N, H, W, C) uint8: the images of ``seeds``, one seed an image."""
    return np.concatenate(_all(sample_chunks(model, seeds, labels, chunk=chunk, **options)))


def sample_stages(
    model: GenerativeModel,
    seeds: Iterable[int],
    labels: Sequence[int] | Tensor | None = None,
    *,
    chunk: int = CHUNK,
    **options: Any,
) -> list[np.ndarray]:
    """(N, h, w, C) uint8 for each stage of ``trace``: how the images of ``sample``, the last, come about."""

    def stages_of(*asked: Any, **options: Any) -> list[np.ndarray]:
        return [to_uint8(stage) for stage in model.trace(*asked, **options)]

    chunks = _all(_of_seeds(stages_of, model, seeds, labels, options, chunk))
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


class Growing:
    """Images of ``sample`` on their way: what there is so far, and the share of the work that is done.

    ``images``: (N, H, W, C) uint8, mid-grey where nothing is there yet; stages smaller than the image are enlarged.
    ``step()`` goes on by one stage of one chunk, from any thread; it does nothing once ``done``.
    """

    def __init__(
        self, model: GenerativeModel, seeds: Sequence[int], labels: Sequence[int] | None = None, **options: Any
    ) -> None:
        c = model.config
        self.images = np.full((len(seeds), c.image_size, c.image_size, c.channels), 128, np.uint8)
        self.share = 0.0
        self._start = partial(self._grow, model, seeds, labels, options)
        self._stages = self._start()
        self._stepping, self._device = Lock(), model.device

    @property
    def done(self) -> bool:
        return self.share >= 1

    def step(self) -> None:
        with self._stepping:
            if self.done:
                return
            try:
                self.share = on_device(self._device, partial(next, self._stages))
            except Exception:
                self.share, self._stages = 0.0, self._start()  # a generator that raised would seem to have ended
                raise

    def finish(self) -> np.ndarray:
        while not self.done:
            self.step()
        return self.images

    def _grow(
        self, model: GenerativeModel, seeds: Sequence[int], labels: Sequence[int] | None, options: dict[str, Any]
    ) -> Iterator[float]:
        n, stages, side = len(seeds), model.stages(**options), self.images.shape[1]
        start, chunk = 0, CHUNK
        while start < n:
            part = slice(start, min(start + chunk, n))
            y = None if labels is None else torch.tensor(labels[part])
            try:
                made = model.trace(model.latents(seeds[part]), y, **part_of(options, part))
                for stage, images in enumerate(made, 1):
                    small = to_uint8(images)
                    rows = _nearest(small.shape[1], side)
                    self.images[part] = small[:, rows[:, None], rows]
                    yield (start + (part.stop - start) * stage / stages) / n
            except RuntimeError as error:
                if not is_out_of_memory(error) or chunk == 1:
                    raise
                chunk //= 2
                continue
            start = part.stop


def _all(chunks: Iterable[T]) -> list[T]:
    found = list(chunks)
    if not found:
        raise GanlibError("No seeds were given; name at least one.")
    return found


def part_of(options: dict[str, Any], part: slice) -> dict[str, Any]:
    """Options that hold one value per image, cut to these images; scalars as they are."""
    return {k: v[part] if isinstance(v, Tensor) and v.ndim else v for k, v in options.items()}


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """(D…), (D…), (F,) -> (F, D…): straight lines."""
    t = t.reshape(-1, *[1] * a.ndim)
    return a + (b - a) * t


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """(D…), (D…), (F,) -> (F, D…): along the great circle, so that norms stay typical of a Gaussian.

    White, "Sampling Generative Networks", arXiv:1609.04468. Falls back to ``lerp`` for (anti)parallel ends,
    where the circle is not defined.
    """
    unit_a, unit_b = a / a.norm(), b / b.norm()
    angle = torch.arccos((unit_a * unit_b).sum().clamp(-1, 1))
    if angle.sin().abs() < 1e-4:
        return lerp(a, b, t)
    t = t.reshape(-1, *[1] * a.ndim)
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


PATHS = {"slerp": slerp, "lerp": lerp}


@torch.inference_mode()
def interpolate(
    model: GenerativeModel,
    seeds: tuple[int, int],
    labels: tuple[int, int] | None,
    frames: int,
    *,
    path: str = "slerp",
    space: str = "z",
    **options: Any,
) -> np.ndarray:
    """(frames, H, W, C) uint8 from one seed and class to another; both ends are exactly those images.

    Classes morph by their weights. Noise beyond the latent is held still at the first seed's.
    """
    if frames < 2:
        raise GanlibError(f"An interpolation needs at least 2 frames, not {frames}.")
    t = torch.linspace(0, 1, frames, device=model.device)
    ends = weights = None
    if labels is not None:
        ends = model.class_weights(torch.tensor(labels))
        weights = lerp(ends[0], ends[1], t)
    first, last = model.map(model.latents(seeds), ends, space)
    points = PATHS[path](first, last, t)
    points[0], points[-1] = first, last  # exactly, whatever the rounding of t
    held = Latents(points, torch.full((frames,), seeds[0], dtype=torch.int64))

    def compute(part: slice) -> Tensor:
        y = None if weights is None else weights[part]
        return model.synthesize(points[part], held[part], y, space, **part_of(options, part))

    return np.concatenate(list(in_chunks(model, frames, compute)))


def to_pil(image: np.ndarray) -> Image.Image:
    """(H, W, C) uint8 -> picture; one channel becomes greyscale."""
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def grid(images: np.ndarray, columns: int, gap: int = 2) -> Image.Image:
    """(N, H, W, C) uint8 -> one picture, row by row, on white."""
    n, h, w, c = images.shape
    rows = -(-n // columns)
    canvas = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, c), 255, np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (h + gap), i % columns * (w + gap)
        canvas[y : y + h, x : x + w] = image
    return to_pil(canvas)


def strip(stages: Sequence[np.ndarray], gap: int = 2) -> Image.Image:
    """(N, h, w, C) uint8 each -> one picture: a row an image, all stages at the last one's size, in square pixels."""
    height, width = stages[-1].shape[1:3]
    enlarged = [s[:, _nearest(s.shape[1], height)[:, None], _nearest(s.shape[2], width)] for s in stages]
    cells = np.stack(enlarged, axis=1)
    return grid(cells.reshape(-1, *cells.shape[2:]), len(stages), gap)


def _nearest(old: int, new: int) -> np.ndarray:
    """(new,) which of ``old`` pixels in a row lies under the middle of each of ``new``."""
    return (2 * np.arange(new) + 1) * old // (2 * new)
