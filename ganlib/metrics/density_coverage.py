"""Density and coverage: how thickly generated images lie among real ones, and how many real ones have any nearby.

Naeem, Oh, Uh, Choi, Yoo, "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020,
arXiv:2002.09797, section 3.2
"""

from __future__ import annotations

import torch
from torch import Tensor

ROWS = 1024  # of the distance matrix at a time


def density_coverage(real: Tensor, fake: Tensor, k: int) -> tuple[float, float]:
    """(n, d), (m, d) -> density, 1 on average where both are alike, and coverage, in [0, 1].

    A real image's sphere reaches to its k-th nearest real neighbour. Density: spheres around each generated image,
    over k. Coverage: spheres that hold a generated image.
    """
    reach = radii(real, k)
    inside, covered = 0, torch.zeros(len(real), dtype=torch.bool)
    for part in fake.split(ROWS):
        within = torch.cdist(part, real) <= reach
        inside += int(within.sum())
        covered |= within.any(0)
    return inside / (k * len(fake)), covered.float().mean().item()


def radii(points: Tensor, k: int) -> Tensor:
    """(n, d) -> (n,) the distance of each to its k-th nearest neighbour among the others."""
    # The nearest of all is the point itself.
    return torch.cat([torch.cdist(part, points).kthvalue(k + 1).values for part in points.split(ROWS)])
