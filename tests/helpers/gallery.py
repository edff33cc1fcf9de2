"""A small real gallery for the dashboard's and the command line's tests, and every way to break a run."""

from __future__ import annotations

import io
import json
import re
import shutil
from base64 import b64decode
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from ganlib.__main__ import main
from ganlib.archive import archive_run
from ganlib.data import load_data
from ganlib.models import GenerativeModel
from ganlib.records import Record, append_records
from ganlib.run_folder import RunFolder
from ganlib.runs import Run
from ganlib.sampling import sample
from helpers.tiny_models import write_run

PROJECT = Path(__file__).parents[2]
CONDITIONAL, OTHER, UNCONDITIONAL = "digits-cdcgan", "digits-sngan", "digits-dcgan"
RUNS = (CONDITIONAL, UNCONDITIONAL, OTHER)
CODES, CANVAS, PYRAMID, STYLES = "noise-infogan", "noise-gran", "noise-lapgan", "noise-stylegan2_ada"
SLOW = "noise-ddpm"
IMAGES = 960

# Rates far above the papers': a few steps must make pictures in which seeds and classes differ.
RECIPES = {
    CONDITIONAL: ["cdcgan", "--width", "8", "--z-dim", "16", "--lr", "0.002"],
    OTHER: ["sngan", "--g-width", "12", "--d-width", "12", "--z-dim", "16", "--lr-g", "0.002"],
    UNCONDITIONAL: ["dcgan", "--width", "8", "--z-dim", "16", "--lr", "0.002"],
}
TRAINING = [
    "--data",
    "digits",
    "--images",
    str(IMAGES),
    "--batch-size",
    "32",
    "--log-every",
    "2",
    "--precision",
    "fp32",
]
SCHEDULE = ["--snapshot-first", "320", "--snapshot-growth", "2", "--device", "cpu"]


@cache
def small_gallery(folder: Path) -> Path:
    """Three runs of ``python -m ganlib train`` on digits, with scores. Shared by all tests: copy it to change it."""
    root = folder / "small-gallery"
    for name, recipe in RECIPES.items():
        assert main(["train", *recipe, *TRAINING, *SCHEDULE, "--out", str(root / name)]) == 0
    for name, value in [(CONDITIONAL, 6.5), (OTHER, 8.25)]:
        score(root / name, value, low=value - 1, high=value + 1)
    score(root / UNCONDITIONAL, 30.0, n_fake=500)
    return root


def add_able_runs(root: Path) -> None:
    """Runs that can do more than draw at once: codes, stages, styles, many steps. Tiny and untrained."""
    for name in (CODES, CANVAS, PYRAMID, STYLES, SLOW):
        write_run(root / name, name.removeprefix("noise-"))


def archive_in_place(path: Path) -> None:
    """The run loses its weights, as ``archive_run`` leaves it."""
    with TemporaryDirectory() as folder:
        archived = archive_run(Run(path), Path(folder))
        shutil.rmtree(path)
        copy_of(archived.path, path)


def copy_of(gallery: Path, root: Path) -> Path:
    return Path(shutil.copytree(gallery, root, dirs_exist_ok=True))


def score(
    path: Path,
    value: float,
    *,
    low: float | None = None,
    high: float | None = None,
    n_fake: int = 1000,
    warning: str | None = None,
    **changes: Any,
) -> None:
    """Adds an FID as ``evaluate`` would write it: of the run's present weights, unless ``changes`` say otherwise."""
    run = Run(path)
    record: dict[str, Any] = {
        "metric": "fid",
        "value": value,
        "interval": None if low is None else {"low": low, "high": high, "how": "4 blocks"},
        "blocks": [],
        "protocol": {
            "n_real": 1437,
            "n_fake": n_fake,
            "reference": {"data": "digits", "split": "train", "fingerprint": "0123456789abcdef"},
            "extractor": "embedded",
            "extractor_name": "digits-classifier",
            "extractor_hash": "abcdef012345",
            "resizer": "none",
            "options": {},
        },
        "labels": "balanced" if run.config.num_classes else "none",
        "seeds": f"0-{n_fake - 1}",
        "options": {"temperature": 1.0},
        "images_seen": run.images_seen,
        "weights_hash": run.weights_hash,
        "snapshot": None,
        "versions": {},
        "commit": None,
        "date": "2026-11-20T10:00:00+00:00",
        "warning": warning,
    }
    append_records(RunFolder(path).evaluation, [Record.from_dict(record | changes)])


