"""Cached reading: runs by their files' times, models and images by their weights' hash."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import partial
from math import inf, log2
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ganlib import records
from ganlib.applications import paths
from ganlib.applications.edits import generate_items, items_of, latents_of
from ganlib.applications.saved_latents import latents_folder
from ganlib.applications.serving import available_memory, require_memory
from ganlib.applications.storage import saved_folder
from ganlib.data.subset import whole_set
from ganlib.devices import pick_device
from ganlib.figures import PALETTE
from ganlib.logs import recipes
from ganlib.models import GenerativeModel, Trainable
from ganlib.naming import run_names
from ganlib.run_folder import RunError
from ganlib.runs import Run, as_run_error, scan
from ganlib.sampling import Growing, sample_stages
from ganlib.sampling.keyframes import InterpolationRequest
from ganlib.sampling.request import SampleRequest, SavedLatents
from ganlib.settings import run_roots
from ganlib.ui import serving
from ganlib.ui.model_cache import ModelCache
from ganlib.ui.shared_cache import shared_cache

Signature = tuple[tuple[bytes, int, int], ...]  # paths as the system has them: a name may be no UTF-8

MAX_STRIP = 8  # images, and stages of each, that a strip shows at most


_signatures: ContextVar[dict[str, Signature] | None] = ContextVar("signatures", default=None)


@contextmanager
def single_scan() -> Iterator[None]:
    """Inside, the roots are scanned once: a page shows one state of them, whatever comes and goes meanwhile."""
    before = _signatures.set({})
    try:
        yield
    finally:
        _signatures.reset(before)


def signature(pattern: str) -> Signature:
    """Path, time and size of each matching file in the roots: a cache key that notices every change."""
    signatures = _signatures.get()
    if signatures is None:
        return _stat_files(pattern)
    if pattern not in signatures:
        signatures[pattern] = _stat_files(pattern)
    return signatures[pattern]


def _stat_files(pattern: str) -> Signature:
    files = []
    for path in (p for root in run_roots() for p in sorted(root.glob(pattern))):
        with suppress(OSError):  # gone since it was listed, or a link to itself
            stat = path.stat()
            files.append((os.fsencode(path), stat.st_mtime_ns, stat.st_size))
    return tuple(files)


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


def makes_images(run: Run) -> bool:
    return run.generates or run.transforms


def best_first(candidates: Iterable[Run]) -> list[Run]:
    """Lowest FID first, then unmeasured runs, most images seen first: an order to offer runs in, no ranking."""
    fids = _fids(_run_files() + signature("*/evaluation.json"))
    return sorted(candidates, key=lambda run: (fids.get(run.name, inf), -run.total_images))


@shared_cache(maxsize=4)
def _fids(files: Signature) -> dict[str, float]:
    scores = usual_scores()
    fids = scores[scores.metric == "fid"]
    return dict(zip(fids.run, fids.value, strict=True))


def recognisable_first(candidates: Sequence[Run]) -> list[str]:
    """Data sets in the order to show them: those first of whose pictures most can be told.

    By the best class agreement of their runs times the binary logarithm of the image's side; without agreement last.
    Subsets, which serve studies of few or unequal classes, come after whole sets.
    """
    told: dict[str, float] = {}
    for run in candidates:
        row, _ = find_scores(run, "class_agreement")
        agreement = 0.0 if row is None else float(row.value)
        told[run.data_name] = max(told.get(run.data_name, 0.0), agreement * log2(run.config.image_size))
    sizes = {run.data_name: run.config.image_size * run.config.channels for run in candidates}
    return sorted(told, key=lambda name: (whole_set(name) != name, -told[name], -sizes[name]))


def run_folders() -> tuple[Path, ...]:
    """All run folders. Names are given to all at once, so that a run is called the same on every page."""
    return tuple(Path(os.fsdecode(config)).parent for config, _, _ in signature("*/config.json"))


def _run_files() -> Signature:
    return signature("*/config.json") + signature("*/weights.safetensors") + signature("*/weights.json")


@shared_cache(
    maxsize=4
)  # asked several times a page: Streamlit's hashing of the signature would cost more than the scan
def _scan(files: Signature) -> tuple[list[Run], list[RunError]]:
    scanned, broken = scan()
    usable = []
    for run in scanned:
        try:
            run.weights_hash, run.images_seen, run.training_seconds, run.blueprint  # noqa: B018  (raise where something does not fit)
            usable.append(run)
        except Exception as error:  # whatever a folder holds, the other runs are shown
            broken.append(as_run_error(run.path, error))
    return usable, broken


@shared_cache(maxsize=4)
def _hashes(files: Signature) -> dict[str, str]:
    return {run.name: run.weights_hash for run in _scan(files)[0]}


MODELS_IN_MEMORY = ModelCache()


def _read_model(path: bytes, weights_hash: str, recipe: str, device: str) -> Trainable:
    """RunError where another run has taken its place since the page read its recipe."""
    run = Run(Path(os.fsdecode(path)))
    model = run.load(pick_device(device))
    if _identity(run)[1:] != (weights_hash, recipe):
        raise RunError(f"{run.path} was replaced while this page was drawn; reload it.")
    return model


def load_model(run: Run) -> GenerativeModel:
    """The run's model on the chosen device, shared by all sessions: never change it."""
    model = load_trainable(run)
    assert isinstance(model, GenerativeModel)
    return model


