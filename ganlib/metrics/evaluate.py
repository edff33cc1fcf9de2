"""A run -> metric records. Images are generated, measured and dropped chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ganlib.errors import GanlibError
from ganlib.metrics.accuracy import accuracy_record, share
from ganlib.metrics.codes import code_record
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.extractors import EXTRACTORS, Extracted, Extractor, extract, file_hash
from ganlib.metrics.fidelity import Statistics, frechet, statistics
from ganlib.metrics.intervals import from_blocks
from ganlib.metrics.records import Record
from ganlib.metrics.references import Progress, reference
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
    """What generates gets ``fid`` and, if it obeys classes, ``class_agreement``; a classifier ``accuracy``.

    What generates and can classify or infer codes as well also gets ``accuracy`` or ``code_accuracy``, where the
    data set has classes. Those take the images, which the others do without: where they are absent, ``warn`` gets
    the reason. They are of the run's weights alone, for a snapshot does not hold what classifies or infers, and of
    the default options, for none has a part in them.

    Nothing is written but reference statistics that were not stored yet. GanlibError says what is missing.
    """
    model: Any = run.load(device, snapshot)
    provenance = {
        "images_seen": run.images_seen if snapshot is None else snapshot,
        "weights_hash": run.weights_hash
        if snapshot is None
        else file_hash(run.folder.snapshots / f"{snapshot}.safetensors"),
        "snapshot": snapshot,
        "versions": versions(),
        "commit": commit(),
        "date": now(),
    }
    if isinstance(model, GenerativeModel):
        chosen = check_options(model, options or {})
        found = generated_records(run, model, config, device, chosen, progress)
        if run.classes and snapshot is None and not options:
            found += side_records(run, model, config, progress, warn)
    elif options:
        raise GanlibError(f"{run.name} generates nothing, so leave the option {next(iter(options))!r} out.")
    elif hasattr(model, "classify"):
        found = [accuracy_record(run, model, config, progress)]
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
    progress: Progress,
) -> list[Record]:
    """Seeds 0 … n-1. A conditional model gets class i % K with seed i, so that every block is balanced."""
    n = config.n
    extractor = EXTRACTORS[config.extractor](run, device, config.extractor_weights)
    real = reference(run, extractor, root=config.data_root, batch=config.batch, progress=progress)
    labels = [i % model.config.num_classes for i in range(n)] if model.conditional else None
    fake = extract(
        extractor,
        sample_chunks(model, range(n), labels, chunk=config.batch, **options),
        n,
        lambda done: progress("generated", done, n),
    )
    defaults = {o.name: o.default for o in model.options}
    protocol = {
        "n_real": 0,
        "n_fake": n,
        "reference": None,
        "extractor": extractor.name,
        "extractor_name": extractor.identity,
        "extractor_hash": extractor.hash,
        "resizer": extractor.resizer,
        "options": {k: v for k, v in options.items() if v != defaults[k]},
    }
    common = {
        "labels": "none" if labels is None else "balanced",
        "seeds": f"0-{n - 1}",
        "options": defaults | options,
        "warning": None,
    }
    split = {"data": run.data_name, "split": "train", "fingerprint": run.fingerprint("train")}
    records: list[Record] = [
        fid(real, fake, config.blocks)
        | {"protocol": protocol | {"n_real": real.n, "reference": split}}
        | common
        | {"warning": doubt(extractor, real.n, n, config.blocks)}
    ]
    if labels is not None and fake.predictions is not None:
        hits = int((fake.predictions == torch.tensor(labels)).sum())
        records.append(share("class_agreement", hits, n) | {"protocol": protocol} | common)
    return records


def fid(real: Statistics, fake: Extracted, blocks: int) -> Record:
    """metric, value, interval and blocks: the value is of all images, the interval from disjoint blocks."""
    features = fake.features
    value = frechet(real, statistics(features))
    parts = features.tensor_split(blocks) if blocks > 1 else ()
    values = [frechet(real, statistics(part)) for part in parts]
    return {
        "metric": "fid",
        "value": value,
        "interval": from_blocks(value, values, len(features)),
        "blocks": values,
    }


def doubt(extractor: Extractor, n_real: int, n_fake: int, blocks: int) -> str | None:
    """A covariance of fewer images than dimensions is singular, and the FID then too high."""
    sizes = {"real images": n_real, "generated images": n_fake, "images in each block": n_fake // blocks}
    for what, size in sizes.items():
        if size <= extractor.width:
            return (
                f"Only {size:,} {what} for {extractor.width:,} feature dimensions: their covariance is "
                f"singular and {'the interval unreliable' if 'block' in what else 'the FID too high'}."
            )
    return None
