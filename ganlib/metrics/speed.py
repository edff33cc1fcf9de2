"""How fast a run generates images on this machine."""

from __future__ import annotations

import time
from statistics import median

import torch

from ganlib.devices import hardware
from ganlib.errors import GanlibError
from ganlib.metrics.protocol import protocol
from ganlib.models import GenerativeModel
from ganlib.provenance import commit, now, versions
from ganlib.records import Interval, Record
from ganlib.runs import Run
from ganlib.sampling import sample

IMAGES, WARM_UP = 64, 2


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
    return Record(
        metric="sampling_rate",
        value=median(rates),
        interval=Interval(min(rates), max(rates), f"slowest and fastest of {calls} calls"),
        blocks=tuple(rates),
        protocol=protocol(run, None, n_fake=IMAGES, machine=hardware(device)),
        labels="balanced" if model.conditional else "none",
        seeds=f"0-{IMAGES - 1}",
        options={option.name: option.default for option in model.options},
        images_seen=run.images_seen,
        weights_hash=run.weights_hash,
        versions=versions(),
        commit=commit(),
        date=now(),
    )
