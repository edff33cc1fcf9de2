"""How fast a run generates images, and trains, on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import torch

from ganlib.data import load_data
from ganlib.devices import hardware
from ganlib.errors import GanlibError
from ganlib.metrics.protocol import protocol
from ganlib.models import GenerativeModel
from ganlib.provenance import commit, now, versions
from ganlib.records import Interval, Record
from ganlib.runs import Run
from ganlib.sampling import sample
from ganlib.training import TrainingConfig
from ganlib.training.config import precision_here, resolve_precision
from ganlib.training.rate import training_rates
from ganlib.training.trainer import seeded

IMAGES, WARM_UP, BLOCKS = 64, 2, 4


def speed_record(run: Run, device: torch.device, calls: int = 9) -> Record:
    """``sampling_rate``: images a second of 64 images in one call, default options, the median of ``calls`` calls.

    The interval is that of the slowest and the fastest call. GanlibError for a run that generates nothing.
    """
    model = run.load(device)
    if not isinstance(model, GenerativeModel):
        raise GanlibError(f"{run.name} generates nothing, so it has no sampling rate.")
    labels = [i % model.config.num_classes for i in range(IMAGES)] if model.conditional else None
    rates = []
    for call in range(WARM_UP + calls):
        start = time.perf_counter()
        sample(model, range(IMAGES), labels)
        if call >= WARM_UP:
            rates.append(IMAGES / (time.perf_counter() - start))
    return _record(
        run,
        "sampling_rate",
        rates,
        f"slowest and fastest of {calls} calls",
        protocol=protocol(run, None, n_fake=IMAGES, machine=hardware(device)),
        labels="balanced" if model.conditional else "none",
        seeds=f"0-{IMAGES - 1}",
        options={option.name: option.default for option in model.options},
    )


def training_record(run: Run, device: torch.device, seconds: float = 20.0, root: str | None = None) -> Record:
    """``training_rate``: images a second of training by the run's recipe, from new weights on; see ``training_rates``.

    Mixed precision that the device would only emulate is left out.

    The median of four blocks, over ``seconds`` in all; the interval is that of the slowest and the fastest. GanlibError
    for a run that comes from elsewhere, or whose data set is not at hand.
    """
    config = resolve_precision(precision_here(TrainingConfig.from_dict(run.training), device), device)
    data = load_data(run.data_name, root=root, size=run.config.image_size, channels=run.config.channels)
    model = seeded(lambda: run.model_class(run.config), config.seed)
    rates = training_rates(model, data, config, device, seconds / BLOCKS, BLOCKS)
    how = f"slowest and fastest of {BLOCKS} blocks"
    where = protocol(run, None, machine=hardware(device), precision=config.precision)
    return _record(run, "training_rate", rates, how, protocol=where)


def _record(run: Run, metric: str, rates: Sequence[float], how: str, **fields: Any) -> Record:
    return Record(
        metric=metric,
        value=median(rates),
        interval=Interval(min(rates), max(rates), how),
        blocks=tuple(rates),
        images_seen=run.images_seen,
        weights_hash=run.weights_hash,
        versions=versions(),
        commit=commit(),
        date=now(),
        **fields,
    )
