"""What a training wrote and changed."""

from __future__ import annotations

import csv
from pathlib import Path

import torch
from torch import Tensor, nn

GANS = ["dcgan", "cdcgan", "sngan"]
COLUMNS = {"loss/D", "loss/G", "D/real", "D/fake", "grad/D", "grad/G", "images/s"}


def read_log(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as f:
        return list(csv.DictReader(f))


def copy_state(model: nn.Module) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items()}


def changed(model: nn.Module, before: dict[str, Tensor]) -> set[str]:
    """Names of the child modules in which anything differs."""
    return {k.partition(".")[0] for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
