"""A run -> metric records. Images are generated, measured and dropped chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.data import DataSet
from ganlib.distributed import World
from ganlib.errors import GanlibError
from ganlib.intervals import block_interval, wilson_interval
from ganlib.metrics.accuracy import accuracy_record
from ganlib.metrics.cas import cas_record, load_cas_data
from ganlib.metrics.code_accuracy import code_record
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.extractors import Extractor, build_extractor, extract, feature_rows, split_features
from ganlib.metrics.generation import Generation
from ganlib.metrics.image_to_image import image_to_image_records
from ganlib.metrics.likelihood import likelihood_record
from ganlib.metrics.measures import (
    MEASURES,
    FakeFeatures,
    RealFeatures,
    check_sizes,
    classes_too_small,
    sample_size_warning,
)
from ganlib.metrics.path_length import path_length_records
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress, chunks, load_reference, load_split
from ganlib.metrics.straightness import straightness_record
from ganlib.metrics.weights import file_hash
from ganlib.models import Classifies, GenerativeModel, ImageToImage, InfersCodes, KnowsLikelihood, MeasuresStraightness
from ganlib.partial import DealtRows
from ganlib.provenance import commit, now, versions
from ganlib.records import METRICS, Record
from ganlib.runs import Run
from ganlib.sampling import check_options
from ganlib.sampling.request import class_name


def evaluate(
    run: Run,
    config: EvaluationConfig,
    device: torch.device,
    *,
    options: dict[str, Any] | None = None,
    snapshot: int | None = None,
    progress: Progress = lambda text, done, total: None,
    warn: Callable[[str], None] = lambda sentence: None,
    store: Callable[[list[Record]], None] = lambda records: None,
    world: World | None = None,
) -> list[Record]:
    """A generative model gets the metrics of ``config``; a classifier ``accuracy`` and, as extractor, ``fid_floor``; an
    image-to-image model similarities to the wanted test images, and distances to the domain that they are to be in.

    A generative model that classifies or infers codes also gets ``accuracy`` or ``code_accuracy``, where the data set
    has classes; one with a likelihood ``bits_per_dim``, a flow ``straightness``. But for the last
    these need its images: where they are absent, ``warn`` gets the
    reason. They are measured of the run's weights alone, as snapshots hold no such networks, and only at default
    options, which have no part in them.

    Writes reference statistics that were not stored yet, and partial results, which are removed when ``store`` has
    taken the records. GanlibError says what is missing.

    Several processes share the images, their features and path lengths; rank 0 has the records, the others none.
    """
    world = world or World()
    model: Any = run.load(device, snapshot)
    if not all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()):
        raise GanlibError(f"Some weights of {run.name} are not finite, so that no image of it is: train it again.")
    provenance = provenance_fields(run, snapshot)
    generation = None
    if isinstance(model, GenerativeModel):
        checked_options = check_options(model, options or {})
        generation = Generation(
            run, model, provenance["weights_hash"], checked_options, config.n, config.batch, world, config.keep_images
        )
        records = generated_records(generation, config, device, progress, warn)
        if snapshot is None and not options and world.rank == 0:
            records += ability_records(run, model, config, progress, warn)
    elif world.rank:  # what generates nothing is measured by one process
        records = []
    elif options:
        raise GanlibError(f"{run.name} generates nothing, so leave the option {next(iter(options))!r} out.")
    elif isinstance(model, ImageToImage):
        records = image_to_image_records(run, model, config, device, progress)
    elif isinstance(model, Classifies):
        records = classifier_records(run, model, config, device, snapshot, progress, warn)
    else:
        raise GanlibError(f"{run.name} neither makes images nor classifies: there is nothing to evaluate.")
    for record in records:
        if not isfinite(record.value):
            raise GanlibError(f"{record.metric} of {run.name} came out as {record.value}; nothing was recorded.")
    records = [replace(record, **provenance) for record in records]
    if world.rank == 0:
        store(records)
    world.agree(int)  # none removes its part before all is stored
    if generation:
        generation.remove_partial_results()
    return records


def provenance_fields(run: Run, snapshot: int | None) -> dict[str, Any]:
    """The fields of a record that say which weights were measured, by what and when."""
    file = run.folder.snapshots / f"{snapshot}.safetensors"
    return {
        "images_seen": run.images_seen if snapshot is None else snapshot,
        "weights_hash": run.weights_hash if snapshot is None else file_hash(file),
        "snapshot": snapshot,
        "versions": versions(),
        "commit": commit(),
        "date": now(),
    }


def classifier_records(
    run: Run,
    model: Classifies,
    config: EvaluationConfig,
    device: torch.device,
    snapshot: int | None,
    progress: Progress,
    warn: Callable[[str], None],
) -> list[Record]:
    """Accuracy on test images and, of the run's own weights, the FID of these images by its features."""
    records = [accuracy_record(run, model, config, progress)]
    if snapshot is None:
        try:
            records.append(floor_record(run, config, device, progress))
        except GanlibError as error:
            warn(f"The FID of real images was not measured: {error}")
    return records