def load_trainable(run: Run) -> Trainable:
    """``load_model`` of a run that need not generate."""
    key = *_identity(run), st.session_state.get("device", "auto")
    waits = nullcontext() if key in MODELS_IN_MEMORY else st.spinner("Loading weights…")
    with waits:
        return MODELS_IN_MEMORY.get(key, partial(_read_model, *key))


def preload_model(run: Run) -> None:
    """Outside any session, on the device that new sessions have."""
    key = *_identity(run), "auto"
    MODELS_IN_MEMORY.get(key, partial(_read_model, *key))


def _identity(run: Run) -> tuple[bytes, str, str]:
    return os.fsencode(run.path), run.weights_hash, repr((run.config, run.classes))


def generate_images(request: SampleRequest) -> np.ndarray:
    """(N, H, W, C) uint8 of a request."""
    if has_stages(request.run, request.options):
        return get_growing(request).finish()
    run, model, items = request.run, load_model(request.run), items_of(request)
    c = model.config
    require_memory(len(items), c.image_size**2 * c.channels, available_memory())
    group = run.weights_hash, str(model.device), _shared_key(request)
    return serving.draw(group, items, partial(generate_items, model, request))


def get_growing(request: SampleRequest) -> Growing:
    """Images that come in stages, as far as any session has brought them: shared by all."""
    return _get_growing(request.run.weights_hash, request_key(request), st.session_state.get("device", "auto"), request)


@st.cache_resource(max_entries=32, show_spinner=False)
def _get_growing(weights_hash: str, key: str, device: str, _request: SampleRequest) -> Growing:
    model = load_model(_request.run)
    return Growing(model, latents_of(model, _request), _request.image_labels, **_request.options)


def request_key(request: SampleRequest) -> str:
    """The request as one text, which Streamlit hashes faster than hundreds of numbers."""
    return repr((request.image_sources, request.image_labels, _shared_key(request)))


def _shared_key(request: SampleRequest) -> str:
    """What its images depend on besides the run and their own sources and classes."""
    saved = [saved_folder(request.run) / f"{edit.name}.safetensors" for edit in request.edits]
    saved += [latents_folder(request.run) / f"{latents.name}.safetensors" for latents in request.latents]
    return repr((sorted(request.options.items()), request.edits, file_states(saved)))


def file_states(paths: Iterable[Path]) -> Signature:
    """Of those files that exist: directions and latents may be saved anew under their name."""
    files = []
    for path in paths:
        with suppress(OSError):
            stat = path.stat()
            files.append((os.fsencode(path), stat.st_mtime_ns, stat.st_size))
    return tuple(files)


def quick_first(runs: Sequence[Run]) -> list[Run]:
    """``best_first``, but those that draw in many steps last: for pages that want images by the thousand."""
    return sorted(best_first(runs), key=lambda run: run.model_class.family in ("diffusion", "autoregressive"))


def has_stages(run: Run, options: dict[str, Any]) -> bool:
    return load_model(run).stages(**options) > 1


def generate_stages(request: SampleRequest) -> dict[int, np.ndarray]:
    """(N, h, w, C) uint8 by the number of the stage: some, evenly, from the first to the last."""
    return _generate_stages(request.run.weights_hash, request_key(request), request)


