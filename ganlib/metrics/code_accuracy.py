"""How well a categorical code, learned without labels, names classes.

Each of its values is given one class, no class twice: the matching that is right most often on training images
(Kuhn, "The Hungarian method for the assignment problem", 1955). The accuracy is that of the test images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.data.batches import random_subset
from ganlib.errors import GanlibError
from ganlib.images import from_uint8
from ganlib.metrics.accuracy import test_record
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.references import Progress, chunks, load_split
from ganlib.records import Record
from ganlib.runs import Run

MATCHING_IMAGES = 10_000  # of the training split


def code_record(run: Run, model: Any, config: EvaluationConfig, progress: Progress) -> Record:
    """Of the code that names the training images best. Test images whose value has no class count as wrong."""
    train, test = (load_split(run, split, config.data_root) for split in ("train", "test"))
    rows = random_subset(len(train), MATCHING_IMAGES)
    images = (np.array(train.images[rows[i : i + config.batch]]) for i in range(0, len(rows), config.batch))
    arguments = len(run.classes), model.device, progress
    train_tables = tabulate(model.infer_codes, images, train.labels[rows], *arguments)
    test_tables = tabulate(model.infer_codes, chunks(test, config.batch), test.labels, *arguments)
    if not train_tables:
        raise GanlibError(f"{run.name} has no categorical code.")
    matchings = [match(table) for table in train_tables]
    train_hits = [int(table[pairs].sum()) for table, pairs in zip(train_tables, matchings, strict=True)]
    best = int(np.argmax(train_hits))
    hits = int(test_tables[best][matchings[best]].sum())
    matched = {"data": run.data_name, "split": "train", "fingerprint": train.fingerprint, "n": len(rows)}
    return test_record(run, test, "code_accuracy", hits, code=f"c{best + 1}", matched=matched)


def match(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(K, C) counts -> min(K, C) values and the class of each, so that the counts there have the largest sum."""
    from scipy.optimize import linear_sum_assignment  # half a second, for few models

    values, classes = linear_sum_assignment(table, maximize=True)
    return values, classes


@torch.inference_mode()
def tabulate(
    infer_codes: Callable[[Tensor], list[Tensor]],
    images: Iterable[NDArray[np.uint8]],
    labels: NDArray[np.int64],
    classes: int,
    device: torch.device,
    progress: Progress,
) -> list[NDArray[np.int64]]:
    """(K, C) for each code: how many of the images, (m, H, W, C) uint8 at a time, have that value and class."""
    tables: list[NDArray[np.int64]] = []
    done = 0
    for part in images:
        inferred = infer_codes(from_uint8(part, device))
        tables = tables or [np.zeros((p.shape[1], classes), np.int64) for p in inferred]
        part_labels = labels[done : done + len(part)]
        labelled = part_labels >= 0
        for table, p in zip(tables, inferred, strict=True):
            np.add.at(table, (p.argmax(1).cpu().numpy()[labelled], part_labels[labelled]), 1)
        done += len(part)
        progress("inferred codes", done, len(labels))
    return tables
