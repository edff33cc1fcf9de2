"""Cached reading: runs by their files' times, models and pictures by their weights' hash."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import torch

from ganlib import records
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.figures import PALETTE
from ganlib.logs import recipes
from ganlib.models import GenerativeModel
from ganlib.naming import run_names
from ganlib.runs import Run, RunError, scan
from ganlib.sampling import Growing, interpolate, sample, sample_stages
from ganlib.sampling.request import InterpolationRequest, SampleRequest
from ganlib.settings import run_roots

Signature = tuple[tuple[str, int, int], ...]

STRIP = 8  # images, and stages of each, that a strip shows at most


_seen: ContextVar[dict[str, Signature] | None] = ContextVar("seen", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Inside, the roots are looked at once: a page shows one state of them, whatever comes and goes meanwhile."""
    before = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(before)


def signature(pattern: str) -> Signature:
    """Path, time and size of each matching file in the roots: a cache key that notices every change."""
    seen = _seen.get()
    if seen is None:
        return _look(pattern)
    if pattern not in seen:
        seen[pattern] = _look(pattern)
    return seen[pattern]


def _look(pattern: str) -> Signature:
    found = []
    for path in (p for root in run_roots() for p in sorted(root.glob(pattern))):
        with suppress(FileNotFoundError):  # gone since it was listed
            stat = path.stat()
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def runs(keep: Callable[[Run], bool] = lambda run: True) -> list[Run]:
    """All usable runs that ``keep`` accepts; ``broken_runs`` has the rest."""
    return [run for run in _scan(_run_files())[0] if keep(run)]


def broken_runs() -> list[RunError]:
    return _scan(_run_files())[1]


def weights_hashes() -> dict[str, str]:
    """The identity of each usable run's present weights: numbers measured of others are no longer its own."""
    return _hashes(_run_files())


def run_colours(names: Collection[str] | None = None) -> dict[str, str]:
    """Run name -> "#rrggbb" of its architecture: of all runs or of these."""
    return {run.name: PALETTE[run.model_class.colour] for run in runs() if names is None or run.name in names}


def generates(run: Run) -> bool:
    return run.generates


def best_first(chosen: Iterable[Run]) -> list[Run]:
    """Lowest FID first, then what nobody measured, most images seen first: an order to offer runs in, no ranking."""
    scores = usual_scores()
    fids = scores[scores.metric == "fid"]
    values = dict(zip(fids.run, fids.value, strict=True))
    return sorted(chosen, key=lambda run: (values.get(run.name, inf), -run.images_seen))


def run_folders() -> tuple[Path, ...]:
    """All run folders. Names are given to all at once, so that a run is called the same on every page."""
    return tuple(Path(config).parent for config, _, _ in signature("*/config.json"))


def _run_files() -> Signature:
    return signature("*/config.json") + signature("*/weights.safetensors")


@lru_cache(maxsize=4)  # asked several times a page: Streamlit's hashing of the signature would cost more than the scan
def _scan(files: Signature) -> tuple[list[Run], list[RunError]]:
    found, broken = scan()
    whole = []
    for run in found:
        try:
            run.weights_hash, run.images_seen, run.blueprint  # noqa: B018  (what does not fit or is damaged shows)
            whole.append(run)
        except RunError as error:
            broken.append(error)
        except GanlibError as error:  # of the architecture, which knows nothing of folders
            broken.append(RunError(f"{run.folder.config}: {error}"))
    return whole, broken


@lru_cache(maxsize=4)
def _hashes(files: Signature) -> dict[str, str]:
    return {run.name: run.weights_hash for run in _scan(files)[0]}


def _release(model: GenerativeModel) -> None:
    """GPU memory is given back; the CPU's is free as soon as nobody holds the model."""
    if model.device.type == "cuda":
        del model
        gc.collect()
        torch.cuda.empty_cache()


@st.cache_resource(max_entries=8, show_spinner="Loading weights…", on_release=_release)
def _model(path: str, weights_hash: str, device: str) -> GenerativeModel:
    model = Run(Path(path)).load(pick_device(device))
    assert isinstance(model, GenerativeModel)
    return model


def model_of(run: Run) -> GenerativeModel:
    """The run's model on the chosen device, shared by all sessions: never change it."""
    return _model(str(run.path), run.weights_hash, st.session_state.get("device", "auto"))


