"""Well-formed files of every kind that is read, small: what mutations start from."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import struct
import tarfile
import tempfile
import zipfile
from base64 import b64encode
from contextlib import closing
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from ganlib.applications.directions import Direction
from ganlib.applications.effects import Effect, Measured
from ganlib.applications.export.manifest import COLUMNS
from ganlib.applications.saved_latents import save_latents
from ganlib.applications.storage import save_direction
from ganlib.archive import archive_run
from ganlib.balances import Balance
from ganlib.data import DataSet, Split
from ganlib.images import png, webp
from ganlib.models import MODELS, GenerativeModel
from ganlib.provenance import now
from ganlib.queue.state import Stage, State
from ganlib.recipe import DataRecipe, Recipe, SplitRecipe
from ganlib.run_folder import RunFolder
from ganlib.runs import Run
from ganlib.training import Trainer, TrainingConfig
from ganlib.twosample.result import Comparison

Files = dict[str, bytes]  # relative name -> content
PROJECT = Path(__file__).parents[2]
SAMPLES = PROJECT / "tests" / "logs" / "samples"
FINGERPRINT = "0123456789abcdef"
CLASSES = ("a", "b", "c")
LARGEST_TEXT = 3_000  # bytes of a sample: the more there are, the less often a damage meets what matters
LARGEST_SAMPLE = 60_000
QUEUE_ENTRIES = 3
PARAMETERS = [f"loss/{name}" for name in "DG"]


def files_below(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def write_files(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def log_samples(*suffixes: str) -> list[Files]:
    """The tests' logs with these endings, one file each."""
    paths = sorted(path for path in SAMPLES.rglob("*") if path.is_file() and path.suffix in suffixes)
    contents = ((path, path.read_bytes()) for path in paths if "mlruns" not in path.parts)
    return [{path.name: _shortened(content)} for path, content in contents]


def _shortened(content: bytes) -> bytes:
    """Whole lines of a text."""
    if b"\0" in content[:1000] or content.startswith((b"{", b"[")):
        return content[:LARGEST_SAMPLE]
    return content[:LARGEST_TEXT].rpartition(b"\n")[0] if len(content) > LARGEST_TEXT else content


def table() -> pd.DataFrame:
    return pd.DataFrame({"step": range(20), "d_loss": np.linspace(1, 2, 20), "run": ["a", "b"] * 10})


def parquet_logs() -> list[Files]:
    return [{"log.parquet": _written(lambda buffer: table().to_parquet(buffer))}]


def workbook_logs() -> list[Files]:
    return [{"log.xlsx": _written(lambda buffer: table().to_excel(buffer, index=False))}]


def array_logs() -> list[Files]:
    columns = {name: table()[name].to_numpy() for name in ("step", "d_loss")}
    return [
        {"log.npz": _written(lambda buffer: np.savez(buffer, step=columns["step"], d_loss=columns["d_loss"]))},
        {"d_loss.npy": _written(lambda buffer: np.save(buffer, columns["d_loss"]))},
    ]


def database_logs() -> list[Files]:
    rows = [("r", "d_loss", 0.5, step, 1_700_000_000_000, 0) for step in range(20)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.db")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE metrics (run_uuid, key, value REAL, step INT, timestamp INT, is_nan INT)")
            connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.commit()
        return [{"log.db": path.read_bytes()}, *log_samples(".db")]


def event_logs() -> list[Files]:
    """TensorBoard's record files, whose checksums readers may leave unread."""
    events = [_event(step, tag, step / 4) for step in range(12) for tag in PARAMETERS]
    content = b"".join(struct.pack("<Q", len(e)) + b"\0" * 4 + e + b"\0" * 4 for e in events)
    return [{"events.out.tfevents.1700000000.host": content}]


def _event(step: int, tag: str, value: float) -> bytes:
    scalar = b"\x0a" + bytes([len(tag)]) + tag.encode() + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(scalar)]) + scalar
    return (
        b"\x09" + struct.pack("<d", 1.7e9 + step) + b"\x10" + bytes([step]) + b"\x2a" + bytes([len(summary)]) + summary
    )