@st.cache_data(max_entries=16, show_spinner=False)
def _generate_stages(weights_hash: str, key: str, _request: SampleRequest) -> dict[int, np.ndarray]:
    model = load_model(_request.run)
    stages = sample_stages(model, latents_of(model, _request), _request.image_labels, **_request.options)
    shown = np.linspace(0, len(stages) - 1, min(len(stages), MAX_STRIP)).round().astype(int)
    return {int(i) + 1: stages[i] for i in shown}


def generate_frames(request: InterpolationRequest) -> np.ndarray:
    """(F, H, W, C) uint8 of an interpolation."""
    return _generate_frames(request.run.weights_hash, frames_key(request), request)


def get_growing_frames(request: InterpolationRequest) -> Growing:
    """``get_growing`` of an interpolation."""
    device = st.session_state.get("device", "auto")
    return _get_growing_frames(request.run.weights_hash, frames_key(request), device, request)


def frames_key(request: InterpolationRequest) -> str:
    names = [key.source.name for key in request.keys if isinstance(key.source, SavedLatents)]
    files = file_states(latents_folder(request.run) / f"{name}.safetensors" for name in names)
    r, options = request, sorted(request.options.items())
    return repr((r.keys, r.frames, r.path, r.space, r.closed, r.order, r.equal_speed, r.sheet, options, files))


@st.cache_resource(max_entries=8, show_spinner=False)
def _get_growing_frames(weights_hash: str, key: str, device: str, _request: InterpolationRequest) -> Growing:
    model = load_model(_request.run)
    frames = paths.frames_of(model, _request)
    return Growing(model, frames.latents, frames.weights, **frames.options)


@st.cache_data(max_entries=16, show_spinner="Interpolating…")
def _generate_frames(weights_hash: str, key: str, _request: InterpolationRequest) -> np.ndarray:
    return paths.generate_frames(load_model(_request.run), _request)


def evaluations() -> tuple[pd.DataFrame, list[str]]:
    """All runs' metric records in one frame, and a sentence for each file that could not be read."""
    return _evaluations(signature("*/evaluation.json"), run_folders())


@shared_cache(maxsize=2)
def _evaluations(files: Signature, folders: tuple[Path, ...]) -> tuple[pd.DataFrame, list[str]]:
    return records.read_evaluations(run_names(folders))


def present_scores() -> pd.DataFrame:
    """The records of the runs' present weights: neither of snapshots nor of earlier weights."""
    return _present(_run_files() + signature("*/evaluation.json"))


@shared_cache(maxsize=4)
def _present(files: Signature) -> pd.DataFrame:
    return records.present(evaluations()[0], weights_hashes())


def usual_scores() -> pd.DataFrame:
    """Of those the ones under the usual protocol of their data set, at most one a run and metric."""
    return _usual(_run_files() + signature("*/evaluation.json"))


@shared_cache(maxsize=4)
def _usual(files: Signature) -> pd.DataFrame:
    return records.usual_scores(present_scores(), {run.name: run.data_name for run in runs()})


def find_scores(run: Run, metric: str) -> tuple[Any, pd.DataFrame]:
    """The run's row of the metric under its data set's usual protocol, None without one; its rows under all others."""
    return _find_scores(_run_files() + signature("*/evaluation.json"), run.name, metric)


@shared_cache(maxsize=4096)  # a page of cards asks for dozens
def _find_scores(files: Signature, run: str, metric: str) -> tuple[Any, pd.DataFrame]:
    scores, rows = _present(files), _rows_by_run(files).get((run, metric), [])
    own = records.by_date(scores.iloc[rows])
    chosen = own.index.isin(_usual(files).index)
    return next(own[chosen].itertuples(), None), own[~chosen]


@shared_cache(maxsize=4)
def _rows_by_run(files: Signature) -> dict[Any, Any]:
    """(run, metric) -> its rows of the present scores."""
    return dict(_present(files).groupby(["run", "metric"], sort=False).indices)


def all_recipes() -> pd.DataFrame:
    """Runs × dotted keys of their recipes."""
    return _recipes(signature("*/config.json"), run_folders())


@shared_cache(maxsize=2)
def _recipes(files: Signature, folders: tuple[Path, ...]) -> pd.DataFrame:
    return recipes(folders)
