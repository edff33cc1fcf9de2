"""Poisson blending: the hole keeps the gradients of what is put there and meets the picture at its border.

Pérez, Gangnet, Blake, "Poisson Image Editing", ACM TOG 2003, doi:10.1145/882262.882269, equation 7.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1))


class PoissonBlending:
    """For one hole, (H, W) bool: its equations are factorised once, for any number of pictures."""

    def __init__(self, hole: NDArray[np.bool_]) -> None:
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import splu

        self.hole = hole
        height, width = hole.shape
        number = np.full(hole.shape, -1)
        number[hole] = np.arange(hole.sum())
        y, x = np.nonzero(hole)
        self._y, self._x = y, x
        degree = np.zeros(len(y))
        rows, columns = [], []
        self._inside: list[NDArray[np.bool_]] = []  # of each neighbour: whether it is in the picture
        for dy, dx in NEIGHBOURS:
            inside = (y + dy >= 0) & (y + dy < height) & (x + dx >= 0) & (x + dx < width)
            self._inside.append(inside)
            degree += inside
            neighbour = number[y[inside] + dy, x[inside] + dx]
            unknown = neighbour >= 0
            rows.append(number[y[inside], x[inside]][unknown])
            columns.append(neighbour[unknown])
        i, j = np.concatenate([*rows, np.arange(len(y))]), np.concatenate([*columns, np.arange(len(y))])
        values = np.concatenate([-np.ones(sum(map(len, rows))), degree])
        self._factors = splu(csc_array((values, (i, j)), shape=(len(y), len(y))))

    def __call__(self, images: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, H, W, C) and (H, W, C) of one range -> ``target`` with each image blended into the hole."""
        blended = np.repeat(target[None], len(images), axis=0)
        y, x = self._y, self._x
        right = np.zeros((len(images), len(y), target.shape[2]))
        for (dy, dx), inside in zip(NEIGHBOURS, self._inside, strict=True):
            a, b = y[inside], x[inside]
            right[:, inside] += images[:, a, b] - images[:, a + dy, b + dx]
            known = ~self.hole[a + dy, b + dx]
            right[:, np.flatnonzero(inside)[known]] += target[a[known] + dy, b[known] + dx]
        columns = right.transpose(1, 0, 2).reshape(len(y), -1)
        solved = self._factors.solve(columns).reshape(len(y), len(images), -1)
        blended[:, y, x] = solved.transpose(1, 0, 2)
        return blended