def notebook_logs() -> list[Files]:
    picture = png(np.zeros((8, 8, 3), np.uint8))
    outputs: list[dict[str, Any]] = []
    for epoch in (1, 2):
        outputs.append(
            {"output_type": "stream", "name": "stdout", "text": f"Epoch {epoch}: d_loss: 0.5, g_loss: 1.5\n"}
        )
        data = {"image/png": b64encode(picture).decode()}
        outputs.append({"output_type": "display_data", "metadata": {}, "data": data})
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "", "outputs": outputs}
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return [{"log.ipynb": json.dumps(document).encode()}, *log_samples(".ipynb")]


def log_trees() -> list[Files]:
    csv = b"step,loss\n0,1\n1,0.5\n"
    return [
        files_below(SAMPLES / "mlruns"),
        files_below(SAMPLES / "dvclive"),
        {"a/log.csv": csv, "a/stats.jsonl": b'{"step": 1, "loss": 2}\n', "b/log.csv": csv},
        {"run/events.out.tfevents.1.a": event_logs()[0]["events.out.tfevents.1700000000.host"], "run/log.csv": csv},
    ]


def log_archives() -> list[Files]:
    return [{"logs.zip": zipped(tree)} for tree in log_trees()]


@cache
def run_files() -> Files:
    """A trained run with every file that a page or a command reads."""
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(Path(name, "run"))
        trainer = make_trainer(folder.path)
        model, config = trainer.model, TrainingConfig(images=8, batch_size=4)
        data = DataRecipe("noise", CLASSES, SplitRecipe(24, FINGERPRINT), SplitRecipe(6, FINGERPRINT))
        training = config.to_dict()
        folder.write_config(
            Recipe("cdcgan", model.config.to_dict(), data, training, created=now(), versions={"torch": "2"})
        )
        trainer.train()
        run = Run(folder.path)
        assert isinstance(model, GenerativeModel)
        save_latents(run, "cat", model.latents([3]), 1)
        z = torch.ones(model.latents([0]).z.shape[1:])
        save_direction(
            run, "smile", "sefa-1", Measured(Direction(z, "z", "sefa"), (Effect("brightness", 0.9, 2.0),), 4)
        )
        folder.evaluation.write_text(json.dumps({"records": [_record(run, None), _record(run, 4)]}))
        return files_below(folder.path)


