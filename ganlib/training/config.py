"""How a run is trained, whatever its architecture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch

from ganlib.config import Config, option
from ganlib.devices import bf16_helps


@dataclass(frozen=True)
class TrainingConfig(Config):
    images: int = option(0, "stop after this many training images, 0 = no limit", min=0)
    max_minutes: float = option(0.0, "stop after this many minutes of training, 0 = no limit", min=0.0)
    batch_size: int = option(64, "images per step", min=2)
    microbatches: int = option(
        1, "parts of a process's share of each step, one after the other: less memory, the same training", min=1
    )
    sync_batch_norm: bool = option(False, "batch norm over the whole step's images, where several processes share them")
    seed: int = option(0, "seed of the initial weights, the data's order and all noise", min=0, max=2**32 - 1)
    precision: Literal["auto", "bf16", "fp32"] = option(
        "auto", "mixed precision; auto = bf16 where the hardware has it"
    )
    compile: bool = option(
        False, "compile the networks first (torch.compile): faster on a GPU; not where a loss has second derivatives"
    )
    only: int = option(0, "images of the data set to train on, evenly over the classes; 0 = all", min=0)
    labels: int = option(0, "training images that keep their label, evenly over the classes; 0 = all", min=0)
    labelled_share: float = option(0.5, "fraction of each batch drawn from those that keep theirs", min=0.0, max=1.0)
    flip: Literal["auto", "on", "off"] = option("auto", "mirror images at random; auto = as the data set says")
    ema_half_life: int = option(20_000, "half-life of the averaged weights, in images", min=0)
    ema_ramp: float = option(0.05, "half-life never above this fraction of the images seen", min=0.0)
    phases: str = option("*", "train only the phases whose name matches this pattern")
    log_every: int = option(20, "steps per row of the log", min=1)
    state_every: float = option(60.0, "seconds between saves of the state that a resumed run starts from", min=0.0)
    snapshot_first: int = option(1_000, "images before the first snapshot after the one at 0", min=1)
    snapshot_growth: float = option(1.41, "each snapshot at this multiple of the one before", min=1.01)
    snapshot_at: tuple[int, ...] = option((), "images of further snapshots, between those of the schedule", min=1)


def precision_here(config: TrainingConfig, device: torch.device) -> TrainingConfig:
    """Another machine's settings for this one: mixed precision that this device would only emulate becomes ``auto``."""
    return replace(config, precision="auto") if config.precision == "bf16" and not bf16_helps(device) else config


def resolve_precision(config: TrainingConfig, device: torch.device) -> TrainingConfig:
    """Replaces ``auto`` by the precision this device trains fastest in, so that the recipe records what was used."""
    if config.precision != "auto":
        return config
    return replace(config, precision="bf16" if bf16_helps(device) else "fp32")
