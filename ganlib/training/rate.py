"""How many images a second a training gets through."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from ganlib.data import DataSet
from ganlib.models import Batch, Trainable
from ganlib.run_folder import RunFolder
from ganlib.training.config import TrainingConfig
from ganlib.training.trainer import Trainer

WARM_UP = 3  # steps, in which kernels are chosen and networks compiled


def training_rates(
    model: Trainable, data: DataSet, config: TrainingConfig, device: torch.device, seconds: float, blocks: int = 4
) -> list[float]:
    """Images a second of the steps of a real training, in ``blocks`` of so many ``seconds``; they train ``model``.

    On a CPU a second is one of the process's computing, all its threads together; other processes still slow it down,
    by the caches and the memory that they share.
    """
    with TemporaryDirectory() as folder:
        trainer = Trainer(RunFolder(Path(folder)), model, data, replace(config, images=1, max_minutes=0.0), device)
        stream = trainer.batches()
        for _ in range(WARM_UP):
            trainer.train_on(Batch(*next(stream)))
        rates = []
        for _ in range(blocks):
            before, start = trainer.images, _now(device)
            while trainer.images == before or _now(device) - start < seconds:
                for _ in range(trainer.config.log_every if device.type == "cuda" else 1):
                    trainer.train_on(Batch(*next(stream)))
            rates.append((trainer.images - before) / (_now(device) - start))
        return rates


def _now(device: torch.device) -> float:
    if device.type == "cpu":
        return time.process_time()
    (torch.mps.synchronize if device.type == "mps" else torch.cuda.synchronize)()
    return time.perf_counter()
