"""Whether generated images are copies of training images, judged beside fresh real ones.

An image is suspect where it lies both near a training image and much nearer to it than to the next ten: the distance
alone calls every blurred or empty picture a copy, and the ratio alone every picture of which the training images hold
a relative. Similar ratios: Carlini et al., "Extracting Training Data from Diffusion Models", arXiv:2301.13188, section
4.2. Held-out real images say how often both are so small by chance, near-duplicates across the data set's own split
among them: the conformal p-value of one image is the rank, among theirs, of the higher of its two ranks,
and Benjamini and Hochberg's procedure keeps the
share of false accusations below 5 % (Bates et al., "Testing for outliers with conformal p-values", arXiv:2104.08279).
Of fresh real images it accuses any at all in 5 of 100 cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, mannwhitneyu
from sklearn.neighbors import NearestNeighbors

from ganlib.errors import GanlibError
from ganlib.twosample.groups import thumbnails

NEXT = 10  # further neighbours that say what distance is usual there
ALPHA = 0.05
LEAST = 20  # images of each kind: with fewer held-out ones no image can be told from chance
RANKED = ("distance", "ratio")
CHUNK = 1_000  # images searched at a time

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
