"""A run -> metric records. Images are generated, measured and dropped chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.errors import GanlibError
from ganlib.metrics.accuracy import accuracy_record
from ganlib.metrics.codes import code_record
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.extractors import EXTRACTORS, Extractor, extract
from ganlib.metrics.generation import Generation
from ganlib.metrics.intervals import block_interval, wilson_interval
from ganlib.metrics.measures import MEASURES, SMALLEST, SPLITS, Fake, Real, Value, check_sizes
from ganlib.metrics.paths import path_record
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress, chunks, load_split, reference
from ganlib.metrics.transfer import data_to_classify, transfer_record
from ganlib.metrics.weights import file_hash
from ganlib.models import Classifies, GenerativeModel, InfersCodes
from ganlib.provenance import commit, now, versions
from ganlib.records import METRICS, Record
from ganlib.runs import Run
from ganlib.sampling import check_options


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
) -> list[Record]:
    """What generates gets the metrics of ``config``; a classifier ``accuracy`` and, as an extractor, ``fid_floor``.

    What generates and can classify or infer codes as well also gets ``accuracy`` or ``code_accuracy``, where the
    data set has classes. Those take the images, which the others do without: where they are absent, ``warn`` gets
    the reason. They are of the run's weights alone, for a snapshot does not hold what classifies or infers, and of
    the default options, for none has a part in them.

    Nothing is written but reference statistics that were not stored yet, and what is kept of the images until
    ``store`` has returned from taking the records. GanlibError says what is missing.
    """
    model: Any = run.load(device, snapshot)
    if not all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()):
        raise GanlibError(f"Some weights of {run.name} are not finite, so that no image of it is: train it again.")
    weights = run.weights_hash if snapshot is None else file_hash(run.folder.snapshots / f"{snapshot}.safetensors")
    provenance: dict[str, Any] = {
        "images_seen": run.images_seen if snapshot is None else snapshot,
        "weights_hash": weights,
        "snapshot": snapshot,
        "versions": versions(),
        "commit": commit(),
        "date": now(),
    }
    made = None
    if isinstance(model, GenerativeModel):
        chosen = check_options(model, options or {})
        made = Generation(run, model, weights, chosen, config.n, config.batch)
        found = generated_records(made, config, device, progress, warn)
        if run.classes and snapshot is None and not options:
            found += side_records(run, model, config, progress, warn)
    elif options:
        raise GanlibError(f"{run.name} generates nothing, so leave the option {next(iter(options))!r} out.")
    elif isinstance(model, Classifies):
        found = [accuracy_record(run, model, config, progress)]
        if snapshot is None:
            try:
                found.append(floor_record(run, config, device, progress))
            except GanlibError as error:
                warn(f"The FID of real images was not measured: {error}")
    else:
        raise GanlibError(f"{run.name} neither generates nor classifies: there is nothing to evaluate.")
    for record in found:
        if not isfinite(record.value):
            raise GanlibError(f"{record.metric} of {run.name} came out as {record.value}; nothing was recorded.")
    found = [replace(record, **provenance) for record in found]
    store(found)
    if made:
        made.forget()
    return found


def side_records(
    run: Run, model: Any, config: EvaluationConfig, progress: Progress, warn: Callable[[str], None]
) -> list[Record]:
    """What a model knows of real images beside making its own."""
    measures = ((Classifies, "Accuracy", accuracy_record), (InfersCodes, "Code accuracy", code_record))
    found = []
    for name, measure in ((name, measure) for ability, name, measure in measures if isinstance(model, ability)):
        try:
            found.append(measure(run, model, config, progress))
        except GanlibError as error:
            warn(f"{name} was not measured: {error}")
    return found


def generated_records(
    made: Generation,
    config: EvaluationConfig,
    device: torch.device,
    progress: Progress,
    warn: Callable[[str], None],
) -> list[Record]:
    """What cannot be done is refused before an image is made."""
    asked = set(config.metrics)
    data = data_to_classify(made, config.data_root) if "cas" in asked else None
    if "ppl" in asked and config.space not in made.model.spaces:
        raise GanlibError(f"{made.run.name} has no space {config.space!r}; it has {', '.join(made.model.spaces)}.")
    of_features = []
    if asked != {"cas"} or config.per_class:
        extractor = EXTRACTORS[config.extractor](made.run, device, config.extractor_weights)
        of_features = feature_metrics(made, config, extractor)
    if not (of_features or asked & {"ppl", "cas"}):
        raise GanlibError(
            f"Of {made.run.name} there is no {' and no '.join(config.metrics) or 'number'} by the extractor "
            f"{config.extractor}; choose other --metrics."
        )
    if of_features:
        real = reference(made.run, extractor, root=config.data_root, batch=config.batch, progress=progress)
        check_sizes(of_features, real, made.n, config.blocks, made.model.config.num_classes)
    if config.per_class and not ("class_fid" in of_features and real.classes):
        why = f"{made.run.data_name} has too few images of a class" if made.model.conditional else "it takes none"
        warn(f"FID of each class was not measured: {why}.")
    images = made.images(progress) if data else None
    found: list[Record] = []
    if of_features:
        found += feature_records(of_features, made, images, extractor, real, config.blocks, progress)
    if "ppl" in asked:
        found.append(path_record(made, extractor, config.space, config.blocks, progress))
    if data and images is not None:
        found.append(transfer_record(made, images, data, device, progress))
    return found


def feature_metrics(made: Generation, config: EvaluationConfig, extractor: Extractor) -> list[str]:
    """Those asked for that features decide. Of classes none where none is obeyed, or the extractor knows others."""
    if "isc" in config.metrics and not extractor.classes:
        raise GanlibError(f"The inception score takes class logits, which {extractor.name} has not; leave isc out.")
    names = [name for name in dict.fromkeys(config.metrics) if name in MEASURES] + ["class_fid"] * config.per_class
    agrees = made.model.conditional and extractor.own_classes
    possible = {"class_agreement": agrees, "class_fid": made.model.conditional}
    return [name for name in names if possible.get(name, True)]


def feature_records(
    names: list[str],
    made: Generation,
    images: NDArray[np.uint8] | None,
    extractor: Extractor,
    real: Real,
    blocks: int,
    progress: Progress,
) -> list[Record]:
    """images: all of ``made`` where they are kept; else they are made, measured and dropped."""

    def chunks_of_images(start: int) -> Iterator[NDArray[np.uint8]]:
        assert images is not None
        yield from (images[i : i + made.batch] for i in range(start, made.n, made.batch))

    source, doing = (made.chunks, "generated") if images is None else (chunks_of_images, "measured")
    kept = made.partial("features", extractor=extractor.hash)
    fake = Fake(
        *extract(extractor, source, made.n, lambda done: progress(doing, done, made.n), kept), labels=made.labels
    )
    return [
        made.record(
            value.metric,
            value.value,
            interval=wilson_interval(*value.share)
            if value.share
            else block_interval(value.value, value.parts, value.n_fake, proportion=METRICS[value.metric].proportion),
            blocks=tuple(value.parts),
            protocol=protocol(
                made.run,
                extractor,
                n_real=value.n_real,
                n_fake=value.n_fake,
                split="train" if value.n_real else None,
                options=made.changed,
                **value.how | ({"class": made.run.classes[value.how["class"]]} if "class" in value.how else {}),
            ),
            warning=doubt(value, extractor, blocks),
        )
        for name in names
        for value in MEASURES[name](real, fake, blocks)
    ]


def floor_record(run: Run, config: EvaluationConfig, device: torch.device, progress: Progress) -> Record:
    """FID of the test images against the training images: what a perfect generator of as many would have.

    Without an interval: test images lie class by class, so that parts of them are no smaller samples of the whole.
    """
    extractor = EXTRACTORS[config.extractor](run, device, config.extractor_weights)
    train = reference(run, extractor, "train", root=config.data_root, batch=config.batch, progress=progress)
    test = load_split(run, "test", config.data_root)
    made = extract(
        extractor,
        lambda start: chunks(test, config.batch, start),
        len(test),
        lambda done: progress("test images", done, len(test)),
    )
    (value,) = MEASURES["fid"](train, Fake(*made, None), 1)
    return Record(
        metric="fid_floor",
        value=value.value,
        protocol=protocol(run, extractor, n_real=value.n_real, n_fake=value.n_fake, split="train"),
        warning=doubt(value, extractor, 1),
    )


def doubt(value: Value, extractor: Extractor, blocks: int) -> str | None:
    """Why to distrust a number of too few images: a covariance of no more of them than dimensions is singular."""
    if value.metric == "isc" and value.n_fake // SPLITS < extractor.classes:
        each = value.n_fake // SPLITS
        return f"Only {each:,} images in each split for {extractor.classes:,} classes: the score is too low."
    if "fid" not in value.metric:
        return None
    of_class = " of the class" if "class" in value.how else ""
    least, where, wrong = value.n_fake, of_class, "FID too high"
    if value.metric == "fid_infinity":
        least, where, wrong = least // SMALLEST, " at the smallest size", "extrapolation unreliable"
    for size, what, consequence in (
        (value.n_real, f"real images{of_class}", "FID too high"),
        (least, f"generated images{where}", wrong),
        (least // blocks, f"images in each block{where}", "interval unreliable"),
    ):
        if size <= extractor.width:
            return (
                f"Only {size:,} {what} for {extractor.width:,} feature dimensions: their covariance is singular "
                f"and the {consequence}."
            )
    return None
