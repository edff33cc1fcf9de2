"""Records of image-to-image models: test images degraded, transformed and compared with what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.data import Split
from ganlib.data.batches import stratified_indices
from ganlib.data.subset import rows_of_classes
from ganlib.errors import GanlibError
from ganlib.intervals import block_interval, mean_interval
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.extractors import Extractor, build_extractor, extract
from ganlib.metrics.generation import largest_in_proportion, proportional_labels
from ganlib.metrics.measures import MEASURES, FakeFeatures, RealFeatures, Value, check_sizes, sample_size_warning
from ganlib.metrics.protocol import class_mix, protocol
from ganlib.metrics.references import Progress, chunks, compute_reference, load_reference, load_split
from ganlib.metrics.similarity import SIMILARITIES
from ganlib.models import ImageToImage
from ganlib.records import Record
from ganlib.runs import Run
from ganlib.sampling import transform_chunks
from ganlib.sampling.request import class_name

DISTANCES = ("fid", "kid")  # of ``EvaluationConfig.metrics`` those that outputs have


class Direction(NamedTuple):
    """What is evaluated at once: all of a paired model, or one way between two domains."""

    task: str  # as records have it
    rows: NDArray[np.int64]  # of the test split
    target: int | None  # the domain, None where it is the whole data set


def image_to_image_records(
    run: Run, model: ImageToImage, config: EvaluationConfig, device: torch.device, progress: Progress
) -> list[Record]:
    """Similarities to the wanted images where there are any, and distances to the images of the target domain."""
    test = load_split(run, "test", config.data_root)
    records: list[Record] = []
    extractor = None
    if set(config.metrics) & set(DISTANCES):
        extractor = build_extractor(config.extractor, run, device, config.extractor_weights)
    elif not model.paired:
        raise GanlibError(f"No single image is the wanted one in {model.task}: measure {run.name} by fid or kid.")
    for direction in directions(run, model, test, config.n):
        outputs = Outputs(run, model, test, direction, config, progress)
        if model.paired:
            records += outputs.similarity_records()
        if extractor:
            records += outputs.distance_records(extractor)
    return records


def directions(run: Run, model: ImageToImage, test: Split, n: int) -> list[Direction]:
    if model.task != "translation":
        return [Direction(model.condition, _inputs(run, test.labels, n), None)]
    return [
        Direction(
            f"{class_name(run, source)} to {class_name(run, 1 - source)}",
            np.flatnonzero(test.labels == source)[:n],
            1 - source,
        )
        for source in (0, 1)
    ]


def _inputs(run: Run, labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Sorted rows of at most n test images, even over the classes, or as these are in an imbalanced data set."""
    counts = run.recipe.data.class_counts
    if not class_mix(run):
        return np.sort(stratified_indices(labels, n))
    available = np.bincount(labels[labels >= 0], minlength=len(counts)).tolist()
    n = min(n, largest_in_proportion(available, counts))
    return rows_of_classes(labels, proportional_labels(counts, n).bincount(minlength=len(counts)).numpy())


class Outputs:
    """The outputs of one direction, computed anew for each use: none are kept."""

    def __init__(
        self,
        run: Run,
        model: ImageToImage,
        test: Split,
        direction: Direction,
        config: EvaluationConfig,
        progress: Progress,
    ) -> None:
        self.run, self.model, self.test, self.direction = run, model, test, direction
        self.config, self.progress = config, progress

    def __len__(self) -> int:
        return len(self.direction.rows)

    def chunks(self, start: int = 0) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Whole images and outputs, (m, H, W, C) uint8 each."""
        for first in range(start, len(self), self.config.batch):
            rows = self.direction.rows[first : first + self.config.batch]
            images = np.array(self.test.images[rows])
            for part in transform_chunks(self.model, images, self.test.labels[rows], first=first, chunk=len(rows)):
                yield images[: len(part.outputs)], part.outputs
                images = images[len(part.outputs) :]

    def similarity_records(self) -> list[Record]:
        values: dict[str, list[float]] = {name: [] for name in SIMILARITIES}
        for targets, outputs in self.chunks():
            for name, measure in SIMILARITIES.items():
                values[name] += measure(outputs, targets).tolist()
            self.progress("compared", len(values["psnr"]), len(self))
        return [
            Record(
                metric=name,
                value=float(np.mean(numbers)),
                interval=mean_interval(numbers),
                protocol=self.protocol(None, n_real=len(self), split="test"),
            )
            for name, numbers in values.items()
            if np.isfinite(numbers).all()  # SSIM of images smaller than its window is not
        ]

    def distance_records(self, extractor: Extractor) -> list[Record]:
        names = [name for name in DISTANCES if name in self.config.metrics]
        real = self.reference(extractor)
        check_sizes(names, real, len(self), self.config.blocks, None)
        fake = self.features(extractor, translated=True)
        records = [
            self.record(f"target_{name}", value, extractor)
            for name in names
            for value in self.measure(name, real, fake)
        ]
        if self.direction.target is not None and "fid" in names:  # how far apart the domains are without translation
            before = self.features(extractor, translated=False)
            records += [self.record("source_fid", value, extractor) for value in self.measure("fid", real, before)]
        return records

    def measure(self, name: str, real: RealFeatures, fake: FakeFeatures) -> list[Value]:
        return MEASURES[name](real, fake, self.config.blocks)

    def features(self, extractor: Extractor, *, translated: bool) -> FakeFeatures:
        """Of the outputs, or of the images as they were."""

        def report(done: int) -> None:
            self.progress("transformed", done, len(self))

        extracted = extract(
            extractor, lambda start: (pair[translated] for pair in self.chunks(start)), len(self), report
        )
        return FakeFeatures(*extracted, labels=None)

    def reference(self, extractor: Extractor) -> RealFeatures:
        """Of the training images, of the target domain where there is one."""
        root, batch = self.config.data_root, self.config.batch
        if self.direction.target is None:
            return load_reference(self.run, extractor, "train", root=root, batch=batch, progress=self.progress)
        train = load_split(self.run, "train", root)
        rows = np.flatnonzero(train.labels == self.direction.target)
        domain = Split(np.array(train.images[rows]), np.full(len(rows), -1), train.fingerprint)
        extracted = extract(extractor, lambda start: chunks(domain, batch, start), len(domain))
        return compute_reference(extracted.features, domain.labels)

    def record(self, metric: str, value: Value, extractor: Extractor) -> Record:
        return Record(
            metric=metric,
            value=value.value,
            interval=block_interval(value.value, value.blocks, value.n_fake),
            blocks=tuple(value.blocks),
            protocol=self.protocol(extractor, n_real=value.n_real, n_fake=value.n_fake, split="train", **value.extra),
            warning=sample_size_warning(value, extractor.width, extractor.classes, self.config.blocks),
        )

    def protocol(self, extractor: Extractor | None, **fields: Any) -> Any:
        mix = {} if self.direction.target is not None else class_mix(self.run)  # a domain is a class of its own
        return protocol(self.run, extractor, task=self.direction.task, **fields, **mix)
