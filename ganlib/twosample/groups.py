"""Images that depend on each other, and halves that keep them together.

A classifier that saw one frame of a sequence, or one of two copies, knows the other: they belong to one half.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from torch.nn.functional import adaptive_avg_pool2d

from ganlib.data.sets import Images
from ganlib.errors import GanlibError

THUMBNAIL = 8  # pixels a side
NEAR = 6.0  # root mean square of levels between thumbnails of images that count as one
LARGEST_SHARE = 0.05  # of a side in one group of near-duplicates: beyond it the side, not the picture, is alike
ROWS = 2048


class Grouping(NamedTuple):
    groups: NDArray[np.int64]  # (n,) images with the same number depend on each other
    warnings: list[str]

    @property
    def trivial(self) -> bool:
        """Every image is a group of its own."""
        return len(np.unique(self.groups)) == len(self.groups)


def thumbnails(images: Images, side: int = THUMBNAIL) -> NDArray[np.float32]:
    """(N, H, W, C) uint8 -> (N, d) mean levels of the cells of a grid."""
    side = min(side, images.shape[1])
    parts = [
        adaptive_avg_pool2d(torch.from_numpy(np.array(images[i : i + ROWS])).permute(0, 3, 1, 2).float(), side)
        for i in range(0, len(images), ROWS)
    ]
    return torch.cat(parts).flatten(1).numpy()


def near_duplicates(images: Images) -> NDArray[np.int64]:
    """(N, H, W, C) -> (N,) group numbers: images a chain of near-duplicates connects have the same."""
    points = thumbnails(images)
    search = NearestNeighbors(radius=NEAR * points.shape[1] ** 0.5, algorithm="brute").fit(points)
    _, labels = connected_components(search.radius_neighbors_graph(points), directed=False)
    return labels.astype(np.int64)


def group(images: Images, is_real: NDArray[np.bool_], sequences: Sequence[str | None]) -> Grouping:
    """(N, …) of both sides and the sequence of each image, None where it is of none -> groups.

    Near-duplicates that make up more than 5 % of a side stay apart, and a sentence says so.
    """
    groups, warnings = near_duplicates(images), []
    for number, count in zip(*np.unique(groups, return_counts=True), strict=True):
        members = groups == number
        for side, name in ((is_real, "real"), (~is_real, "synthetic")):
            share = float((members & side).sum() / side.sum())
            if count > 2 and share > LARGEST_SHARE:
                warnings.append(f"{share:.0%} of the {name} images are near-duplicates of each other.")
                groups[members] = groups.max() + 1 + np.arange(count)
                break
    names = [name for name in sequences if name is not None]
    if names:
        groups = _join(groups, sequences)
    return Grouping(groups, warnings)


def _join(groups: NDArray[np.int64], sequences: Sequence[str | None]) -> NDArray[np.int64]:
    """Groups and sequences that share an image become one."""
    from scipy.sparse import coo_matrix

    known = [i for i, name in enumerate(sequences) if name is not None]
    _, numbers = np.unique([sequences[i] for i in known], return_inverse=True)
    offset = int(groups.max()) + 1
    size = offset + int(numbers.max()) + 1
    graph = coo_matrix((np.ones(len(known)), (groups[known], offset + numbers)), shape=(size, size))
    return connected_components(graph, directed=False)[1][groups].astype(np.int64)


def sequence_names(names: Sequence[str], pattern: str | None) -> list[str | None]:
    """The part of each file name that ``pattern`` finds, its first group where it has one; None where it finds none."""
    if pattern is None:
        return [None] * len(names)
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise GanlibError(f"{pattern!r} is no regular expression ({error}); write one like '([A-Za-z]+)_'.") from None
    matches = [compiled.search(name) for name in names]
    return [match and (match[1] if compiled.groups else match[0]) for match in matches]


def halves(is_real: NDArray[np.bool_], grouping: Grouping, seed: int = 0) -> NDArray[np.bool_]:
    """(N,) -> mask of a random half with as large a part of either side as whole groups allow.

    GanlibError where a side is of a single group, so that one half would lack it.
    """
    n = len(is_real)
    if min(is_real.sum(), (~is_real).sum()) < 2:
        raise GanlibError("Halves take at least two images of either side; give more.")
    if grouping.trivial:
        splitter = StratifiedKFold(2, shuffle=True, random_state=seed).split(np.zeros(n), is_real)
    else:
        folds = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
        splitter = folds.split(np.zeros(n), is_real, grouping.groups)
    mask = np.zeros(n, bool)
    mask[next(iter(splitter))[0]] = True
    for side, name in ((is_real, "real"), (~is_real, "synthetic")):
        if not (side & mask).any() or not (side & ~mask).any():
            raise GanlibError(
                f"All {name} images are of one group (a sequence, or near-duplicates), so that no half without them "
                "is left to measure on; give images of more sequences."
            )
    return mask