def ability_records(
    run: Run, model: Any, config: EvaluationConfig, progress: Progress, warn: Callable[[str], None]
) -> list[Record]:
    """How well a generative model classifies real images or infers their codes, and how likely they are to it."""
    measures: list[tuple[Any, str, Callable[..., Record]]] = [
        (KnowsLikelihood, "Bits/dim", likelihood_record),
        (MeasuresStraightness, "Straightness", straightness_record),
    ]
    if run.classes:
        measures += [(Classifies, "Accuracy", accuracy_record), (InfersCodes, "Code accuracy", code_record)]
    records = []
    for name, measure in ((name, measure) for ability, name, measure in measures if isinstance(model, ability)):
        try:
            records.append(measure(run, model, config, progress))
        except GanlibError as error:
            warn(f"{name} was not measured: {error}")
    return records


def generated_records(
    generation: Generation,
    config: EvaluationConfig,
    device: torch.device,
    progress: Progress,
    warn: Callable[[str], None],
) -> list[Record]:
    """What cannot be measured is refused before an image is generated."""
    world = generation.world
    prepared = world.agree(lambda: prepare(generation, config, device, progress))
    extractor, data = prepared.extractor, prepared.cas_data
    if config.per_class and prepared.real and (reason := _unmeasured_classes(generation, prepared.real, config.blocks)):
        warn(reason)
    images = generation.images(progress) if data or config.keep_images or generation.kept else None
    records: list[Record] = []
    if extractor and prepared.real:
        names = prepared.feature_metrics
        records += feature_records(names, generation, images, extractor, prepared.real, config.blocks, progress)
    if extractor and "ppl" in config.metrics:
        records += path_length_records(generation, extractor, config.space, config.blocks, progress)
    if data and images and images.all is not None:
        pixels = images_of(images.all, generation)
        records.append(cas_record(generation, pixels, data, device, progress))
    return records


class Prepared(NamedTuple):
    """What metrics of generated images take besides them."""

    extractor: Extractor | None
    feature_metrics: list[str]
    real: RealFeatures | None  # where there are such metrics
    cas_data: DataSet | None


def prepare(generation: Generation, config: EvaluationConfig, device: torch.device, progress: Progress) -> Prepared:
    """GanlibError for what cannot be measured."""
    world = generation.world
    prepared = world.rank_0_first(lambda: _select(generation, config, device))
    if prepared.feature_metrics and prepared.extractor:
        real = load_reference(
            generation.run,
            prepared.extractor,
            root=config.data_root,
            batch=config.batch,
            progress=progress,
            world=world,
        )
        check_sizes(prepared.feature_metrics, real, generation.n, config.blocks, generation.labels)
        prepared = prepared._replace(real=real)
    return prepared


def _select(generation: Generation, config: EvaluationConfig, device: torch.device) -> Prepared:
    """Without the real features."""
    requested = set(config.metrics)
    data = load_cas_data(generation, config.data_root) if "cas" in requested else None
    if "ppl" in requested and config.space not in generation.model.spaces:
        raise GanlibError(
            f"{generation.run.name} has no space {config.space!r}; it has {', '.join(generation.model.spaces)}."
        )
    extractor, feature_metrics = None, []
    if requested != {"cas"} or config.per_class:
        extractor = build_extractor(config.extractor, generation.run, device, config.extractor_weights)
        feature_metrics = select_feature_metrics(generation, config, extractor)
    if not (feature_metrics or requested & {"ppl", "cas"}):
        raise GanlibError(
            f"Of {generation.run.name} there is no {' and no '.join(config.metrics) or 'number'} by the extractor "
            f"{config.extractor}; choose other --metrics."
        )
    return Prepared(extractor, feature_metrics, None, data)


