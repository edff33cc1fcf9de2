"""How far a flow's paths from noise to images depart from straight lines.

Liu, Gong, Liu, "Flow Straight and Fast", ICLR 2023, arXiv:2209.03003, equation 3, here over each path's squared length.
"""

from __future__ import annotations

import torch

from ganlib.intervals import mean_interval
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.protocol import protocol
from ganlib.metrics.references import Progress
from ganlib.models import GenerativeModel, MeasuresStraightness
from ganlib.records import Record
from ganlib.runs import Run

SEEDS, STEPS, BATCH = 256, 20, 64


def straightness_record(run: Run, model: MeasuresStraightness, config: EvaluationConfig, progress: Progress) -> Record:
    """Of the first seeds, with every class alike often."""
    assert isinstance(model, GenerativeModel)
    values: list[float] = []
    for start in range(0, SEEDS, BATCH):
        seeds = range(start, start + BATCH)
        labels = torch.tensor(seeds) % model.config.num_classes if model.conditional else None
        with torch.inference_mode():
            values += model.straightness(model.latents(seeds), labels, steps=STEPS).tolist()
        progress("straightness", len(values), SEEDS)
    return Record(
        metric="straightness",
        value=sum(values) / len(values),
        interval=mean_interval(values),
        protocol=protocol(run, None, n_fake=SEEDS, steps=STEPS),
    )
