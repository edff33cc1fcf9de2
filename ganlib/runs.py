"""Run folders: one training of one model, and the folder is everything.

config.json           the recipe: model and its config, data set and fingerprints, training, versions, commit
weights.safetensors   averaged weights of what generates, last weights of the rest
log.csv               scalars                samples/<images>.webp          pictures as training went on
evaluation.json       metric records         reconstructions/<images>.webp  test images again, where it can encode
state.pt              what resuming needs    snapshots/<images>.safetensors averaged weights; both while training
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from ganlib.data.sets import SplitName
from ganlib.errors import GanlibError, shortened
from ganlib.files import PARTIAL, is_locked, remove_partial_files, require_file, write_atomically
from ganlib.models import MODELS, GenerativeModel, ImageToImage, ModelConfig, Trainable, blueprint
from ganlib.naming import displayable, nearest_names, run_names
from ganlib.recipe import Recipe, read_recipe, write_recipe
from ganlib.settings import run_roots
from ganlib.tensors import TensorHeader, read_header, read_safetensors

OLD_PARTIAL = re.compile(
    r"\.(?:config\.json|state\.pt|log\.csv|weights\.safetensors|evaluation\.json|\d+\.(?:safetensors|webp))\.[a-z0-9_]{8}"
)
NUMBER = re.compile("0|[1-9][0-9]{0,14}")  # below 2^53, up to which a browser knows each integer
LARGEST_SHEET = 20_000_000  # bytes of a picture of samples
LARGEST_NUMBER = 2**53  # of images and seconds in metadata
LOCK_SECONDS = 1.0  # in which one that only looks whether a run is in training has let go of its lock


class RunError(GanlibError):
    """This run cannot be used; the others can."""


@dataclass(frozen=True)
class RunFolder:
    """Paths and writes. Every write is atomic."""

    path: Path

    config = property(lambda self: self.path / "config.json")
    weights = property(lambda self: self.path / "weights.safetensors")
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

    def reconstruction_images(self) -> list[int]:
        """Images seen at each picture of test images and their reconstructions; [] of what cannot encode."""
        return _numbers(self.reconstructions, "webp")


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


class Run:
    """A run folder read and checked; RunError if it is not one. ``name`` is its folder's unless given."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path, self.name = path, name or displayable(path.name)
        self.folder = RunFolder(path)
        if displayable(str(path)) != str(path):  # which the format of weights cannot open
            raise RunError(f"{displayable(str(path))} has a name that is no UTF-8; rename the folder.")
        try:
            self.recipe: Recipe = read_recipe(self.folder.config)
        except GanlibError as error:
            raise RunError(str(error)) from None
        try:
            self.config: ModelConfig = MODELS[self.model_name].Config.from_dict(dict(self.recipe.config))
        except GanlibError as error:
            raise RunError(f"{self.folder.config}: {error}") from None
        if self.config.num_classes not in (0, len(self.classes)):
            raise RunError(
                f"{self.folder.config} names {len(self.classes)} classes for a model of {self.config.num_classes}; "
                "restore the file from its source."
            )

    @property
    def model_name(self) -> str:
        return self.recipe.model

    @property
    def data_name(self) -> str:
        return self.recipe.data.name

    @property
    def classes(self) -> tuple[str, ...]:
        return self.recipe.data.classes

    @property
    def note(self) -> str:
        return self.recipe.note

    def fingerprint(self, split: SplitName) -> str:
        """Of the data set's split at the time of training."""
        info = self.recipe.data.train if split == "train" else self.recipe.data.test
        if info is None:
            raise RunError(f"{self.folder.config} lacks the fingerprint of its {split} data; restore it.")
        return info.fingerprint

    @property
    def training(self) -> dict[str, Any]:
        """Fields of the TrainingConfig it was trained with."""
        if self.recipe.training is None:
            raise RunError(f"{self.folder.config} lacks how the run was trained; restore it from its source.")
        return dict(self.recipe.training)

    @property
    def model_class(self) -> type[Trainable]:
        return MODELS[self.model_name]

    @cached_property
    def blueprint(self) -> Trainable:
        """The architecture without weights or memory: for what shapes alone can tell."""
        try:
            return blueprint(self.model_class, self.config)
        except GanlibError as error:
            raise RunError(f"{self.folder.config}: {error}") from None

    @property
    def generates(self) -> bool:
        return isinstance(self.blueprint, GenerativeModel)

    @property
    def transforms(self) -> bool:
        """Whether it turns images into images."""
        return isinstance(self.blueprint, ImageToImage)

    @property
    def conditional(self) -> bool:
        return isinstance(self.blueprint, GenerativeModel) and self.blueprint.conditional

    @cached_property
    def parameters(self) -> dict[str, int]:
        """Trainable parameters of each network, by its name."""
        networks = self.blueprint.named_children()
        return {name: sum(p.numel() for p in network.parameters()) for name, network in networks}

    @cached_property
    def metadata(self) -> dict[str, str]:
        """``images`` seen and ``seconds`` of training behind the weights; ``promoted`` if a snapshot was chosen."""
        return _read_header(self.folder.weights).metadata

    @property
    def images_seen(self) -> int:
        return int(self._number("images"))

    @property
    def training_seconds(self) -> float:
        return self._number("seconds")

    def _number(self, key: str) -> float:
        text = self.metadata.get(key, "0")
        try:
            number = float(text)
        except ValueError as error:
            raise _unreadable(self.folder.weights, error) from None
        if not 0 <= number <= LARGEST_NUMBER:
            raise _unreadable(self.folder.weights, ValueError(f"{key} {shortened(text)} in its metadata"))
        return number

    @property
    def weights_hash(self) -> str:
        """12 hex digits of SHA-256, the identity of these weights in caches and metric records."""
        try:
            require_file(self.folder.weights)
            stat = self.folder.weights.stat()
            return _hash(self.folder.weights, stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            raise _unreadable(self.folder.weights, error) from None

    def load(self, device: torch.device | str = "cpu", snapshot: int | None = None) -> Trainable:
        """The model with these weights, or with a snapshot's averaged ones; eval mode, no gradients."""
        self._require_fit(_read_header(self.folder.weights).shapes, snapshot)  # before memory is spent on anything else
        tensors = read_tensors(self.folder.weights)
        if snapshot is not None:
            tensors |= self.read_snapshot(snapshot)
        self._require_fit({name: tuple(tensor.shape) for name, tensor in tensors.items()})  # replaced since then?
        model = self.model_class(self.config)
        model.load_state_dict(tensors)
        # channels_last is what the CPU's and the GPU's fast convolutions want.
        model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from the stubs
        return model.eval().requires_grad_(False)

    def _require_fit(self, shapes: dict[str, tuple[int, ...]], snapshot: int | None = None) -> None:
        """RunError where tensors of these shapes, and of a snapshot's where given, are not the model's."""
        if snapshot is not None:
            shapes = shapes | _read_header(self._snapshot_file(snapshot)).shapes
        if misfit := _misfit(self.blueprint, shapes):
            raise RunError(f"{self.folder.weights} does not fit its config.json: {misfit}; restore the folder.")

    def read_snapshot(self, images: int) -> dict[str, Tensor]:
        return read_tensors(self._snapshot_file(images))

    def _snapshot_file(self, images: int) -> Path:
        path = self.folder.snapshots / f"{images}.safetensors"
        if not path.exists():
            known = ", ".join(map(str, self.folder.snapshot_images())) or "none"
            raise RunError(f"{self.name} has no snapshot at {images} images; it has: {known}.")
        return path

    def promote(self, images: int) -> None:
        """Makes a snapshot's averaged weights the run's weights; the rest stays as training left it."""
        self.load(snapshot=images)  # refuses what would not fit before anything is written
        tensors = read_tensors(self.folder.weights) | self.read_snapshot(images)
        seconds = self.training_seconds * min(images / max(self.images_seen, 1), 1)
        self.store(tensors, images=str(images), seconds=f"{seconds:.1f}", promoted="true")

    def store(self, tensors: dict[str, Tensor], **changes: str) -> None:
        """Puts these tensors in place of the weights. The metadata stay but for the changes."""
        write_atomically(self.folder.weights, save(tensors, self.metadata | changes))
        self.__dict__.pop("metadata", None)


def run_folders(roots: Iterable[Path] | None = None) -> dict[Path, str]:
    """Every folder of the roots that holds a recipe, and a name that no other of them has."""
    roots = run_roots() if roots is None else roots
    return run_names(config.parent for root in roots for config in sorted(root.glob("*/config.json")))


def scan(roots: Iterable[Path] | None = None) -> tuple[list[Run], list[RunError]]:
    """All runs of the roots, no two of one name, and the reason for each folder that only looks like one."""
    roots = run_roots() if roots is None else list(roots)
    runs, broken = [], []
    for path, name in run_folders(roots).items():
        try:
            runs.append(Run(path, name))
        except Exception as error:  # whatever a folder holds, the other runs are shown
            broken.append(as_run_error(path, error))
    for path in (weights.parent for root in roots for weights in sorted(root.glob("*/weights.safetensors"))):
        if not (path / "config.json").exists():
            broken.append(RunError(f"{path} has weights but no config.json; copy the whole folder again."))
    return runs, broken


def as_run_error(path: Path, error: Exception) -> RunError:
    """What is wrong with the run in this folder; of an error that nobody foresaw, its own words."""
    if isinstance(error, RunError):
        return error
    if isinstance(error, GanlibError):
        return RunError(f"{path}: {error}")
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return RunError(f"{path} cannot be read as a run ({reason}); restore it from its source.")


def find_run(name: str, roots: Iterable[Path] | None = None) -> Run:
    """A run by its folder's path, by its folder's name in the roots or by the name that ``scan`` gives it."""
    if _is_folder_of_run(Path(name)):
        return Run(Path(name))
    roots = run_roots() if roots is None else list(roots)
    names = run_folders(roots)
    for path, given in names.items():
        if name == given:
            return Run(path, given)
    if not names:
        raise RunError(f"There is no run {name!r}; {no_runs(roots)}")
    nearest = nearest_names(name, sorted(names.values()))
    hint = f"the nearest are {', '.join(nearest)}; " if nearest else ""
    raise RunError(f"There is no run {name!r}; {hint}`python -m ganlib list runs` shows all {len(names)}.")


def no_runs(roots: Iterable[Path]) -> str:
    """Where runs were looked for in vain, and what to do."""
    return (
        f"no runs are in {' or '.join(map(str, roots))}: train one with `python -m ganlib train`, copy one there, or "
        "name its parent folder in GANLIB_RUNS."
    )


def _is_folder_of_run(path: Path) -> bool:
    try:
        return (path / "config.json").exists()
    except OSError:  # a name from a link may be longer than any path
        return False


def _read_header(path: Path) -> TensorHeader:
    try:
        return read_header(path)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return read_safetensors(path)[0]
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> RunError:
    if not path.exists():
        return RunError(f"{path} is missing; copy the whole run folder again.")
    reason = " ".join(str(error).split())[:120]
    return RunError(f"{path} is damaged ({reason}); copy the whole run folder again.")


def _misfit(model: Trainable, shapes: dict[str, tuple[int, ...]]) -> str:
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    for name in sorted(expected.keys() | shapes.keys()):
        if name not in shapes:
            return f"{name} is missing"
        if name not in expected:
            return f"{shortened(name)} is unknown to {type(model).__name__}"
        if shapes[name] != expected[name]:
            return f"{name} has shape {shortened(shapes[name])} instead of {expected[name]}"
    return ""


@lru_cache(maxsize=256)
def _hash(path: Path, mtime_ns: int, size: int) -> str:
    with path.open("rb") as f:
        return file_digest(f, "sha256").hexdigest()[:12]