def images_of(rows: Tensor, generation: Generation) -> NDArray[np.uint8]:
    """(m, H * W * C) -> (m, H, W, C)."""
    c = generation.model.config
    return rows.numpy().reshape(-1, c.image_size, c.image_size, c.channels)


def _unmeasured_classes(generation: Generation, real: RealFeatures, blocks: int) -> str | None:
    """A sentence on the classes without a FID of their own."""
    if generation.labels is None:
        return "FID of each class was not measured: it takes none."
    if not real.classes:
        return f"FID of each class was not measured: the reference statistics of {generation.run.data_name} have none."
    too_small = classes_too_small(real, generation.labels, blocks, generation.model.config.num_classes)
    names = [f"{class_name(generation.run, label)!r} ({reason})" for label, reason in too_small.items()]
    return f"FID was not measured of the classes {', '.join(names)}: it takes at least two of each." if names else None


def select_feature_metrics(generation: Generation, config: EvaluationConfig, extractor: Extractor) -> list[str]:
    """The requested metrics of features; those of classes only where model and extractor know the classes."""
    if "isc" in config.metrics and not extractor.classes:
        raise GanlibError(f"The inception score takes class logits, which {extractor.name} has not; leave isc out.")
    names = [name for name in dict.fromkeys(config.metrics) if name in MEASURES] + ["class_fid"] * config.per_class
    has_agreement = generation.model.conditional and extractor.own_classes
    possible = {"class_agreement": has_agreement, "class_fid": generation.model.conditional}
    return [name for name in names if possible.get(name, True)]


def feature_records(
    names: list[str],
    generation: Generation,
    images: DealtRows | None,
    extractor: Extractor,
    real: RealFeatures,
    blocks: int,
    progress: Progress,
) -> list[Record]:
    """``images``: where another metric needs them; else they are measured chunk by chunk. [] but for rank 0."""

    def chunks_of_images(start: int) -> Iterator[NDArray[np.uint8]]:
        assert images is not None
        for i in range(start, generation.n, generation.batch):
            yield images_of(images.own[i - images.start : i - images.start + generation.batch], generation)

    source, stage = (generation.chunks, "generated") if images is None else (chunks_of_images, "measured")
    rows = generation.rows(
        "features",
        generation.n,
        extractor.width + extractor.classes,
        lambda start: feature_rows(extractor, source(start)),
        partial(progress, stage),
        extractor=extractor.hash,
    ).all
    if rows is None:
        return []
    fake = FakeFeatures(*split_features(extractor, rows), labels=generation.labels)
    return [
        generation.record(
            value.metric,
            value.value,
            interval=wilson_interval(*value.hits)
            if value.hits
            else block_interval(value.value, value.blocks, value.n_fake, proportion=METRICS[value.metric].proportion),
            blocks=tuple(value.blocks),
            protocol=protocol(
                generation.run,
                extractor,
                n_real=value.n_real,
                n_fake=value.n_fake,
                split="train" if value.n_real else None,
                options=generation.changed_options,
                **_with_class_name(value.extra, generation.run),
            ),
            warning=sample_size_warning(value, extractor.width, extractor.classes, blocks),
        )
        for name in names
        for value in MEASURES[name](real, fake, blocks)
    ]


def floor_record(run: Run, config: EvaluationConfig, device: torch.device, progress: Progress) -> Record:
    """FID of the test images against the training images: what a perfect generator of as many would have.

    Without an interval: test images lie class by class, so that parts of them are no smaller samples of the whole.
    """
    extractor = build_extractor(config.extractor, run, device, config.extractor_weights)
    train = load_reference(run, extractor, "train", root=config.data_root, batch=config.batch, progress=progress)
    test = load_split(run, "test", config.data_root)
    features = extract(
        extractor,
        lambda start: chunks(test, config.batch, start),
        len(test),
        lambda done: progress("test images", done, len(test)),
    )
    (value,) = MEASURES["fid"](train, FakeFeatures(*features, None), 1)
    return Record(
        metric="fid_floor",
        value=value.value,
        protocol=protocol(run, extractor, n_real=value.n_real, n_fake=value.n_fake, split="train"),
        warning=sample_size_warning(value, extractor.width, extractor.classes, 1),
    )


def _with_class_name(extra: dict[str, Any], run: Run) -> dict[str, Any]:
    return extra | {"class": run.classes[extra["class"]]} if "class" in extra else extra
