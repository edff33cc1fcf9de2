"""python -m benchmarks.determinism: every command twice, and with one and two threads; what is not equal to the bit.

On small runs of digits, on the CPU. A file is compared by its bytes, tensors by theirs; times and dates are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.kills import content_of
from ganlib.__main__ import main as ganlib
from ganlib.files import PARTIAL

TRAIN = [
    "--image-size",
    "16",
    "--width",
    "8",
    "--z-dim",
    "8",
    "--batch-size",
    "16",
    "--log-every",
    "4",
    "--images",
    "320",
]
COMMANDS: dict[str, Callable[[str, str], list[str]]] = {  # run, where results go
    "train (float32)": lambda run, out: [
        "train",
        "cdcgan",
        "--data",
        "digits",
        *TRAIN,
        "--precision",
        "fp32",
        "--out",
        out,
    ],
    "train (bf16)": lambda run, out: [
        "train",
        "cdcgan",
        "--data",
        "digits",
        *TRAIN,
        "--precision",
        "bf16",
        "--out",
        out,
    ],
    "train a diffusion model": lambda run, out: ["train", "ddpm", "--data", "digits", "--images", "64", "--out", out],
    "sample": lambda run, out: ["sample", run, "--seeds", "0-31", "--out", f"{out}/grid.png"],
    "interpolate": lambda run, out: ["interpolate", run, "--key", "1~3", "--key", "7~5", "--out", f"{out}/strip.png"],
    "sheet": lambda run, out: [
        "sheet",
        run,
        "--rows",
        "seed=0-3",
        "--columns",
        "class=0,1,2",
        "--out",
        f"{out}/sheet.png",
    ],
    "export": lambda run, out: ["export", run, "--images", "10", "--format", "folder", "--out", f"{out}/set"],
    "evaluate": lambda run, out: [
        *("evaluate", run, "--n", "200", "--blocks", "2", "--metrics"),
        *("fid", "kid", "isc", "prc", "dc", "fid_infinity", "class_agreement"),
    ],
    "halve": lambda run, out: ["halve", run],
    "invert": lambda run, out: ["invert", run, "PICTURE", "--steps", "20", "--out", f"{out}/pair.png"],
}


def outcome(command: str, threads: int, root: Path, gallery_run: Path, picture: Path) -> dict[str, Any]:
    """All files that the command leaves."""
    torch.set_num_threads(threads)
    folder = root / "work"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "out").mkdir(parents=True)
    shutil.copytree(gallery_run, folder / "run")
    (folder / "run" / "evaluation.json").unlink(missing_ok=True)
    out = folder / ("trained" if command.startswith("train") else "out")
    words = [str(picture) if word == "PICTURE" else word for word in COMMANDS[command](str(folder / "run"), str(out))]
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        code = ganlib([*words, "--device", "cpu"])
    if code:
        raise SystemExit(f"{command}: {text.getvalue()[-300:]}")
    return {name: value for name, value in content_of(folder).items() if not name.endswith(PARTIAL)}


def difference(name: str, a: Any, b: Any) -> str:
    """How far two files are apart, in words."""
    if isinstance(a, bytes) and name.endswith((".png", ".webp")):
        first, second = (np.asarray(Image.open(io.BytesIO(x), formats=["PNG", "WEBP"]), np.int16) for x in (a, b))
        if first.shape == second.shape:
            apart = np.abs(first - second)
            return f"{apart.max()} of 255 levels in {(apart > 0).mean():.1%} of values" if apart.max() else "metadata"
    if name.endswith(".safetensors"):
        pairs = [
            (np.frombuffer(a[key][1], _dtype(a[key][0])), np.frombuffer(b[key][1], _dtype(b[key][0]))) for key in a
        ]
        return f"{max(_relative(x, y) for x, y in pairs):.1e} of a tensor's largest value"
    if name.endswith(("evaluation.json", "log.csv")):
        first, second = (np.array(_numbers(x)) for x in (a, b))
        if first.shape == second.shape:
            return f"{np.max(np.abs(first - second) / np.maximum(np.abs(first), 1e-12)):.1e} relative"
    return "differs"


def _dtype(dtype: torch.dtype) -> np.dtype[Any]:
    return np.dtype(str(dtype).removeprefix("torch."))


def _relative(a: np.ndarray, b: np.ndarray) -> float:
    scale = float(np.abs(a.astype(float)).max(initial=0)) or 1.0
    return float(np.abs(a.astype(float) - b).max(initial=0)) / scale


def _numbers(value: Any) -> list[float]:
    return [float(x) for x in re.findall(r"-?\d+\.\d+(?:e[-+]\d+)?", json.dumps(value))]


def compare(a: dict[str, Any], b: dict[str, Any]) -> str:
    if names := a.keys() ^ b.keys():
        return f"other files: {', '.join(sorted(names))[:80]}"
    unequal = [name for name in a if a[name] != b[name] and Path(name).name != "state.pt"]
    return "; ".join(f"{name}: {difference(name, a[name], b[name])}" for name in unequal[:3]) or "equal"


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.determinism")
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help="; ".join(COMMANDS))
    args = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="ganlib-determinism-"))
    os.environ["GANLIB_CACHE"] = str(root / "cache")
    gallery_run = Path(__file__).parents[1] / "checkpoints" / "digits-cdcgan"
    picture = root / "digit.png"
    Image.fromarray((np.indices((16, 16)).sum(0) * 8).astype(np.uint8)).save(picture)
    code = 0
    print("| command | two runs | one and two threads |\n|-|-|-|")
    try:
        for command in args.commands or COMMANDS:
            first, again, other = (outcome(command, n, root, gallery_run, picture) for n in (1, 1, 2))
            runs, threads = compare(first, again), compare(first, other)
            code |= runs != "equal"
            print(f"| {command} | {runs} | {threads} |", flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