def archived_files() -> Files:
    """The same run without its weights."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "run")
        write_files(folder, run_files())
        return files_below(archive_run(Run(folder), Path(name, "archive")).path)


def make_trainer(folder: Path, *, resume: bool = False) -> Trainer:
    """Of a tiny model on noise; untrained."""
    torch.manual_seed(0)
    model = MODELS["cdcgan"](MODELS["cdcgan"].Config.tiny())
    c = model.config
    rng = np.random.default_rng(0)
    train, test = (
        Split(
            rng.integers(0, 256, (n, c.image_size, c.image_size, c.channels), np.uint8),
            np.arange(n, dtype=np.int64) % len(CLASSES),
            FINGERPRINT,
        )
        for n in (24, 6)
    )
    config = TrainingConfig.from_dict({"images": 8, "batch_size": 4, "log_every": 1, "precision": "fp32"})
    data = DataSet("noise", CLASSES, train, test, flip=False)
    return Trainer(RunFolder(folder), model, data, config, torch.device("cpu"), resume=resume)


def _record(run: Run, snapshot: int | None) -> dict[str, Any]:
    return {
        "metric": "fid",
        "value": 12.5,
        "interval": {"low": 12.0, "high": 13.0, "how": "4 blocks"},
        "blocks": [12.0, 13.0],
        "protocol": {
            "n_real": 24,
            "n_fake": 10,
            "reference": {"data": "noise", "split": "train", "fingerprint": FINGERPRINT},
            "extractor": "embedded",
            "extractor_name": "noise-classifier",
            "extractor_hash": "0123",
            "resizer": "none",
            "options": {"temperature": 0.5},
        },
        "labels": "balanced",
        "seeds": "0-9",
        "options": {},
        "images_seen": run.images_seen,
        "weights_hash": run.weights_hash,
        "snapshot": snapshot,
        "versions": {"torch": "2"},
        "date": "2026-11-20T10:00:00+00:00",
    }


def pictures() -> list[Files]:
    """One in each format that people upload, and one with the recipe that ``ganlib`` writes into it."""
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8))
    files = [{"a.png": png(image, {"run": "a", "seeds": [1]})}, {"a.webp": webp(image)}]
    for ending, name in (("jpg", "JPEG"), ("gif", "GIF"), ("bmp", "BMP"), ("tif", "TIFF"), ("ppm", "PPM")):
        files.append({f"a.{ending}": _written(lambda buffer, name=name: image.save(buffer, name))})
    modes = [image.convert(mode) for mode in ("L", "P", "RGBA", "1", "I;16")]
    return [*files, *({"a.png": _written(lambda buffer, other=other: other.save(buffer, "PNG"))} for other in modes)]


def picture_folder() -> Files:
    rng = np.random.default_rng(0)
    names = (f"{split}/{label}/{i}.png" for split in ("train", "test") for label in "ab" for i in range(2))
    return {name: png(rng.integers(0, 256, (8, 8, 3), np.uint8)) for name in names}


def picture_folders() -> list[Files]:
    return [{f"set/{name}": content for name, content in picture_folder().items()}]


def picture_archives() -> list[Files]:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, content in picture_folder().items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return [{"set.zip": zipped(picture_folder())}, {"set.tar": tar.getvalue()}]


def tar_shards() -> list[Files]:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for i, content in enumerate(picture_folder().values()):
            for ending, data in (("png", content), ("cls", b"%d" % (i % 2)), ("json", b'{"seed": 1}')):
                info = tarfile.TarInfo(f"{i}.{ending}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return [{"set.tar": tar.getvalue()}]


def parquet_shards() -> list[Files]:
    images = [{"bytes": content, "path": None} for content in picture_folder().values()]
    frame = pd.DataFrame({"image": images, "label": [i % 2 for i in range(len(images))]})
    return [{"set.parquet": _written(lambda buffer: frame.to_parquet(buffer, row_group_size=4))}]


def comparisons() -> list[Files]:
    with tempfile.TemporaryDirectory() as name:
        protocol = {"synthetic": {"weights": "abc"}, "real": {}, "n": 10}
        comparison = Comparison("noise#test", "run", protocol, ["JPEG"], [], {"pixels": 1.5}, {"x": 1}, {"date": now()})
        comparison.add_tests([{"section": "pixels", "test": "auc", "subject": "pixels", "value": 0.5, "n_real": 10}])
        comparison.pictures = {"real": Image.new("RGB", (8, 8))}
        comparison.write(Path(name))
        return [files_below(Path(name))]


def balances() -> list[Files]:
    rows = [
        {"method": method, "ratio": 1.0, "seed": seed, "images": 9, "generated": 3, "seconds": 1.0}
        | dict.fromkeys(("accuracy", "balanced_accuracy", "f1", "recall_0", "recall_1"), 0.5 + seed / 10)
        for method in ("none", "generated")
        for seed in range(3)
    ]
    confusion = pd.DataFrame([{"method": "none", "ratio": 1.0, "true": 0, "predicted": 1, "images": 3}])
    with tempfile.TemporaryDirectory() as name:
        Balance("noise", "run", ("a", "b"), (50, 1), {"n": 3}, pd.DataFrame(rows), confusion).write(Path(name))
        return [files_below(Path(name))]


def texts(*lines: str) -> list[Files]:
    return [{"text": line.encode()} for line in lines]


def zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def png_pictures() -> list[Files]:
    return [files for files in pictures() if "a.png" in files][:2]


def manifests() -> list[Files]:
    lines = [",".join(COLUMNS), "a/0000000007.png,7,a,0,0.9,1.5,{},abc", "b/0000000008.png,8,b,1,0.8,1.25,{},abc"]
    return [{"manifest.csv": "".join(f"{line}\n" for line in lines).encode()}]


def queue_states() -> list[Files]:
    state = State(Stage.EVALUATE, evaluated=1, images=300_000, error="x")
    return [{"entry.json": json.dumps(asdict(state), indent=2).encode()}]


def queues() -> list[Files]:
    """The first entries of the project's own queue, one after the other and by themselves."""
    head, *entries = re.split(r"(?m)^(?=\[\[run\]\])", (PROJECT / "checkpoints" / "queue.toml").read_text())
    texts = [head + "".join(entries[:QUEUE_ENTRIES]), *entries[:: max(1, len(entries) // 8)]]
    return [{"queue.toml": text.encode()} for text in texts]


def toml_files(pattern: str) -> list[Files]:
    return [{path.name: path.read_bytes()} for path in sorted(PROJECT.glob(pattern))]


def _written(write: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()
