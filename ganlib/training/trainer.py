"""The only training loop: it knows phases, never architectures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import torch
from torch import Tensor

from ganlib.data import DataSet, batches
from ganlib.distributed import World
from ganlib.errors import GanlibError
from ganlib.models import Batch, Trainable
from ganlib.nn.sync_norm import synchronise_batch_norms
from ganlib.run_folder import RunFolder
from ganlib.training.config import TrainingConfig
from ganlib.training.ema import EMA
from ganlib.training.log import ScalarLog
from ganlib.training.scalars import Diverged, ScalarMeans, mean_by_tag
from ganlib.training.shares import Shares
from ganlib.training.snapshots import next_snapshot, save_reconstructions, save_samples
from ganlib.training.state import load_state, save_state
from ganlib.training.step import parameters_of, select_phases, step


@dataclass(frozen=True)
class Progress:
    """Where training stands, for a progress line."""

    step: int
    images: int
    seconds: float
    images_per_second: float
    fraction: float  # of the budget, 0 … 1
    scalars: dict[str, float]


class Trainer:
    """Trains ``model`` on ``data`` into ``folder``. With ``resume``, goes on from the folder's ``state.pt``.

    On the CPU a resumed run equals the uninterrupted one bit for bit (same machine, thread count and world size).
    Every process of a ``world`` has a trainer of the same model and data; that of rank 0 alone writes and reports.
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
        world: World | None = None,
    ) -> None:
        self.folder, self.data, self.config, self.device = folder, data, config, device
        model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from the stubs
        self.model = model.train()
        model.mirror = data.flip if config.flip == "auto" else config.flip == "on"
        self.world = world or World()
        self.shares = Shares(self.world, config.microbatches, config.seed)
        self._batch_size(0)
        if config.sync_batch_norm:
            synchronise_batch_norms(model, self.world)
        self.optimizers = self.model.optimizers()
        self.phases = select_phases(self.model, config.phases)
        self.ema = EMA(self.model, config.ema_half_life, config.ema_ramp)
        if config.compile:
            for network in self.model.children():
                network.compile()
        self.step = self.images = 0
        self.seconds = 0.0
        torch.manual_seed(config.seed)
        if resume:
            load_state(self, folder.state, device)
        self.log = ScalarLog(folder.log, resume_at=self.step) if self.writes else None
        self._means = ScalarMeans()
        averaged = {id(p) for name in model.ema_modules for p in self.model.get_submodule(name).parameters()}
        self._averaged_optimizers = {
            name
            for name, optimizer in self.optimizers.items()
            if any(id(p) in averaged for p in parameters_of(optimizer))
        }

    @property
    def writes(self) -> bool:
        """Whether this is the process that writes: weights are the same in all."""
        return self.world.rank == 0

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs to go on exactly, the random generators included.

        The noise of several processes needs none: it follows from the step.
        """
        return {
            "step": self.step,
            "images": self.images,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "ema": self.ema.model.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
            "mps_rng": torch.mps.get_rng_state() if self.device.type == "mps" else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.ema.model.load_state_dict(state["ema"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.step, self.images, self.seconds = state["step"], state["images"], state["seconds"]
        rng, cuda_rng, mps_rng = state["rng"].cpu(), state["cuda_rng"], state.get("mps_rng")  # absent from older states
        torch.set_rng_state(rng)
        if cuda_rng is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(cuda_rng.cpu(), self.device)
        if mps_rng is not None and self.device.type == "mps":
            torch.mps.set_rng_state(mps_rng.cpu())

    def train(
        self,
        report: Callable[[Progress], None] = lambda progress: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Until the budget is spent or ``should_stop`` says so; either way the state is saved at the end."""
        stream = self.batches()
        if self.step == 0:
            self.save()  # or a kill before the first save would leave nothing to resume
        snapshot_at = next_snapshot(self.images, self.config)
        saved_at = row_start = time.monotonic()
        row_images = 0
        while not (self.finished or self._stops(should_stop)):
            images, labels = next(stream)
            self.train_on(Batch(images, labels))
            row_images += len(images) * self.world.size
            if self.step % self.config.log_every and self.images < snapshot_at:
                continue
            scalars = self._write_row(row_start, row_images)
            if self.images >= snapshot_at:
                self.snapshot()
                snapshot_at = next_snapshot(self.images, self.config)
            if time.monotonic() - saved_at > self.config.state_every:
                self._save_state()
                saved_at = time.monotonic()
            if self.writes:
                report(self._progress(scalars))
            row_start, row_images = time.monotonic(), 0
        if row_images:
            self._write_row(row_start)
        self.save()

    def _stops(self, should_stop: Callable[[], bool]) -> bool:
        """Where one of several processes is to stop, all do so after the step that tells them."""
        if self.world.size == 1:
            return should_stop()
        stops, self.shares.stop = self.shares.stop, should_stop()
        return stops

    def train_on(self, batch: Batch) -> None:
        """One step: every phase that is due, and the average where a phase of this run trains what it averages.

        batch: this process's part, as many images as each other's.
        """
        batch_size = len(batch.images) * self.world.size
        for name in self.model.on_images(self.images):
            self.optimizers[name] = self.model.optimizers()[name]
        phases = [phase for phase in self.phases if self.step % phase.every == 0]
        for number, phase in enumerate(phases):
            result = step(
                self.model,
                phase,
                self.optimizers[phase.optimizer],
                batch,
                bf16=self.config.precision == "bf16",
                # Once a row: a norm over all weights is not free.
                with_gradient_norm=f"grad/{phase.name}" not in self._means,
                shares=self.shares,
                noise_key=(self.step, number),
            )
            self._means.add(phase.name, self.step, result)
        # In every step, also where G has one in several: its half-life counts images, and batch norm's statistics move.
        if any(phase.optimizer in self._averaged_optimizers for phase in self.phases):
            self.ema.update(batch_size, self.images)
        self.step += 1
        self.images += batch_size

    def save(self) -> None:
        self.snapshot()
        self._save_state()

    def _save_state(self) -> None:
        if self.writes:
            save_state(self, self.folder.state)

    def snapshot(self) -> None:
        """Averaged weights and, of what generates, images of always the same seeds, classes and test images."""
        if not self.writes:
            return
        self.ema.model.before_saving(self.model)
        self.folder.write_snapshot(self.ema.model, self.images)
        self.folder.write_weights(self.model, self.ema.model, self.images, self.seconds)
        save_samples(self.ema.model, self.data.test, self.folder.samples / f"{self.images}.webp")
        save_reconstructions(self.ema.model, self.data.test, self.folder.reconstructions / f"{self.images}.webp")

    @property
    def fraction(self) -> float:
        """Of the budget that is spent; more than 1 where the last batch went beyond."""
        by_images = self.images / (self.config.images or inf)
        return max(by_images, self.seconds / (60 * self.config.max_minutes or inf))

    @property
    def finished(self) -> bool:
        return self.fraction >= 1

    def _batch_size(self, images_seen: int) -> int:
        """GanlibError where it does not divide."""
        size = self.model.batch_size(images_seen, self.config.batch_size)
        self.shares.check(size, self.model.in_pairs)
        return size

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and labels of this process's part of each step, from the next one on."""
        c = self.config
        return batches(
            self.data.train,
            self._batch_size,
            seed=c.seed,
            start=self.step,
            flip=self.model.mirror and not self.model.mirrors_batches,
            only=c.only,
            labels=c.labels,
            labelled_share=c.labelled_share,
            in_pairs=self.model.in_pairs,
            rank=self.world.rank,
            world_size=self.world.size,
            device=self.device,
        )

    def _write_row(self, start: float, images: int = 0) -> dict[str, float]:
        """Logs the steps since ``start``, with their rate where ``images`` of them are counted."""
        try:
            scalars = self._means.pop_means()
            self._check_weights()
        except Diverged as error:
            raise GanlibError(
                f"{error}; training stopped and the last good state is kept in {self.folder.path}: resume it or lower "
                "the learning rate."
            ) from error
        # Rank 0's clock counts, or the processes would not end at the same step.
        rows = self.world.gather((scalars, time.monotonic() - start))
        scalars, seconds = mean_by_tag([row for row, _ in rows]), rows[0][1]
        self.seconds += seconds
        if images:
            scalars["images/s"] = images / seconds
        if self.log:
            self.log.append(self.step, self.images, scalars)
        return scalars

    def _check_weights(self) -> None:
        """A finite loss may have had a gradient that was not."""
        for phase in self.phases:
            norm = torch.nn.utils.get_total_norm(parameters_of(self.optimizers[phase.optimizer])).item()
            if not isfinite(norm):
                raise Diverged(f"The norm of the weights of phase {phase.name} became {norm} by step {self.step - 1}")

    def _progress(self, scalars: dict[str, float]) -> Progress:
        return Progress(self.step, self.images, self.seconds, scalars["images/s"], min(self.fraction, 1), scalars)


def seeded(build: Callable[[], Trainable], seed: int) -> Trainable:
    """The model whose initial weights follow from ``seed``."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build()
