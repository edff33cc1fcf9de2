"""Runs without their weights: what a comparison of many trainings needs, in a hundredth of the space.

Recipe, curves, records and pictures stay; ``weights.json`` has the hash and metadata of the weights, so that the
records count as theirs. Such a run is compared and shown, and never draws an image.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from ganlib.files import replacing, write_atomically
from ganlib.run_folder import RunError, RunFolder
from ganlib.runs import Run


def archive_run(run: Run, folder: Path, shares: Iterable[float] = (1.0,)) -> Run:
    """Into ``folder``/NAME, in place of what is there. RunError where that holds a run with weights.

    ``shares``: those moments of the training, in (0, 1], whose pictures stay: of each the nearest one.
    """
    target = RunFolder(folder / run.path.name)
    if target.weights.exists():
        raise RunError(f"{target.path} has weights; name another folder.")
    target.samples.mkdir(parents=True, exist_ok=True)
    kept = {f"{images}.webp" for images in run.folder.samples_near(shares, run.images_seen)}
    for path in target.samples.glob("*.webp"):
        if path.name not in kept:
            path.unlink()
    for name in [*(f"samples/{picture}" for picture in sorted(kept)), "log.csv", "evaluation.json", "config.json"]:
        if (run.path / name).exists():
            with (run.path / name).open("rb") as source, replacing(target.path / name) as copy:
                shutil.copyfileobj(source, copy)
    record = {"weights_hash": run.weights_hash, "metadata": run.metadata}
    write_atomically(target.weights_record, json.dumps(record, indent=2).encode() + b"\n")
    return Run(target.path)
