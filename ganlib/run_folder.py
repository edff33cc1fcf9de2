"""Run folders: one training of one model, and the folder is everything. ``ganlib.runs`` reads them.

config.json           the recipe: model and its config, data set and fingerprints, training, versions, commit
weights.safetensors   averaged weights of what generates, last weights of the rest
log.csv               scalars                samples/<images>.webp          pictures as training went on
evaluation.json       metric records         reconstructions/<images>.webp  test images again, where it can encode
state.pt              what resuming needs    snapshots/<images>.safetensors averaged weights; both while training
weights.json          in place of weights that were left out: their hash and metadata (``archive``)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors.torch import save
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.files import PARTIAL, is_locked, remove_partial_files, write_atomically
from ganlib.models import Trainable
from ganlib.recipe import Recipe, write_recipe

OLD_PARTIAL = re.compile(
    r"\.(?:config\.json|state\.pt|log\.csv|weights\.safetensors|evaluation\.json|\d+\.(?:safetensors|webp))\.[a-z0-9_]{8}"
)
NUMBER = re.compile("0|[1-9][0-9]{0,14}")  # below 2^53, up to which a browser knows each integer
LARGEST_SHEET = 20_000_000  # bytes of a picture of samples
LOCK_SECONDS = 1.0  # in which one that only looks whether a run is in training has let go of its lock


class RunError(GanlibError):
    """This run cannot be used; the others can."""


@dataclass(frozen=True)
class RunFolder:
    """Paths and writes. Every write is atomic."""

    path: Path

    config = property(lambda self: self.path / "config.json")
    weights = property(lambda self: self.path / "weights.safetensors")
    weights_record = property(lambda self: self.path / "weights.json")
    log = property(lambda self: self.path / "log.csv")
    samples = property(lambda self: self.path / "samples")
    reconstructions = property(lambda self: self.path / "reconstructions")
    evaluation = property(lambda self: self.path / "evaluation.json")
    snapshots = property(lambda self: self.path / "snapshots")
    state = property(lambda self: self.path / "state.pt")
    _lock = property(lambda self: self.path / ".training.lock")

    @contextmanager
    def training(self) -> Iterator[None]:
        """Held by the one process that trains into this folder; RunError where another one does."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._lock)
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise self._in_training_error from None
        try:
            self.remove_partial_files()
            yield
        finally:
            lock.release()

    @property
    def _in_training_error(self) -> RunError:
        return RunError(f"{self.path} is being trained by another process; stop that one first.")

    def require_untrained(self) -> None:
        """RunError where a process trains into this folder now."""
        if self.in_training():
            raise self._in_training_error

    def in_training(self) -> bool:
        """Whether a process trains into this folder now."""
        return is_locked(self._lock)

    def is_empty(self) -> bool:
        """Whether there is nothing in it, the lock and what was left half written aside."""
        rest = self.path.iterdir() if self.path.exists() else ()
        return all(file == self._lock or file.name.endswith(PARTIAL) for file in rest)

    def remove_partial_files(self) -> None:
        """What killed processes left half written."""
        remove_partial_files(self.path, below=True)
        for folder in (self.path, self.samples, self.reconstructions, self.snapshots):
            for path in folder.glob(".*"):  # named so before there were locks
                if OLD_PARTIAL.fullmatch(path.name):
                    with suppress(OSError):  # of another user
                        path.unlink()

    def write_config(self, recipe: Recipe) -> None:
        write_recipe(self.config, recipe)

    def write_snapshot(self, model: Trainable, images: int) -> None:
        """Averaged modules alone; a model without any has no snapshots."""
        if model.ema_modules:
            content = save(averaged_tensors(model), {"images": str(images)})
            write_atomically(self.snapshots / f"{images}.safetensors", content)

    def write_weights(self, model: Trainable, average: Trainable, images: int, seconds: float) -> None:
        tensors = {**model.state_dict(), **averaged_tensors(average)}
        metadata = {"images": str(images), "seconds": f"{seconds:.1f}"}
        write_atomically(self.weights, save({k: v.contiguous() for k, v in tensors.items()}, metadata))

    def snapshot_images(self) -> list[int]:
        return _numbers(self.snapshots, "safetensors")

    def sample_images(self) -> list[int]:
        """Images seen at each picture of the training."""
        return _numbers(self.samples, "webp")

    def samples_near(self, shares: Iterable[float], total: int) -> list[int]:
        """Of ``sample_images`` the nearest to each of these shares of ``total`` images, each once, never the start."""
        return _nearest([images for images in self.sample_images() if images], [share * total for share in shares])

    def snapshots_near(self, points: Iterable[float], end: int) -> list[int]:
        """Of the snapshots the nearest to each of these numbers of images, each once, none of the start or ``end``."""
        return _nearest([images for images in self.snapshot_images() if 0 < images < end], points)

    def reconstruction_images(self) -> list[int]:
        """Images seen at each picture of test images and their reconstructions; [] of what cannot encode."""
        return _numbers(self.reconstructions, "webp")


def _nearest(candidates: list[int], points: Iterable[float]) -> list[int]:
    nearest = (min(candidates, key=lambda images: abs(images - point)) for point in points if candidates)
    return list(dict.fromkeys(nearest))


def read_sheet(path: Path) -> bytes | None:
    """A picture that training saved; None for what is none, so that a page never shows a foreign file as one."""
    try:
        if path.stat().st_size > LARGEST_SHEET:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    return content if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None


def _numbers(folder: Path, ending: str) -> list[int]:
    """The numbers that files of the folder are named after, as training names them: no others can be opened again."""
    files = (path for path in folder.glob(f"*.{ending}") if NUMBER.fullmatch(path.stem) and path.is_file())
    return sorted(int(path.stem) for path in files)


def averaged_tensors(model: Trainable) -> dict[str, Tensor]:
    heads = tuple(f"{name}." for name in model.ema_modules)
    return {k: v.contiguous() for k, v in model.state_dict().items() if k.startswith(heads)} if heads else {}
