"""Whether generated images are copies of training images, judged beside fresh real ones.

An image is suspect where it lies both near a training image and much nearer to it than to the next ten: the distance
alone calls every blurred or empty picture a copy, and the ratio alone every picture of which the training images hold
a relative. Similar ratios: Carlini et al., "Extracting Training Data from Diffusion Models", arXiv:2301.13188, section
4.2. Held-out real images say how often both are so small by chance, near-duplicates across the data set's own split
among them: the conformal p-value of one image is the rank, among theirs, of the higher of its two ranks,
and Benjamini and Hochberg's procedure keeps the
share of false accusations below 5 % (Bates et al., "Testing for outliers with conformal p-values", arXiv:2104.08279).
Of fresh real images it accuses any at all in 5 of 100 cases: as long as the held-out images have the class proportions
of the others, for images of one class lie nearer to training images than those of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, mannwhitneyu
from sklearn.neighbors import NearestNeighbors

from ganlib.data.batches import random_subset
from ganlib.data.subset import rows_of_classes
from ganlib.errors import GanlibError
from ganlib.metrics.generation import largest_in_proportion, proportional_labels
from ganlib.twosample.groups import thumbnails

NEXT = 10  # further neighbours that say what distance is usual there
ALPHA = 0.05
LEAST = 20  # images of each kind: with fewer held-out ones no image can be told from chance
RANKED = ("distance", "ratio")
CHUNK = 1_000  # images searched at a time
ENOUGH = 1_000  # held-out images, or half of them: with fewer, proportions of classes cost more than they are worth

Images = NDArray[np.uint8]
Points = NDArray[np.float32]


@dataclass(frozen=True)
class Memorisation:
    """``neighbours``: one row a generated image, the likeliest copies first.

    image (its number), training (row), mirrored, distance, ratio (of the distance to the median one to the next ten),
    p_value (conformal), copy (whether it is accused).
    """

    neighbours: pd.DataFrame
    held_out: pd.DataFrame  # the same of the held-out images, without p_value and copy
    p_value: float  # one-sided Mann-Whitney: generated images lie nearer to training images than held-out ones
    copies: int
    threshold: float  # the highest ratio of an accused image; 0 where there is none
    n_training: int

    @property
    def fewest(self) -> int:
        """Copies of which the first could be told from chance, with so many held-out images."""
        return ceil(len(self.neighbours) / (ALPHA * (len(self.held_out) + 1)))

    @property
    def held_out_share(self) -> float:
        """Of held-out images with such a ratio: near-duplicates across the data set's own split."""
        return float((self.held_out["ratio"] <= self.threshold).mean()) if self.copies else 0.0


def memorisation(training: Points, held_out: list[Points], generated: list[Points]) -> Memorisation:
    """(t, d) points of training images; (h, d) and (n, d) of the others, a list of views of each: as it is, mirrored.

    GanlibError where there are too few images of a kind to say anything.
    """
    sizes = {"training": len(training), "held-out": len(held_out[0]), "generated": len(generated[0])}
    for kind, count in sizes.items():
        if count < LEAST:
            raise GanlibError(f"The test for copies takes {LEAST} {kind} images; there are {count}: give more.")
    search = NearestNeighbors(n_neighbors=NEXT + 1, algorithm="brute").fit(training)
    fresh, drawn = _nearest(search, held_out), _nearest(search, generated)
    p_values = conformal(suspicion(drawn, fresh), suspicion(fresh, fresh))
    accused = false_discovery_control(p_values, method="bh") < ALPHA
    drawn = drawn.assign(p_value=p_values, copy=accused).sort_values(["ratio", "image"], ignore_index=True)
    test = mannwhitneyu(drawn["distance"], fresh["distance"], alternative="less")
    return Memorisation(
        neighbours=drawn,
        held_out=fresh,
        p_value=float(test.pvalue),
        copies=int(accused.sum()),
        threshold=float(drawn.loc[drawn["copy"], "ratio"].max()) if accused.any() else 0.0,
        n_training=len(training),
    )


class HeldOut(NamedTuple):
    rows: NDArray[np.int64]  # (h,) sorted
    short: tuple[int, ...]  # classes of which there are too few for their proportion

    def warning(self, classes: Sequence[str]) -> str | None:
        """A sentence on the short classes; None where there are none."""
        if not self.short:
            return None
        names = ", ".join(repr(classes[label]) for label in self.short)
        return (
            f"There are too few held-out images of {names} for the class proportions of the generated images: theirs "
            "are judged mostly by held-out images of other classes."
        )


def held_out_rows(labels: NDArray[np.int64], generated: NDArray[np.int64], most: int) -> HeldOut:
    """Of real images with classes ``labels`` (r,) those that generated ones (n,) are judged beside; -1 = no class.

    As many as there are in the class proportions of the generated images, at most ``most``. Where a rare class would
    leave few, it gives what it has. Any images at random where generated ones have no class.
    """
    if (generated < 0).any():
        return HeldOut(random_subset(len(labels), most), ())
    wanted = np.bincount(generated)
    available = np.bincount(labels[labels >= 0], minlength=len(wanted))[: len(wanted)]
    total = int(available[wanted > 0].sum())
    exact = largest_in_proportion(available.tolist(), wanted.tolist())
    n = min(exact if exact >= min(ENOUGH, total / 2) else min(ENOUGH, total), most)
    quotas = np.bincount(proportional_labels(wanted.tolist(), n), minlength=len(wanted))
    return HeldOut(rows_of_classes(labels, quotas), tuple(np.flatnonzero(quotas > available).tolist()))


def image_points(images: Images) -> list[Points]:
    """(N, H, W, C) uint8 -> coarse pixels of the images and of their mirror images: slight noise averages out."""
    return [thumbnails(images), thumbnails(images[:, :, ::-1])]


def suspicion(frame: pd.DataFrame, held_out: pd.DataFrame) -> NDArray[np.float64]:
    """(n,) the higher of the ranks, among held-out images, of each image's distance and ratio: low of a copy."""
    return np.max([conformal(frame[name].to_numpy(), held_out[name].to_numpy()) for name in RANKED], axis=0)


def conformal(scores: NDArray[np.float64], held_out: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,), (h,) -> (n,) the rank of each score among held-out ones, between 1 / (h + 1) and 1."""
    return (1 + np.searchsorted(np.sort(held_out), scores, side="right")) / (len(held_out) + 1)


def _nearest(search: NearestNeighbors, views: list[Points]) -> pd.DataFrame:
    """Of each image the view that lies nearest to a training image."""
    frames = []
    for mirrored, points in enumerate(views):
        parts = [search.kneighbors(points[i : i + CHUNK]) for i in range(0, len(points), CHUNK)]
        distances, rows = (np.concatenate(part) for part in zip(*parts, strict=True))
        nearest, usual = distances[:, 0].astype(float), np.median(distances[:, 1:], axis=1).astype(float)
        # Among equal training images no distance is usual: nothing stands out.
        ratio = np.divide(nearest, usual, out=np.ones(len(points)), where=usual > 0)
        frame = {"image": np.arange(len(points)), "training": rows[:, 0], "mirrored": bool(mirrored)}
        frames.append(pd.DataFrame(frame | {"distance": nearest, "ratio": ratio}))
    together = pd.concat(frames).sort_values(["image", "distance"], kind="stable")
    return together.drop_duplicates("image").reset_index(drop=True)
