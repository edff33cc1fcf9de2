"""Logs of strangers: read in a process of its own, which may take so much memory and time and no more."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Hashable
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple

import pandas as pd

from ganlib.errors import GanlibError
from ganlib.files import scratch_folder
from ganlib.logs.archives import is_archive
from ganlib.logs.frame import MAX_LISTED, SkippedLine
from ganlib.logs.notebook_samples import NotebookSample
from ganlib.logs.reading import HEAD_BYTES, detect_format, read
from ganlib.logs.upload_process import FAILED, MAIN, check_size, over_budget
from ganlib.settings import child_environment, progress_interval

SECONDS = 60.0
MEMORY = 4_000_000_000  # bytes of addresses, of which Python and its packages take a third
PICTURE_BYTES = 50_000_000  # of its pictures as they are shown
SMALL = 200_000  # bytes of a file that is read at once: a process takes a second to start


class Upload(NamedTuple):
    """What was uploaded: its scalars, and the pictures of the notebooks among them by run."""

    frame: pd.DataFrame
    pictures: dict[str, list[NotebookSample]]


def read_upload(path: Path) -> Upload:
    """The frame of ``ganlib.logs.read``, of a file or of a ZIP of a tree. GanlibError also beyond the budget."""
    if _is_simple(path):
        return Upload(check_size(read(path), path), {})
    with scratch_folder(Path(gettempdir()), "ganlib-upload-") as folder:
        result = folder / "result"
        failure = _run(path, result)
        about = result.with_suffix(".json")
        if not about.exists():
            raise GanlibError(failure)
        frame = pd.read_parquet(result.with_suffix(".parquet"))
        frame.attrs = _attrs_from_json(json.loads(about.read_text()))
        if failure:
            frame.attrs["skipped_total"] += 1
            skipped = SkippedLine(str(path), None, f"its pictures are left out: {failure}")
            frame.attrs["skipped"] = [skipped, *frame.attrs["skipped"]][:MAX_LISTED]
            return Upload(frame, {})
        return Upload(frame, _load_pictures(result.with_suffix(".pictures.json")))


def _is_simple(path: Path) -> bool:
    """Whether it is read in no time: a short text. What is packed, or a database, may hold any amount in few bytes."""
    if is_archive(path) or path.stat().st_size > SMALL:
        return False
    with path.open("rb") as file:
        log_format = detect_format(file.read(2 * HEAD_BYTES), path)
    return log_format is None or (log_format.content == "text" and log_format.name != "notebook")


def _run(path: Path, result: Path) -> str:
    """Start the process, wait for it, and say why it failed; "" where it did not."""
    environment = child_environment(progress_interval()) | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["GANLIB_CACHE"] = str(result.parent)  # of what is uploaded nothing stays on the disk
    command = [sys.executable, "-m", MAIN, str(path), str(result), str(MEMORY), str(PICTURE_BYTES)]
    try:
        process = subprocess.run(
            command, timeout=SECONDS, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        return over_budget(path, f"{SECONDS:.0f} seconds")
    if process.returncode == FAILED:
        return process.stdout.decode(errors="replace").strip()
    if process.returncode:  # killed, or aborted by a library that asked for more memory in vain
        return over_budget(path, f"{MEMORY / 1e6:,.0f} MB of memory")
    return ""


def _attrs_from_json(attrs: dict[Hashable | None, Any]) -> dict[Hashable | None, Any]:
    return attrs | {
        "skipped": [SkippedLine(*line) for line in attrs["skipped"]],
        "notebooks": {run: tuple(origin) for run, origin in attrs["notebooks"].items()},
    }


def _load_pictures(path: Path) -> dict[str, list[NotebookSample]]:
    encoded = json.loads(path.read_text())
    return {
        run: [NotebookSample(moment, b64decode(content), step, cell) for moment, content, step, cell in own]
        for run, own in encoded.items()
    }
