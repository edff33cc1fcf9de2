"""The best snapshot of a run by the scores that it has."""

from __future__ import annotations

from typing import Any

import torch

from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.extractors import build_extractor
from ganlib.metrics.generation import select_changed_options
from ganlib.metrics.protocol import protocol
from ganlib.metrics.weights import file_hash
from ganlib.models import GenerativeModel
from ganlib.records import read_records
from ganlib.runs import Run
from ganlib.sampling import check_options


def best_snapshot(run: Run, config: EvaluationConfig, device: torch.device, options: dict[str, Any]) -> int:
    """Images of the snapshot whose latest FID under this very protocol is the lowest; GanlibError where none has one.

    Scores of a snapshot's file that is another one by now do not count.
    """
    model = run.blueprint
    if not isinstance(model, GenerativeModel):
        raise GanlibError(f"{run.name} generates nothing, so that none of its snapshots has an FID.")
    changed = select_changed_options(model, check_options(model, options))
    extractor = build_extractor(config.extractor, run, device, config.extractor_weights)
    files = {images: run.folder.snapshots / f"{images}.safetensors" for images in run.folder.snapshot_images()}
    scores = {}
    for record in read_records(run.folder.evaluation):
        if record.metric != "fid" or record.snapshot not in files:
            continue
        n_real = record.protocol.n_real  # which the reference's fingerprint decides
        expected = protocol(run, extractor, n_real=n_real, n_fake=config.n, split="train", options=changed)
        if record.protocol == expected and record.weights_hash == file_hash(files[record.snapshot]):
            scores[record.snapshot] = record.value
    if not scores:
        options_text = "".join(f", {name} {value}" for name, value in changed.items())
        raise GanlibError(
            f"No snapshot of {run.name} has an FID of n = {config.n:,}{options_text} with the "
            f"{config.extractor} extractor yet; score them with --at all."
        )
    return min(scores, key=lambda images: scores[images])
