"""Statistics of real images, computed once per extractor and split and stored beside the extractor.

``<references>/<split>-<fingerprint>.safetensors``: mu (d,) and sigma (d, d) in float64, sample (m, d) in float32,
class_mu (K, d) and class_sigma (K, d, d) in float32, class_n (K,); in the metadata n, split, fingerprint, extractor
hash, the data set's name and, where classes are imbalanced, that the sample is "random". Shipped with a classifier,
they let every machine evaluate without the data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save

from ganlib.data import DataSet, Split, load_data
from ganlib.data.batches import random_subset, stratified_indices, stratified_subset
from ganlib.data.sets import Images, SplitName, is_imbalanced
from ganlib.distributed import World
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.metrics.extractors import Extractor, feature_rows, split_features
from ganlib.metrics.frechet import Statistics, statistics
from ganlib.metrics.measures import RealFeatures
from ganlib.partial import deal_rows
from ganlib.runs import Run
from ganlib.tensors import read_safetensors

Progress = Callable[[str, int, int], None]  # (stage, images done, images in all)

SAMPLE = 10_000  # real images whose features are stored
RANDOM = "random"  # and not even over the classes


def load_reference(
    run: Run,
    extractor: Extractor,
    split: SplitName = "train",
    *,
    root: str | None = None,
    batch: int = 64,
    progress: Progress = lambda text, done, total: None,
    world: World | None = None,
) -> RealFeatures:
    """Of the run's data set. GanlibError when nothing usable is stored and the data set is not at hand.

    Where a process of the ``world`` has nothing stored, all measure a part of the images, and rank 0 stores the whole.
    """
    world = world or World()
    path = extractor.references / f"{split}-{run.fingerprint(split)}.safetensors"
    stored, reason = world.agree(partial(_read_stored, path, extractor, run.fingerprint(split), split))
    if all(world.gather(stored is not None)) and stored:
        return stored
    try:
        images = world.agree(lambda: world.rank_0_first(lambda: load_split(run, split, root)))
    except GanlibError as error:
        missing = f"{reason} To compute them again give its folder with --data-root: {error}"
        raise type(error)(missing) from None

    def report(done: int, total: int) -> None:
        progress(f"reference {run.data_name} {split}", done, total)

    width = extractor.width + extractor.classes
    rows = deal_rows(
        world,
        len(images),
        width,
        batch,
        lambda part: None,
        lambda start: feature_rows(extractor, chunks(images, batch, start)),
        report,
    ).all
    world.agree(lambda: None if rows is None else _store(path, run, extractor, split, images, rows))
    # Read again, so that a number is the same the first time and ever after.
    return world.agree(lambda: read_reference(path, extractor, images.fingerprint, split))


def _read_stored(
    path: Path, extractor: Extractor, fingerprint: str, split: SplitName
) -> tuple[RealFeatures | None, str]:
    """What is stored, or why that is of no use."""
    try:
        return read_reference(path, extractor, fingerprint, split), ""
    except GanlibError as error:
        return None, str(error)


def _store(path: Path, run: Run, extractor: Extractor, split: SplitName, images: Split, rows: torch.Tensor) -> None:
    """(n, d + K) features and logits of all images."""
    real = compute_reference(split_features(extractor, rows).features, images.labels)
    content = save(
        {
            "mu": real.statistics.mu,
            "sigma": real.statistics.sigma,
            "sample": real.sample.numpy(),
            "class_mu": np.array([c.mu for c in real.classes], np.float32),
            "class_sigma": np.array([c.sigma for c in real.classes], np.float32),
            "class_n": np.array([c.n for c in real.classes], np.int64),
        },
        {
            "n": str(real.statistics.n),
            "split": split,
            "fingerprint": images.fingerprint,
            "extractor_hash": extractor.hash,
            "data": run.data_name,
            **({"sample": RANDOM} if is_imbalanced([c.n for c in real.classes]) else {}),
        },
    )
    try:
        write_atomically(path, content)
    except OSError as error:
        raise GanlibError(f"The reference statistics cannot be stored as {path} ({error}).") from None


def compute_reference(features: torch.Tensor, labels: NDArray[np.int64]) -> RealFeatures:
    """(n, d) and (n,), -1 = no class -> what the metrics compare with."""
    classes = [features[torch.from_numpy(labels == label)] for label in range(int(labels.max(initial=-1)) + 1)]
    d = features.shape[1]
    empty = np.zeros(d), np.zeros((d, d))  # one image has no covariance: the class stays, with its n alone
    of_classes = (statistics(part) if len(part) > 1 else Statistics(*empty, len(part)) for part in classes)
    few_or_even = len(labels) <= SAMPLE or not is_imbalanced([len(part) for part in classes])
    sample = torch.from_numpy(stratified_indices(labels, SAMPLE) if few_or_even else random_subset(len(labels), SAMPLE))
    return RealFeatures(statistics(features), features[sample], tuple(of_classes))


def read_reference(path: Path, extractor: Extractor, fingerprint: str, split: SplitName) -> RealFeatures:
    """GanlibError when the file is absent, damaged, made by another extractor or of other images."""
    if not path.exists():
        raise GanlibError(f"There are no reference statistics {path}.")
    try:
        read, metadata = read_safetensors(path)
        n, tensors = int(metadata["n"]), {name: tensor.numpy() for name, tensor in read.items()}
        mu, sigma, sample = tensors["mu"], tensors["sigma"], tensors["sample"]
        classes = [
            Statistics(m.astype(np.float64), s.astype(np.float64), int(n))
            for m, s, n in zip(tensors["class_mu"], tensors["class_sigma"], tensors["class_n"], strict=True)
        ]
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise GanlibError(f"The reference statistics {path} are damaged ({error}).") from None
    if metadata.get("extractor_hash") != extractor.hash:
        raise GanlibError(f"The reference statistics {path} were made with other weights of the extractor.")
    if (metadata.get("fingerprint"), metadata.get("split")) != (fingerprint, split):
        raise GanlibError(f"The reference statistics {path} are of other images: {metadata.get('data')}'s, as it says.")
    if n > SAMPLE and is_imbalanced([c.n for c in classes]) and metadata.get("sample") != RANDOM:
        raise GanlibError(f"The reference statistics {path} have a sample that is even over imbalanced classes.")
    d = extractor.width
    shapes = [mu.shape == (d,), sigma.shape == (d, d), sample.ndim == 2 and sample.shape[1] == d]
    shapes += [c.mu.shape == (d,) and c.sigma.shape == (d, d) for c in classes]
    if not all(shapes) or mu.dtype != np.float64 or sigma.dtype != np.float64 or sample.dtype != np.float32:
        raise GanlibError(f"The reference statistics {path} are not those of {d} features.")
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise GanlibError(f"The reference statistics {path} hold numbers that are not finite.")
    return RealFeatures(Statistics(mu, sigma, n), torch.from_numpy(sample), tuple(classes))


def load_split(run: Run, split: SplitName, root: str | None) -> Split:
    """The images that the run was trained or tested on; GanlibError when they are absent or have other pixels."""
    data = load_set(run, root, split)
    return data.train if split == "train" else data.test


class TrainingImages(NamedTuple):
    """What a run has seen, and whether mirrored as well."""

    images: Images
    mirrored: bool


def load_training_images(run: Run, root: str | None) -> TrainingImages:
    """All that the run was trained on, of a data set that it may have seen a part of; GanlibError as ``load_split``."""
    data, training = load_set(run, root, "train"), run.recipe.training or {}
    only, flip = int(training.get("only", 0)), training.get("flip", "auto")
    images = data.train.images
    if only:
        images = images[stratified_subset(data.train.labels, only)]
    return TrainingImages(images, data.flip if flip == "auto" else flip == "on")


def load_set(run: Run, root: str | None, split: SplitName) -> DataSet:
    """The run's data set, with the images that the run knows in this split."""
    c = run.config
    data = load_data(run.data_name, size=c.image_size, channels=c.channels, root=root)
    images = data.train if split == "train" else data.test
    if images.fingerprint != run.fingerprint(split):
        raise GanlibError(
            f"The {split} images of {run.data_name} found here are not those of {run.name} (their pixels "
            "differ); name their folder with --data-root."
        )
    return data


def chunks(split: Split, batch: int, start: int = 0) -> Iterator[NDArray[np.uint8]]:
    """(m, H, W, C) uint8, copied: torch does not take the memory map's read-only pages."""
    for first in range(start, len(split), batch):
        yield np.array(split.images[first : first + batch])
