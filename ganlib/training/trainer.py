"""The only training loop: it knows phases, never architectures."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from math import inf, isfinite

import torch
from torch import Tensor
from torch.optim import Optimizer

from ganlib.data import DataSet, batches
from ganlib.devices import bf16_helps
from ganlib.errors import GanlibError
from ganlib.models import Batch, Phase, Trainable
from ganlib.runs import RunFolder
from ganlib.training.config import TrainingConfig
from ganlib.training.ema import EMA
from ganlib.training.log import ScalarLog
from ganlib.training.pictures import save_pictures, save_reconstructions
from ganlib.training.state import load_state, save_state


@dataclass(frozen=True)
class Progress:
    """Where training stands, for a progress line."""

    step: int
    images: int
    seconds: float
    images_per_second: float
    share: float  # of the budget, 0 … 1
    scalars: dict[str, float]


class Trainer:
    """Trains ``model`` on ``data`` into ``folder``. With ``resume``, goes on from the folder's ``state.pt``.

    On the CPU a resumed run equals the uninterrupted one bit for bit (same machine, same thread count).
    """

    def __init__(
        self,
        folder: RunFolder,
        model: Trainable,
        data: DataSet,
        config: TrainingConfig,
        device: torch.device,
        *,
        resume: bool = False,
    ) -> None:
        self.folder, self.data, self.config, self.device = folder, data, config, device
        model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from the stubs
        self.model = model.train()
        self.optimizers = self.model.optimizers()
        self.phases = select_phases(self.model, config.phases)
        self.ema = EMA(self.model, config.ema_half_life, config.ema_ramp)
        self.step = self.images = 0
        self.seconds = 0.0
        torch.manual_seed(config.seed)
        if resume:
            load_state(self)
        self.log = ScalarLog(folder.log, resume_at=self.step)
        averaged = {id(p) for name in model.averaged for p in self.model.get_submodule(name).parameters()}
        self._generating = {
            name for name, opt in self.optimizers.items() if any(id(p) in averaged for p in parameters_of(opt))
        }
        self._pending: dict[str, list[Tensor]] = defaultdict(list)
        self._losses: list[tuple[str, int, Tensor]] = []

    def train(
        self,
        report: Callable[[Progress], None] = lambda progress: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Until the budget is spent or ``should_stop`` says so; either way the state is saved at the end."""
        c = self.config
        flip = self.data.flip if c.flip == "auto" else c.flip == "on"
        stream = batches(
            self.data.train,
            partial(self.model.batch_size, usual=c.batch_size),
            seed=c.seed,
            start=self.step,
            flip=flip,
            only=c.only,
            labels=c.labels,
            labelled_share=c.labelled_share,
            device=self.device,
        )
        if self.step == 0:
            self.snapshot()
            save_state(self)  # or a kill before the first save would leave nothing to resume
        due = next_snapshot(self.images, c)
        saved = flushed = time.monotonic()
        unlogged = 0
        while not (self.finished or should_stop()):
            images, labels = next(stream)
            for name in self.model.on_images(self.images):
                self.optimizers[name] = self.model.optimizers()[name]
            at_log = (self.step + 1) % c.log_every == 0
            due_phases = [phase for phase in self.phases if self.step % phase.every == 0]
            for phase in due_phases:
                self.run_phase(phase, Batch(images, labels))
            if any(phase.optimizer in self._generating for phase in due_phases):
                self.ema.update(len(images), self.images)
            self.step += 1
            self.images += len(images)
            unlogged += len(images)
            if not at_log and self.images < due:
                continue
            scalars = self.flush()
            now = time.monotonic()
            self.seconds += now - flushed
            scalars["images/s"] = unlogged / (now - flushed)
            self.log.append(self.step, self.images, scalars)
            if self.images >= due:
                self.snapshot()
                due = next_snapshot(self.images, c)
            if now - saved > c.state_every:
                save_state(self)
                saved = time.monotonic()
            report(self.progress(scalars))
            flushed, unlogged = time.monotonic(), 0
        if unlogged:
            self.seconds += time.monotonic() - flushed
            self.log.append(self.step, self.images, self.flush())
        self.snapshot()
        save_state(self)

    def run_phase(self, phase: Phase, batch: Batch) -> None:
        optimizer = self.optimizers[phase.optimizer]
        parameters = parameters_of(optimizer)
        # Gradients only where this phase trains: the other networks' cost half of a GAN's backward pass.
        self.model.requires_grad_(False)
        for p in parameters:
            p.requires_grad_(True)
        optimizer.zero_grad(set_to_none=True)
        bf16 = phase.autocast and self.config.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            loss, logs = phase.loss(batch)
        loss.backward()
        if f"grad/{phase.name}" not in self._pending:  # once a row: a norm over all weights is not free
            gradients = [p.grad for p in parameters if p.grad is not None]
            self._pending[f"grad/{phase.name}"].append(torch.nn.utils.get_total_norm(gradients))
        optimizer.step()
        self._losses.append((phase.name, self.step, loss.detach()))
        for tag, value in logs.items():
            self._pending[tag].append(value.detach())

    def flush(self) -> dict[str, float]:
        """Means since the last flush. Values stay on the device until here: one synchronisation per row."""
        losses = torch.stack([loss for _, _, loss in self._losses]).float().cpu().tolist() if self._losses else []
        sums: dict[str, list[float]] = defaultdict(list)
        for (phase, step, _), loss in zip(self._losses, losses, strict=True):
            if not isfinite(loss):
                raise self.diverged(f"The loss of phase {phase} became {loss} at step {step}")
            sums[f"loss/{phase}"].append(loss)
        for tag, values in self._pending.items():
            sums[tag] = torch.stack(values).float().cpu().tolist()
        for p in self.phases:  # a finite loss may have had a gradient that was not
            norm = torch.nn.utils.get_total_norm(parameters_of(self.optimizers[p.optimizer])).item()
            if not isfinite(norm):
                raise self.diverged(f"The norm of the weights of phase {p.name} became {norm} by step {self.step - 1}")
        self._losses.clear()
        self._pending.clear()
        return {tag: sum(values) / len(values) for tag, values in sums.items()}

    def diverged(self, what: str) -> GanlibError:
        return GanlibError(
            f"{what}; training stopped and the last good state is kept in {self.folder.path}: resume it or lower "
            "the learning rate."
        )

    def snapshot(self) -> None:
        """Averaged weights and, of what generates, the pictures of always the same seeds, classes and test images."""
        self.ema.model.before_saving()
        self.folder.write_snapshot(self.ema.model, self.images)
        self.folder.write_weights(self.model, self.ema.model, self.images, self.seconds)
        save_pictures(self.ema.model, self.folder.samples / f"{self.images}.webp")
        save_reconstructions(self.ema.model, self.data.test, self.folder.reconstructions / f"{self.images}.webp")

    @property
    def share(self) -> float:
        by_images = self.images / (self.config.images or inf)
        return max(by_images, self.seconds / (60 * self.config.max_minutes or inf))

    @property
    def finished(self) -> bool:
        return self.share >= 1

    def progress(self, scalars: dict[str, float]) -> Progress:
        return Progress(self.step, self.images, self.seconds, scalars["images/s"], min(self.share, 1), scalars)


def parameters_of(optimizer: Optimizer) -> list[torch.nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def select_phases(model: Trainable, pattern: str) -> list[Phase]:
    phases = model.phases()
    chosen = [p for p in phases if fnmatchcase(p.name, pattern)]
    if not chosen:
        raise GanlibError(f"No phase matches {pattern!r}; this model has {', '.join(p.name for p in phases)}.")
    return chosen


def next_snapshot(images: int, config: TrainingConfig) -> int:
    """The first point of the geometric schedule that lies after ``images``."""
    point = float(config.snapshot_first)
    while int(point) <= images:
        point *= config.snapshot_growth
    return int(point)


def resolve_precision(config: TrainingConfig, device: torch.device) -> TrainingConfig:
    """ "auto" becomes what this device does best, so that the recipe says what was done."""
    if config.precision != "auto":
        return config
    return replace(config, precision="bf16" if bf16_helps(device) else "fp32")


def seeded(build: Callable[[], Trainable], seed: int) -> Trainable:
    """The model whose initial weights follow from ``seed``."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build()