def pictures_of(request: SampleRequest) -> np.ndarray:
    """(N, H, W, C) uint8 of a request."""
    if has_stages(request.run, request.options):
        return growing(request).finish()
    return _pictures(request.run.weights_hash, asked(request), request)


def growing(request: SampleRequest) -> Growing:
    """Pictures that come in stages, as far as anybody has let them come: shared by all sessions."""
    return _growing(request.run.weights_hash, asked(request), st.session_state.get("device", "auto"), request)


@st.cache_resource(max_entries=32, show_spinner=False)
def _growing(weights_hash: str, asked: str, device: str, _request: SampleRequest) -> Growing:
    return Growing(model_of(_request.run), _request.image_seeds, _request.image_labels, **_request.options)


def asked(request: SampleRequest) -> str:
    """The request in words, which hash faster than hundreds of numbers one by one."""
    return repr((request.image_seeds, request.image_labels, sorted(request.options.items())))


@st.cache_data(max_entries=64, show_spinner=False)
def _pictures(weights_hash: str, asked: str, _request: SampleRequest) -> np.ndarray:
    return sample(model_of(_request.run), _request.image_seeds, _request.image_labels, **_request.options)


def has_stages(run: Run, options: dict[str, Any]) -> bool:
    return model_of(run).stages(**options) > 1


def stages_of(request: SampleRequest) -> dict[int, np.ndarray]:
    """(N, h, w, C) uint8 by the number of the stage: some, evenly, from the first to the last."""
    return _stages(request.run.weights_hash, asked(request), request)


@st.cache_data(max_entries=16, show_spinner=False)
def _stages(weights_hash: str, asked: str, _request: SampleRequest) -> dict[int, np.ndarray]:
    seeds, labels = _request.image_seeds, _request.image_labels
    stages = sample_stages(model_of(_request.run), seeds, labels, **_request.options)
    shown = np.linspace(0, len(stages) - 1, min(len(stages), STRIP)).round().astype(int)
    return {int(i) + 1: stages[i] for i in shown}


def frames_of(walk: InterpolationRequest) -> np.ndarray:
    """(F, H, W, C) uint8 of an interpolation."""
    options = tuple(sorted(walk.options.items()))
    return _frames(
        walk.run.weights_hash, walk.seeds, walk.classes, walk.frames, walk.path, walk.space, options, walk.run
    )


@st.cache_data(max_entries=16, show_spinner="Interpolating…")
def _frames(
    weights_hash: str,
    seeds: tuple[int, int],
    labels: tuple[int, int] | None,
    count: int,
    path: str,
    space: str,
    options: tuple[tuple[str, Any], ...],
    _run: Run,
) -> np.ndarray:
    return interpolate(model_of(_run), seeds, labels, count, path=path, space=space, **dict(options))


def evaluations() -> tuple[pd.DataFrame, list[str]]:
    """All runs' metric records in one frame, and a sentence for each file that could not be read."""
    return _evaluations(signature("*/evaluation.json"), run_folders())


@st.cache_data(max_entries=2, show_spinner=False)
def _evaluations(files: Signature, folders: tuple[Path, ...]) -> tuple[pd.DataFrame, list[str]]:
    return records.read_evaluations(run_names(folders))


def present_scores() -> pd.DataFrame:
    """The records of the runs' present weights: neither of snapshots nor of earlier weights."""
    return _present(_run_files() + signature("*/evaluation.json"))


@lru_cache(maxsize=4)
def _present(files: Signature) -> pd.DataFrame:
    return records.present(evaluations()[0], weights_hashes())


def usual_scores() -> pd.DataFrame:
    """Of those the ones under the usual protocol of their data set, at most one a run and metric."""
    return _usual(_run_files() + signature("*/evaluation.json"))


@lru_cache(maxsize=4)
def _usual(files: Signature) -> pd.DataFrame:
    return records.usual_scores(present_scores(), {run.name: run.data_name for run in runs()})


def all_recipes() -> pd.DataFrame:
    """Runs × dotted keys of their recipes."""
    return _recipes(signature("*/config.json"), run_folders())


@st.cache_data(max_entries=2, show_spinner=False)
def _recipes(files: Signature, folders: tuple[Path, ...]) -> pd.DataFrame:
    return recipes(folders)
