"""Metrics of features. A new one is one more function in ``MEASURES``.

A measure takes the features of real and of generated images and returns its values, each of all images and, for the
interval, of disjoint blocks of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.metrics.frechet import Statistics, frechet_of
from ganlib.metrics.neighbours import density_coverage, precision_recall
from ganlib.registry import Registry

NEIGHBOURS = {"prc": 3, "dc": 5}  # as their papers have it
KID_SUBSET = 1_000
SPLITS = 10  # of the inception score
EXTRAPOLATED = 15  # sizes of fid_infinity, from n // SMALLEST images to n
SMALLEST = 10


class RealFeatures(NamedTuple):
    """Of a split: statistics of all its images, features of a sample of them, and statistics of classes.

    The sample is even over the classes, and random where these are imbalanced.
    """

    statistics: Statistics
    sample: Tensor  # (m, d) float32
    classes: tuple[Statistics, ...]  # one a class, without values below 2 images; () where the data set has none


class FakeFeatures(NamedTuple):
    """Of generated images, in the order of their seeds."""

    features: Tensor  # (n, d) float32
    logits: Tensor  # (n, K)
    labels: Tensor | None  # (n,) int64 requested classes

    def __len__(self) -> int:
        return len(self.features)

    def blocks(self, count: int) -> list[FakeFeatures]:
        """Disjoint blocks of consecutive seeds; none for a count of 1."""
        if count < 2:
            return []
        each = [(None,) * count if t is None else t.tensor_split(count) for t in self]
        return [FakeFeatures(*block) for block in zip(*each, strict=True)]


@dataclass(frozen=True)
class Value:
    metric: str
    value: float
    blocks: list[float]  # the same of disjoint blocks of the images
    n_real: int  # images behind it, 0 where no real one was compared with
    n_fake: int
    extra: dict[str, Any] = field(default_factory=dict)  # what else belongs to the protocol
    hits: tuple[int, int] | None = None  # of how many, where the value is their proportion


Measure = Callable[[RealFeatures, FakeFeatures, int], list[Value]]  # which ``check_sizes`` has let pass

MEASURES: Registry[Measure] = Registry("metric")


def check_sizes(names: list[str], real: RealFeatures, n: int, blocks: int, labels: Tensor | None) -> None:
    """GanlibError where n images, of classes ``labels`` (n,), are too few for one of these measures."""
    if "isc" in names and n < SPLITS:
        raise GanlibError(f"The inception score takes {SPLITS} splits: {n} images are too few.")
    fewest = min(len(real.sample), n // blocks)
    for name in set(names) & set(NEIGHBOURS):
        if fewest <= NEIGHBOURS[name]:
            raise GanlibError(f"{name} looks at {NEIGHBOURS[name]} neighbours: {fewest} images in a block are too few.")
    if "class_fid" in names and labels is not None and (most := int(labels.bincount().max())) < 2 * blocks:
        raise GanlibError(f"FID of each class takes 2 images a block: {most} of a class are too few.")


def classes_too_small(real: RealFeatures, labels: Tensor, blocks: int, classes: int) -> dict[int, str]:
    """Why FID cannot be measured of some classes: how few images they have."""
    n_real = [of_class.n for of_class in real.classes] + [0] * classes
    n_fake = labels.bincount(minlength=classes).tolist()
    reasons = {}
    for label in range(classes):
        if n_real[label] < 2:
            reasons[label] = f"{n_real[label] or 'no'} training image" + "s" * (n_real[label] != 1)
        elif n_fake[label] < 2 * blocks:
            reasons[label] = f"{n_fake[label] or 'no'} generated image" + "s" * (n_fake[label] != 1)
    return reasons


@MEASURES.register("fid")
def fid(real: RealFeatures, fake: FakeFeatures, blocks: int) -> list[Value]:
    """Fréchet distance. Heusel et al., arXiv:1706.08500."""

    def distance(part: FakeFeatures) -> float:
        return frechet_of(part.features, real.statistics)

    return [
        Value("fid", distance(fake), [distance(part) for part in fake.blocks(blocks)], real.statistics.n, len(fake))
    ]


@MEASURES.register("fid_infinity")
def fid_infinity(real: RealFeatures, fake: FakeFeatures, blocks: int) -> list[Value]:
    """FID's bias is linear in 1 / n: the line's value at 1 / n = 0. Chong, Forsyth, arXiv:1911.07023."""

    def limit(part: FakeFeatures) -> float:
        # Any first n seeds are a fair sample, as even over the classes as the whole is.
        sizes = np.linspace(max(len(part) // SMALLEST, 2), len(part), EXTRAPOLATED).astype(int)
        values = [frechet_of(part.features[:n], real.statistics) for n in sizes]
        return float(np.polynomial.Polynomial.fit(1 / sizes, values, 1).convert()(0.0))

    values = [limit(part) for part in fake.blocks(blocks)]
    extra = {"sizes": EXTRAPOLATED}
    return [Value("fid_infinity", limit(fake), values, real.statistics.n, len(fake), extra)]


@MEASURES.register("kid")
def kid(real: RealFeatures, fake: FakeFeatures, blocks: int) -> list[Value]:
    """Unbiased squared MMD of cubic kernels, mean over subsets. Bińkowski et al., arXiv:1801.01401."""
    from ganlib.metrics.fidelity import kernel_distance

    size = min(KID_SUBSET, len(real.sample), len(fake) // blocks)

    def distance(part: FakeFeatures) -> float:
        return kernel_distance(real.sample, part.features, size)

    values = [distance(part) for part in fake.blocks(blocks)]
    return [Value("kid", distance(fake), values, len(real.sample), len(fake), {"subset": size})]


@MEASURES.register("isc")
def isc(real: RealFeatures, fake: FakeFeatures, blocks: int) -> list[Value]:
    """Inception score, by splits. Salimans et al., arXiv:1606.03498, section 4."""
    from ganlib.metrics.fidelity import inception_scores

    scores = inception_scores(fake.logits, SPLITS)
    return [Value("isc", float(np.mean(scores)), scores, 0, len(fake), {"splits": SPLITS})]


@MEASURES.register("prc")
def prc(real: RealFeatures, fake: FakeFeatures, blocks: int) -> list[Value]:
    """Precision and recall by nearest neighbours. Kynkäänniemi et al., arXiv:1904.06991."""
    return neighbour_metrics("prc", ("precision", "recall"), precision_recall, real, fake, blocks)


@MEASURES.register("dc")
def dc(real: RealFeatures, fake: FakeFeatures, blocks: int) -> list[Value]:
    """Density and coverage. Naeem et al., arXiv:2002.09797."""
    return neighbour_metrics("dc", ("density", "coverage"), density_coverage, real, fake, blocks)


def neighbour_metrics(
    name: str,
    metrics: tuple[str, str],
    compute: Callable[[Tensor, Tensor, int], tuple[float, float]],
    real: RealFeatures,
    fake: FakeFeatures,
    blocks: int,
) -> list[Value]:
    k = NEIGHBOURS[name]
    values = compute(real.sample, fake.features, k)
    blockwise = [compute(real.sample, part.features, k) for part in fake.blocks(blocks)]
    return [
        Value(metric, values[i], [pair[i] for pair in blockwise], len(real.sample), len(fake), {"neighbours": k})
        for i, metric in enumerate(metrics)
    ]


@MEASURES.register("class_fid")
def class_fid(real: RealFeatures, fake: FakeFeatures, blocks: int) -> list[Value]:
    """FID of the images of each class that has enough of them, of a conditional model."""
    if fake.labels is None:
        return []
    values, too_small = [], classes_too_small(real, fake.labels, blocks, len(real.classes))
    for label, of_class in enumerate(real.classes):
        if label in too_small:
            continue
        features = fake.features[fake.labels == label]
        parts = features.tensor_split(blocks) if blocks > 1 else ()
        distances = [frechet_of(part, of_class) for part in parts]
        distance = frechet_of(features, of_class)
        values.append(Value("class_fid", distance, distances, of_class.n, len(features), {"class": label}))
    return values


@MEASURES.register("class_agreement")
def class_agreement(real: RealFeatures, fake: FakeFeatures, blocks: int) -> list[Value]:
    """The fraction of images that the extractor puts in the requested class."""
    if fake.labels is None:
        return []
    hits = int((fake.logits.argmax(1) == fake.labels).sum())
    return [Value("class_agreement", hits / len(fake), [], 0, len(fake), hits=(hits, len(fake)))]


def sample_size_warning(value: Value, width: int, classes: int, blocks: int) -> str | None:
    """Why to distrust a number of few images: the covariance of no more images than dimensions is singular."""
    if value.metric == "isc" and value.n_fake // SPLITS < classes:
        each = value.n_fake // SPLITS
        return f"Only {each:,} images in each split for {classes:,} classes: the score is too low."
    if "fid" not in value.metric:
        return None
    of_class = " of the class" if "class" in value.extra else ""
    fewest, where, effect = value.n_fake, of_class, "FID too high"
    if value.metric == "fid_infinity":
        fewest, where, effect = fewest // SMALLEST, " at the smallest size", "extrapolation unreliable"
    for size, kind, consequence in (
        (value.n_real, f"real images{of_class}", "FID too high"),
        (fewest, f"generated images{where}", effect),
        (fewest // blocks, f"images in each block{where}", "interval unreliable"),
    ):
        if size <= width:
            return (
                f"Only {size:,} {kind} for {width:,} feature dimensions: their covariance is singular "
                f"and the {consequence}."
            )
    return None
