"""Perceptual path length: how far features move where the latent moves a little.

Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial Networks", CVPR 2019,
arXiv:1812.04948, section 4.1. The distance is that of the evaluation's extractor, so that numbers compare only there.
As in the paper's code the shortest and the longest hundredth of the paths is left out: one that crosses a jump, as of
a code that is an argmax, has a length of the order of 1 / ε and would be all of the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlib.images import denormalize
from ganlib.metrics.extractors import Extractor, all_digits, in_halves
from ganlib.metrics.fidelity import between
from ganlib.metrics.generation import Generation
from ganlib.metrics.intervals import block_interval
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress
from ganlib.models import Latents
from ganlib.records import Record

EPSILON = 1e-4
DISCARDED = 1  # percent of the paths at either end


def path_record(made: Generation, extractor: Extractor, space: str, blocks: int, progress: Progress) -> Record:
    """The trimmed mean of d² / ε² over n / 2 paths, so that as many images are made as for another metric."""
    kept = made.partial("paths", extractor=extractor.hash, space=space, epsilon=EPSILON)
    there = kept.rows(1)[: made.n // 2]
    lengths = [there]
    for start in range(len(there), made.n // 2, made.batch):
        part = slice(start, min(start + made.batch, made.n // 2))
        (found,) = in_halves(extractor.device, lambda part: (squared_steps(made, extractor, space, part),), part)
        kept.write(found, start)
        lengths.append(found)
        progress("walked", part.stop, made.n // 2)
    of_paths = torch.cat(lengths).double()[:, 0]
    parts = [trimmed_mean(part) for part in of_paths.tensor_split(blocks)] if blocks > 1 else []
    value = trimmed_mean(of_paths)
    how: dict[str, Any] = {
        "space": space,
        "path": made.model.spaces[space],
        "epsilon": EPSILON,
        "paths": len(of_paths),
        "discarded": [DISCARDED, 100 - DISCARDED],
    }
    return made.record(
        "ppl",
        value,
        interval=block_interval(value, parts, made.n),
        blocks=tuple(parts),
        protocol=protocol(made.run, extractor, n_fake=made.n, options=made.changed, **how),
    )


def trimmed_mean(lengths: Tensor) -> float:
    """(m,) -> the mean of those from the first to the last percentile that is kept."""
    values = lengths.numpy()
    low = np.percentile(values, DISCARDED, method="lower")
    high = np.percentile(values, 100 - DISCARDED, method="higher")
    return float(values[(values >= low) & (values <= high)].mean())


def squared_steps(made: Generation, extractor: Extractor, space: str, part: slice) -> Tensor:
    """(m, 1): d² / ε² of these paths, on the CPU. Path i leads from seed 2 i to 2 i + 1, in one class.

    Noise beyond the latent is held still at the first seed's.
    """
    model = made.model
    seeds = range(2 * part.start, 2 * part.stop)
    labels = None if made.labels is None else made.labels[part]
    starts = model.latents(seeds[::2])
    first, last = (model.map(z, labels, space).z for z in (starts, model.latents(seeds[1::2])))
    t = np.random.Generator(np.random.PCG64(0)).random(part.stop)[part]
    twice = None if labels is None else labels.repeat(2)

    def features(points: Tensor) -> Tensor:
        images = model.generate(Latents(points, starts.seeds.repeat(2), space), twice, **made.options)
        return extractor.network(denormalize(images))[0]  # of floats: rounded to levels no step would be seen

    with all_digits():
        return moved(features, first, last, torch.from_numpy(t).to(first), model.spaces[space])[:, None].cpu()


def moved(features: Callable[[Tensor], Tensor], first: Tensor, last: Tensor, t: Tensor, path: str) -> Tensor:
    """(m, …), (m, …), (m,) -> (m,): |f(p(t + ε)) - f(p(t))|² / ε² on the paths p from first to last."""
    points = torch.cat([between(first, last, t, path), between(first, last, t + EPSILON, path)])
    here, there = features(points).chunk(2)
    return ((there - here) / EPSILON).square().sum(1)
