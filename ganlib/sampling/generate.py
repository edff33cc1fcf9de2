"""All images of some seeds: one seed is one image, alone or in any chunk.

On one machine it is the same image to the bit: libraries of linear algebra sum the rows of a batch of 1, 2 or 3 in
another order than those of 4 and more, so that each batch is filled up to a multiple of 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.devices import is_out_of_memory, on_device_at_once, tasks_at_once
from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.models import GenerativeModel, Latents, Trainable

T = TypeVar("T", NDArray[np.uint8], list[NDArray[np.uint8]])

CHUNK = 64  # large enough for full throughput of a small network, small enough to show progress
MULTIPLE = 4  # images of a batch
QUEUED = 8  # chunks for each thread where no one waits for the first: the fewer pauses, the less do threads stand idle


def check_options(model: GenerativeModel, options: dict[str, Any]) -> dict[str, Any]:
    """Parses a user's options; GanlibError names an unknown one or the bounds of a known one."""
    known = {o.name: o for o in model.options}
    for name in options:
        if name not in known:
            names = ", ".join(known) or "no options"
            raise GanlibError(f"This model has no option {name!r}; it has {names}.")
    return {name: known[name].parse(value) for name, value in options.items()}


def sample(
    model: GenerativeModel,
    seeds: Iterable[int] | Latents,
    labels: Sequence[int] | Tensor | None = None,
    *,
    chunk: int = CHUNK,
    **options: Any,
) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8: the images of ``seeds``, one seed an image, or of latents."""
    return np.concatenate(_all(_chunks(model, seeds, labels, chunk, options, QUEUED)))


def sample_chunks(
    model: GenerativeModel,
    seeds: Iterable[int] | Latents,
    labels: Sequence[int] | Tensor | None = None,
    *,
    chunk: int = CHUNK,
    **options: Any,
) -> Iterator[NDArray[np.uint8]]:
    """Yields (n, H, W, C) uint8 until all seeds are done.

    labels: (N,) class indices or (N, K) weights; None for unconditional models. options: as ``generate`` has
    them, scalars or (N,) tensors. A chunk that does not fit in memory is halved and tried again: a seed's
    image does not depend on its chunk, unless this is smaller than 4, which may change a level here or there.
    """
    yield from _chunks(model, seeds, labels, chunk, options)


def _chunks(
    model: GenerativeModel,
    seeds: Iterable[int] | Latents,
    labels: Sequence[int] | Tensor | None,
    chunk: int,
    options: dict[str, Any],
    queued: int = 1,
) -> Iterator[NDArray[np.uint8]]:
    seeds = seeds if isinstance(seeds, Latents) else list(seeds)
    y = _checked(labels, len(seeds))

    def compute(rows: Tensor) -> NDArray[np.uint8]:
        latents = latents_at(model, seeds, rows)
        return to_uint8(model.generate(latents, None if y is None else y[rows], **options_of(options, rows)))

    yield from in_chunks(model, len(seeds), compute, chunk, queued)


def sample_stages(
    model: GenerativeModel,
    seeds: Iterable[int] | Latents,
    labels: Sequence[int] | Tensor | None = None,
    *,
    chunk: int = CHUNK,
    **options: Any,
) -> list[NDArray[np.uint8]]:
    """(N, h, w, C) uint8 for each stage of ``trace``: how the images of ``sample``, the last, come about."""

    seeds = seeds if isinstance(seeds, Latents) else list(seeds)
    y = _checked(labels, len(seeds))

    def compute(rows: Tensor) -> list[NDArray[np.uint8]]:
        latents = latents_at(model, seeds, rows)
        stages = model.trace(latents, None if y is None else y[rows], **options_of(options, rows))
        return [to_uint8(stage) for stage in stages]

    chunks = _all(in_chunks(model, len(seeds), compute, chunk))
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def latents_at(model: GenerativeModel, seeds: Sequence[int] | Latents, rows: Tensor) -> Latents:
    """Those of the seeds, or of the latents, at ``rows``."""
    return seeds[rows] if isinstance(seeds, Latents) else model.latents([seeds[i] for i in rows.tolist()])


def in_chunks(
    model: Trainable, n: int, compute: Callable[[Tensor], T], chunk: int = CHUNK, queued: int = 1
) -> Iterator[T]:
    """``compute(rows)``, in the device's threads, for consecutive parts of n images, halved where memory runs out.

    ``rows``, (m,) int64, are those of ``fill_up``; what is computed for the added ones is cut off. ``queued`` parts a
    thread are computed before the first of them is yielded. Between what is yielded and the next ones nothing is
    computed: whoever takes them has the device.
    """
    start, at_once = 0, tasks_at_once(model.device)
    at_once *= queued if at_once > 1 else 1
    while start < n:
        parts = [slice(i, min(i + chunk, n)) for i in range(start, min(start + at_once * chunk, n), chunk)]
        try:
            results = on_device_at_once(model.device, [partial(compute, fill_up(part, chunk)) for part in parts])
        except RuntimeError as error:
            if not is_out_of_memory(error) or at_once == chunk == 1:
                raise
            at_once, chunk = (1, chunk) if at_once > 1 else (1, chunk // 2)
            continue
        for part, result in zip(parts, results, strict=True):
            count = part.stop - part.start
            yield [stage[:count] for stage in result] if isinstance(result, list) else result[:count]
        start = parts[-1].stop


def fill_up(part: slice, chunk: int) -> Tensor:
    """(m,) int64: the rows of a part of at most ``chunk`` images, the last one again up to a multiple of 4.

    Where memory is so short that fewer than 4 images make a chunk, as they are.
    """
    added = -(part.stop - part.start) % MULTIPLE if chunk >= MULTIPLE else 0
    return torch.arange(part.start, part.stop + added).clamp(max=part.stop - 1)


def options_of(options: dict[str, Any], rows: Tensor) -> dict[str, Any]:
    """Options that hold one value per image, of these images; scalars as they are."""
    return {k: v[rows] if isinstance(v, Tensor) and v.ndim else v for k, v in options.items()}


def _checked(labels: Sequence[int] | Tensor | None, n: int) -> Tensor | None:
    """Labels of n images, on the CPU: the model moves them."""
    if labels is None:
        return None
    labels = torch.as_tensor(labels)
    if len(labels) != n:
        raise GanlibError(f"{n} seeds need as many labels, not {len(labels)}.")
    return labels


def _all(chunks: Iterable[T]) -> list[T]:
    results = list(chunks)
    if not results:
        raise GanlibError("No seeds were given; name at least one.")
    return results
