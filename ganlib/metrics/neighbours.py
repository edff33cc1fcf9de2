"""How the nearest neighbours of real and of generated images mix: precision and recall, density and coverage.

Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", NeurIPS 2019,
arXiv:1904.06991. Naeem, Oh, Uh, Choi, Yoo, "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020,
arXiv:2002.09797, section 3.2.

Distances are of float64 coordinates around the points' mean: products of coordinates far from zero lose the distances
in float32 (1,000 from zero at a spread of 1, precision was 0.795 for 0.74).
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

ROWS = 512  # of the distance matrix at a time
LARGEST_K = 5


def precision_recall(real: Tensor, fake: Tensor, k: int) -> tuple[float, float]:
    """(n, d), (m, d) -> the fraction of generated images within real ones' spheres, and the reverse.

    A sphere reaches to the k-th nearest neighbour among images of its kind.
    """
    real_reach, fake_reach = radii(real, k), radii(fake, k)
    real, fake = _centred(real, real), _centred(fake, real)
    precise, recalled = 0, torch.zeros(len(real), dtype=torch.bool)
    for part, reach in zip(fake.split(ROWS), fake_reach.split(ROWS), strict=True):
        distances = torch.cdist(part, real)
        precise += int((distances <= real_reach).any(1).sum())
        recalled |= (distances <= reach[:, None]).any(0)
    return precise / len(fake), recalled.float().mean().item()


def density_coverage(real: Tensor, fake: Tensor, k: int) -> tuple[float, float]:
    """(n, d), (m, d) -> density, 1 on average where both are alike, and coverage, in [0, 1].

    Density: real images' spheres around each generated image, over k. Coverage: spheres that hold a generated image.
    """
    reach = radii(real, k)
    real, fake = _centred(real, real), _centred(fake, real)
    inside, covered = 0, torch.zeros(len(real), dtype=torch.bool)
    for part in fake.split(ROWS):
        within = torch.cdist(part, real) <= reach
        inside += int(within.sum())
        covered |= within.any(0)
    return inside / (k * len(fake)), covered.float().mean().item()


def radii(points: Tensor, k: int) -> Tensor:
    """(n, d) -> (n,) float64: the distance of each to its k-th nearest neighbour among the others, k ≤ LARGEST_K."""
    return _neighbour_distances(points)[:, k]


@lru_cache(maxsize=2)  # real images are compared with all generated ones and with every block of them
def _neighbour_distances(points: Tensor) -> Tensor:
    """(n, d) -> (n, LARGEST_K + 1) ascending; the nearest of all is the point itself. The same tensor counts once."""
    points = _centred(points, points)
    count = min(LARGEST_K + 1, len(points))
    nearest = [torch.cdist(part, points).topk(count, largest=False).values for part in points.split(ROWS)]
    return torch.cat(nearest)


def _centred(points: Tensor, origin: Tensor) -> Tensor:
    """(n, d), (m, d) -> (n, d) float64, around the mean of ``origin``."""
    return points.double() - origin.double().mean(0)
