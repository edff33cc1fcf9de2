"""Tiny models with weights that show something, a small data set and run folders, for all tests."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganlib.data import DataSet, Split
from ganlib.data.attributes import combination_names
from ganlib.distributed import World
from ganlib.models import MODELS, GenerativeModel, Trainable
from ganlib.provenance import now
from ganlib.recipe import DataRecipe, Recipe, SplitRecipe
from ganlib.run_folder import RunFolder
from ganlib.runs import Run
from ganlib.training import Trainer, TrainingConfig
from ganlib.training.trainer import seeded

CPU = torch.device("cpu")


def tiny_config(name: str, **changes: Any) -> Any:
    cls = MODELS[name].Config
    return cls.from_dict(cls.tiny().to_dict() | changes)


def build_untrained(name: str, **changes: Any) -> Any:
    """A tiny model with fresh weights; one that grows has grown."""
    model = seeded(lambda: MODELS[name](tiny_config(name, **changes)), 0)
    model.on_images(1_000_000)
    return model


def build(name: str, **changes: Any) -> Any:
    """A tiny model in eval mode, of its own class, whose weights make classes and seeds matter, unlike fresh ones."""
    hashable = {key: tuple(value) if isinstance(value, list) else value for key, value in changes.items()}
    return deepcopy(_build(name, tuple(sorted(hashable.items()))))


@cache
def _build(name: str, changes: tuple[tuple[str, Any], ...]) -> Any:
    model = build_untrained(name, **dict(changes))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        for p in model.parameters():
            p.add_(torch.randn_like(p), alpha=0.2)
        if isinstance(model, GenerativeModel) and any("running_mean" in key for key in model.state_dict()):
            model.train()
            for _ in range(20):  # batch norm's statistics: without them pictures are grey or saturated
                labels = torch.arange(32) % model.config.num_classes if model.conditional else None
                model.generate(model.latents(range(32)), labels)
    model.eval().requires_grad_(False).before_saving(model)
    return model


def make_data(size: int = 16, channels: int = 1, classes: int = 3, n: int = 24) -> DataSet:
    rng = np.random.default_rng(0)

    def split(n: int) -> Split:
        labels = np.arange(n, dtype=np.int64) % classes if classes else np.full(n, -1, np.int64)
        return Split(rng.integers(0, 256, (n, size, size, channels), np.uint8), labels, "0123456789abcdef")

    return DataSet("noise", tuple("abcdefghijklm"[:classes]), split(n), split(6), flip=False)


def make_trainer(
    folder: Path,
    model: str | Trainable = "cdcgan",
    resume: bool = False,
    world: World | None = None,
    **settings: Any,
) -> Trainer:
    """Of a freshly initialised tiny model on noise, in steps of 4 images that are all logged."""
    if isinstance(model, str):
        name = model
        model = seeded(lambda: MODELS[name](MODELS[name].Config.tiny()), 0)
    c = model.config
    config = TrainingConfig.from_dict({"batch_size": 4, "log_every": 1, "precision": "fp32"} | settings)
    data = make_data(c.image_size, c.channels, c.num_classes)
    return Trainer(RunFolder(folder), model, data, config, CPU, resume=resume, world=world)


def write_run(path: Path, name: str = "cdcgan", attributes: tuple[str, ...] = (), **changes: Any) -> Run:
    """A finished run of a tiny model, as training would leave it; of the combinations of ``attributes``, if given."""
    if attributes:
        changes |= {"attributes": len(attributes), "num_classes": 2 ** len(attributes)}
    model = build(name, **changes)
    folder = RunFolder(path)
    train, test = (SplitRecipe(n, "0123456789abcdef") for n in (24, 6))
    classes = combination_names(attributes) if attributes else tuple("abcdefghijklm"[: model.config.num_classes])
    folder.write_config(
        Recipe(
            model=name,
            config=model.config.to_dict(),
            data=DataRecipe("noise", classes, train, test, attributes),
            training=TrainingConfig(images=64).to_dict(),
            created=now(),
        )
    )
    folder.write_weights(model, model, 64, 1.5)
    return Run(path)


def labels_for(model: Trainable, n: int) -> torch.Tensor | None:
    """Classes 0, 1, 2, 0, … where the model obeys them."""
    if isinstance(model, GenerativeModel) and model.conditional:
        return torch.arange(n) % model.config.num_classes
    return None


def generate(model: Any, seeds: list[int], labels: Any = None, **options: Any) -> torch.Tensor:
    return model.generate(model.latents(seeds), labels, **options)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
