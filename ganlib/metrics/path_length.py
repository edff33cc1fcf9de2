"""Perceptual path length: how far features move where the latent moves a little.

Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial Networks", CVPR 2019,
arXiv:1812.04948, section 4.1. The distance is that of the evaluation's extractor, so numbers compare only within it.
As in the paper's code the shortest and the longest hundredth of the paths are discarded: a path across a jump, as of a
code that is an argmax, has a length of the order of 1 / ε and would dominate the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlib.images import denormalize
from ganlib.intervals import block_interval
from ganlib.metrics.extractors import Extractor, run_in_halves
from ganlib.metrics.generation import Generation
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress
from ganlib.models import Latents
from ganlib.records import Record

EPSILON = 1e-4
DISCARDED = 1  # percent of the paths at either end


def path_length_records(
    generation: Generation, extractor: Extractor, space: str, blocks: int, progress: Progress
) -> list[Record]:
    """The trimmed mean of d² / ε² over n / 2 paths, so that as many images are generated as for another metric.

    One record, none in a process that only computes its part.
    """
    n = generation.n // 2

    def rows_from(first: int) -> Iterator[Tensor]:
        for start in range(first, n, generation.batch):
            part = slice(start, min(start + generation.batch, n))
            yield from run_in_halves(
                extractor.device, lambda part: (squared_distances(generation, extractor, space, part),), part
            )

    lengths = generation.rows(
        "paths",
        n,
        1,
        rows_from,
        partial(progress, "path lengths"),
        extractor=extractor.hash,
        space=space,
        epsilon=EPSILON,
    ).all
    if lengths is None:
        return []
    all_lengths = lengths.double()[:, 0]
    parts = [trimmed_mean(part) for part in all_lengths.tensor_split(blocks)] if blocks > 1 else []
    value = trimmed_mean(all_lengths)
    extra: dict[str, Any] = {
        "space": space,
        "path": generation.model.spaces[space],
        "epsilon": EPSILON,
        "paths": len(all_lengths),
        "discarded": [DISCARDED, 100 - DISCARDED],
    }
    record = generation.record(
        "ppl",
        value,
        interval=block_interval(value, parts, generation.n),
        blocks=tuple(parts),
        protocol=protocol(generation.run, extractor, n_fake=generation.n, options=generation.changed_options, **extra),
    )
    return [record]


def trimmed_mean(lengths: Tensor) -> float:
    """(m,) -> the mean of those that are not discarded."""
    values = lengths.numpy()
    low = np.percentile(values, DISCARDED, method="lower")
    high = np.percentile(values, 100 - DISCARDED, method="higher")
    return float(values[(values >= low) & (values <= high)].mean())


def squared_distances(generation: Generation, extractor: Extractor, space: str, part: slice) -> Tensor:
    """(m, 1): d² / ε² of these paths, on the CPU. Path i leads from seed 2 i to 2 i + 1, in one class.

    Noise beyond the latent is held still at the first seed's.
    """
    model = generation.model
    seeds = range(2 * part.start, 2 * part.stop)
    labels = None if generation.labels is None else generation.labels[part]
    starts = model.latents(seeds[::2])
    first, last = (model.map(z, labels, space).z for z in (starts, model.latents(seeds[1::2])))
    t = np.random.Generator(np.random.PCG64(0)).random(part.stop)[part]
    both_labels = None if labels is None else labels.repeat(2)

    def features(points: Tensor) -> Tensor:
        images = model.generate(Latents(points, starts.seeds.repeat(2), space), both_labels, **generation.options)
        return extractor.network(denormalize(images))[0]  # of floats: rounding to levels would hide the steps

    return path_distances(features, first, last, torch.from_numpy(t).to(first), model.spaces[space])[:, None].cpu()


def path_distances(features: Callable[[Tensor], Tensor], first: Tensor, last: Tensor, t: Tensor, path: str) -> Tensor:
    """(m, …), (m, …), (m,) -> (m,): |f(p(t + ε)) - f(p(t))|² / ε² on the paths p from first to last."""
    from ganlib.metrics.fidelity import interpolate_pairs

    points = torch.cat([interpolate_pairs(first, last, t, path), interpolate_pairs(first, last, t + EPSILON, path)])
    start, end = features(points).chunk(2)
    return ((end - start) / EPSILON).square().sum(1)
