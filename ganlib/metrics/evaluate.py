"""A run -> metric records. Images are generated, measured and dropped chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.errors import GanlibError
from ganlib.metrics.accuracy import accuracy_record
from ganlib.metrics.codes import code_record
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.extractors import EXTRACTORS, Extractor, extract, file_hash
from ganlib.metrics.intervals import from_blocks, of_share
from ganlib.metrics.measures import MEASURES, Fake, Value
from ganlib.metrics.partial import Partial
from ganlib.metrics.records import Record
from ganlib.metrics.references import Progress, chunks, load_split, reference
from ganlib.models import GenerativeModel
from ganlib.provenance import commit, now, versions
from ganlib.runs import Run
from ganlib.sampling import check_options, sample_chunks


def evaluate(
    run: Run,
    config: EvaluationConfig,
    device: torch.device,
    *,
    options: dict[str, Any] | None = None,
    snapshot: int | None = None,
    progress: Progress = lambda text, done, total: None,
    warn: Callable[[str], None] = lambda sentence: None,
) -> list[Record]:
    """What generates gets the metrics of ``config``; a classifier ``accuracy`` and, as an extractor, ``fid_floor``.

    What generates and can classify or infer codes as well also gets ``accuracy`` or ``code_accuracy``, where the
    data set has classes. Those take the images, which the others do without: where they are absent, ``warn`` gets
    the reason. They are of the run's weights alone, for a snapshot does not hold what classifies or infers, and of
    the default options, for none has a part in them.

    Nothing is written but reference statistics that were not stored yet. GanlibError says what is missing.
    """
    model: Any = run.load(device, snapshot)
    weights = run.weights_hash if snapshot is None else file_hash(run.folder.snapshots / f"{snapshot}.safetensors")
    provenance = {
        "images_seen": run.images_seen if snapshot is None else snapshot,
        "weights_hash": weights,
        "snapshot": snapshot,
        "versions": versions(),
        "commit": commit(),
        "date": now(),
    }
    if isinstance(model, GenerativeModel):
        chosen = check_options(model, options or {})
        found = generated_records(run, model, config, device, chosen, weights, progress)
        if run.classes and snapshot is None and not options:
            found += side_records(run, model, config, progress, warn)
    elif options:
        raise GanlibError(f"{run.name} generates nothing, so leave the option {next(iter(options))!r} out.")
    elif hasattr(model, "classify"):
        found = [accuracy_record(run, model, config, progress)]
        try:
            found.append(floor_record(run, config, device, progress))
        except GanlibError as error:
            warn(f"The FID of real images was not measured: {error}")
    else:
        raise GanlibError(f"{run.name} neither generates nor classifies: there is nothing to evaluate.")
    return [record | provenance for record in found]


def side_records(
    run: Run, model: Any, config: EvaluationConfig, progress: Progress, warn: Callable[[str], None]
) -> list[Record]:
    """What a model knows of real images beside making its own."""
    measures = {"classify": ("Accuracy", accuracy_record), "infer_codes": ("Code accuracy", code_record)}
    found = []
    for name, measure in (measures[ability] for ability in measures if hasattr(model, ability)):
        try:
            found.append(measure(run, model, config, progress))
        except GanlibError as error:
            warn(f"{name} was not measured: {error}")
    return found


def generated_records(
    run: Run,
    model: GenerativeModel,
    config: EvaluationConfig,
    device: torch.device,
    options: dict[str, Any],
    weights_hash: str,
    progress: Progress,
) -> list[Record]:
    """Seeds 0 … n-1. A conditional model gets class i % K with seed i, so that every block is balanced."""
    n = config.n
    extractor = EXTRACTORS[config.extractor](run, device, config.extractor_weights)
    real = reference(run, extractor, root=config.data_root, batch=config.batch, progress=progress)
    labels = [i % model.config.num_classes for i in range(n)] if model.conditional else None
    defaults = {o.name: o.default for o in model.options}
    depends_on = {"weights": weights_hash, "extractor": extractor.hash, "options": defaults | options}

    def images_from(start: int) -> Iterator[NDArray[np.uint8]]:
        asked = None if labels is None else labels[start:]
        return sample_chunks(model, range(start, n), asked, chunk=config.batch, **options)

    kept = Partial(run.path, depends_on)
    made = extract(extractor, images_from, n, lambda done: progress("generated", done, n), kept)
    fake = Fake(*made, None if labels is None else torch.tensor(labels))
    names = [name for name in config.metrics if name != "class_agreement" or extractor.own_classes]
    names += ["class_fid"] if config.per_class else []
    values = [value for name in names for value in MEASURES[name](real, fake, config.blocks)]
    split = {"data": run.data_name, "split": "train", "fingerprint": run.fingerprint("train")}
    records: list[Record] = [
        {
            "metric": value.metric,
            "value": value.value,
            "interval": of_share(*value.share) if value.share else from_blocks(value.value, value.parts, value.n_fake),
            "blocks": value.parts,
            "protocol": {
                "n_real": value.n_real,
                "n_fake": value.n_fake,
                "reference": split if value.n_real else None,
                "extractor": extractor.name,
                "extractor_name": extractor.identity,
                "extractor_hash": extractor.hash,
                "resizer": extractor.resizer,
                "options": {k: v for k, v in options.items() if v != defaults[k]},
                **value.how,
                **({"class": run.classes[value.how["class"]]} if "class" in value.how else {}),
            },
            "labels": "none" if labels is None else "balanced",
            "seeds": f"0-{n - 1}",
            "options": defaults | options,
            "warning": doubt(value, extractor, config.blocks),
        }
        for value in values
    ]
    kept.remove()
    return records


def floor_record(run: Run, config: EvaluationConfig, device: torch.device, progress: Progress) -> Record:
    """FID of the test images against the training images: what a perfect generator of as many would have.

    Without an interval: test images lie class by class, so that parts of them are no smaller samples of the whole.
    """
    extractor = EXTRACTORS["embedded"](run, device, None)
    train = reference(run, extractor, "train", root=config.data_root, batch=config.batch, progress=progress)
    test = load_split(run, "test", config.data_root)
    made = extract(
        extractor,
        lambda start: chunks(test, config.batch, start),
        len(test),
        lambda done: progress("test images", done, len(test)),
    )
    (value,) = MEASURES["fid"](train, Fake(*made, None), 1)
    return {
        "metric": "fid_floor",
        "value": value.value,
        "interval": None,
        "blocks": [],
        "protocol": {
            "n_real": value.n_real,
            "n_fake": value.n_fake,
            "reference": {"data": run.data_name, "split": "train", "fingerprint": run.fingerprint("train")},
            "extractor": extractor.name,
            "extractor_name": extractor.identity,
            "extractor_hash": extractor.hash,
            "resizer": extractor.resizer,
            "options": {},
        },
        "labels": "none",
        "seeds": None,
        "options": {},
        "warning": doubt(value, extractor, 1),
    }


def doubt(value: Value, extractor: Extractor, blocks: int) -> str | None:
    """A covariance of fewer images than dimensions is singular, and the FID then too high."""
    if "fid" not in value.metric:
        return None
    n = value.n_fake
    sizes = {"real images": value.n_real, "generated images": n, "images in each block": n // blocks}
    for what, size in sizes.items():
        if size <= extractor.width:
            of_class = " of the class" if "class" in value.how else ""
            return (
                f"Only {size:,} {what}{of_class} for {extractor.width:,} feature dimensions: their covariance is "
                f"singular and {'the interval unreliable' if 'block' in what else 'the FID too high'}."
            )
    return None