def digits_run(path: Path, name: str = "cdcgan", **changes: Any) -> Run:
    """A tiny untrained model as a run of the shipped digits."""
    data = load_data("digits")
    write_run(path, name, num_classes=10, **changes)
    splits = {s: {"n": len(d), "fingerprint": d.fingerprint} for s, d in [("train", data.train), ("test", data.test)]}
    edit_recipe(path, data={"name": "digits", "classes": list(data.classes), **splits})
    return Run(path)


def edit_recipe(path: Path, **changes: Any) -> None:
    config = path / "config.json"
    recipe = json.loads(config.read_text())
    for key, value in changes.items():
        part, _, name = key.rpartition("__")
        (recipe[part] if part else recipe)[name] = value
    config.write_text(json.dumps(recipe))


BROKEN = {
    "truncated-weights": lambda path: (path / "weights.safetensors").write_bytes(
        (path / "weights.safetensors").read_bytes()[:-100]
    ),
    "empty-weights": lambda path: (path / "weights.safetensors").write_bytes(b""),
    "missing-weights": lambda path: (path / "weights.safetensors").unlink(),
    "missing-config": lambda path: (path / "config.json").unlink(),
    "config-not-json": lambda path: (path / "config.json").write_text('{"model": "cdcgan", '),
    "config-not-text": lambda path: (path / "config.json").write_bytes(b"\xff\xfe\x00\x80"),
    "config-is-a-list": lambda path: (path / "config.json").write_text("[1, 2]"),
    "foreign-folder": lambda path: (path / "config.json").write_text('{"architectures": ["BertForMaskedLM"]}'),
    "unknown-model": lambda path: edit_recipe(path, model="stylegan9"),
    "unknown-field": lambda path: edit_recipe(path, config__depht=3),
    "wrong-type": lambda path: edit_recipe(path, config__width="wide"),
    "config-refused": lambda path: edit_recipe(path, config__num_classes=0),
    "wrong-classes": lambda path: edit_recipe(path, data__classes=["a", "b"]),
}
MISFITS = {  # noticed only when the weights are loaded
    "other-shapes": lambda path: edit_recipe(path, config__width=6),
    "other-classes": lambda path: edit_recipe(path, config__num_classes=4, data__classes=["a", "b", "c", "d"]),
}


def add_broken_runs(root: Path) -> None:
    """One run of each kind that cannot be used, and one of each that shows only later that it cannot."""
    whole = root / "whole"
    write_run(whole, "cdcgan")
    for name, damage in (BROKEN | MISFITS).items():
        shutil.copytree(whole, root / name)
        damage(root / name)
    shutil.rmtree(whole)


def pictures(html: str, kind: str = "png") -> list[bytes]:
    """The files inside a page's <img> tags."""
    return [b64decode(text) for text in re.findall(rf'src="data:image/{kind};base64,([^"]+)"', html)]


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def model(gallery: Path, name: str) -> GenerativeModel:
    loaded = Run(gallery / name).load()
    assert isinstance(loaded, GenerativeModel)
    return loaded


def direct(gallery: Path, name: str, seeds: Any, labels: Any = None, **options: Any) -> np.ndarray:
    """The pictures from ganlib itself, which pages and commands must show: (N, H, W) uint8."""
    return sample(model(gallery, name), seeds, labels, **options)[..., 0]
