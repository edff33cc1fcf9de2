"""Runs: what a run folder (``ganlib.run_folder``) holds, read and checked, and where runs are found."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from functools import cached_property, lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from ganlib.data.sets import SplitName
from ganlib.errors import GanlibError, shortened
from ganlib.files import read_json, require_file, write_atomically
from ganlib.models import MODELS, GenerativeModel, ImageToImage, ModelConfig, Trainable, blueprint
from ganlib.naming import displayable, nearest_names, run_names
from ganlib.recipe import LARGEST_NUMBER, Recipe, read_recipe
from ganlib.run_folder import RunError, RunFolder
from ganlib.settings import run_roots
from ganlib.tensors import TensorHeader, read_header, read_safetensors

WEIGHTS_HASH = re.compile("[0-9a-f]{12}")


class Run:
    """A run folder read and checked; RunError if it is not one. ``name`` is its folder's unless given.

    ``argument``: what a command line calls it. A name that is not its folder's, as of two runs of one name, is what
    only this process calls it.
    """

    def __init__(self, path: Path, name: str | None = None, argument: str = "") -> None:
        self.path, self.name = path, name or displayable(path.name)
        self.argument = argument or (self.name if self.name == path.name else str(path))
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
    def archived(self) -> bool:
        """Whether its weights were left out: curves, records and pictures are all there is."""
        return self.folder.weights_record.exists() and not self.folder.weights.exists()

    @property
    def generates(self) -> bool:
        """Whether it has weights that draw images."""
        return isinstance(self.blueprint, GenerativeModel) and not self.archived

    @property
    def transforms(self) -> bool:
        """Whether it has weights that turn images into images."""
        return isinstance(self.blueprint, ImageToImage) and not self.archived

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
        """``images`` seen and ``seconds`` of training behind the weights.

        Where a snapshot was chosen, ``promoted`` and, for the next choice, ``seconds_per_image``.
        """
        return self._weights_record[1] if self.archived else _read_header(self.folder.weights).metadata

    @cached_property
    def _weights_record(self) -> tuple[str, dict[str, str]]:
        """Hash and metadata of weights that were left out."""
        path = self.folder.weights_record
        try:
            values = read_json(path)
            weights_hash, metadata = values["weights_hash"], values["metadata"]
            if not (WEIGHTS_HASH.fullmatch(weights_hash) and all(isinstance(v, str) for v in metadata.values())):
                raise ValueError("no hash and metadata of weights")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable(path, error) from None
        return weights_hash, metadata

    @property
    def images_seen(self) -> int:
        return int(self._number("images"))

    @property
    def training_seconds(self) -> float:
        return self._number("seconds")

    @property
    def trained_by_gpu(self) -> bool:
        """Whether all or part of it; what does not tell was trained by one thread of a CPU."""
        return any("thread" not in part for part in self.recipe.hardware.split("; ") if part)

    @property
    def total_images(self) -> int:
        """``images_seen``, and those that the weights it started from had seen."""
        return self.images_seen + (self.recipe.start.images if self.recipe.start else 0)

    @property
    def total_seconds(self) -> float:
        """``training_seconds``, and those behind the weights it started from."""
        return self.training_seconds + (self.recipe.start.seconds if self.recipe.start else 0.0)

    def _number(self, key: str) -> float:
        path = self.folder.weights_record if self.archived else self.folder.weights
        text = self.metadata.get(key, "0")
        try:
            number = float(text)
        except ValueError as error:
            raise _unreadable(path, error) from None
        if not 0 <= number <= LARGEST_NUMBER:
            raise _unreadable(path, ValueError(f"{key} {shortened(text)} in its metadata"))
        return number

    @property
    def weights_hash(self) -> str:
        """12 hex digits of SHA-256, the identity of these weights in caches and metric records."""
        if self.archived:
            return self._weights_record[0]
        try:
            require_file(self.folder.weights)
            stat = self.folder.weights.stat()
            return _hash(self.folder.weights, stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            raise _unreadable(self.folder.weights, error) from None

    def load(self, device: torch.device | str = "cpu", snapshot: int | None = None) -> Trainable:
        """The model with these weights, or with a snapshot's averaged ones; eval mode, no gradients."""
        if self.archived:
            command = shlex.join(["python", "-m", "ganlib", "train", "--like", self.argument])
            raise RunError(f"{self.name} was archived without its weights; train it again with `{command}`.")
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
        """Makes a snapshot's averaged weights the run's weights; the rest stays as training left it.

        The seconds go by images, forwards too: after an earlier snapshot a later one may be promoted.
        """
        self.load(snapshot=images)  # refuses what would not fit before anything is written
        tensors = read_tensors(self.folder.weights) | self.read_snapshot(images)
        pace = self._number("seconds_per_image") or self.training_seconds / max(self.images_seen, 1)
        seconds = {"seconds": f"{images * pace:.9g}", "seconds_per_image": f"{pace:.9g}"}
        self.store(tensors, images=str(images), promoted="true", **seconds)

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
    roots = run_roots() if roots is None else list(roots)
    names = run_folders(roots)
    if _is_folder_of_run(Path(name)):
        return _run_at(Path(name), names)
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


def _run_at(path: Path, names: dict[Path, str]) -> Run:
    """The run of a folder: of one in no root a command line finds none, or another, by the name alone."""
    for known, given in names.items():
        if known.name == path.resolve().name and known.resolve() == path.resolve():
            return Run(known, given)
    whole = Path(os.path.abspath(path))  # "." has no name
    return Run(path if path.name not in ("", "..") else whole, argument=str(whole))


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
