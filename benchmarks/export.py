"""Images a second of an export, with encoding and all files, beside those of the network alone.

    python -m benchmarks.export [RUN] [--images 10000] [--rounds 3] [--format folder zip webdataset] [--threads 2]

In turns within one process, the same seeds and chunks; the best of some rounds counts, since other work can only slow
one down. Files go to a temporary folder. Memory: of the process after an export of a tenth, and at its peak of all.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import torch

from ganlib.applications.export import ExportConfig, export
from ganlib.applications.export.selection import MOST_DRAWN
from ganlib.devices import pick_device
from ganlib.models import GenerativeModel
from ganlib.runs import Run, find_run
from ganlib.sampling import sample


def seconds_of_network(model: GenerativeModel, images: int, device: torch.device) -> float:
    """Latents, forward passes and rounding to bytes."""
    classes = model.config.num_classes if model.conditional else 1
    start = time.perf_counter()
    for first in range(0, images, MOST_DRAWN):
        seeds = range(first, min(first + MOST_DRAWN, images))
        sample(model, seeds, [seed % classes for seed in seeds] if model.conditional else None)
    return time.perf_counter() - start


def seconds_of_export(run: Run, images: int, file_format: str, device: torch.device) -> float:
    classes = max(len(run.classes), 1) if run.conditional else 1
    with tempfile.TemporaryDirectory() as folder:
        config = ExportConfig(images=images // classes, format=file_format)  # type: ignore[arg-type]
        start = time.perf_counter()
        export(run, Path(folder) / "set", config, device)
        return time.perf_counter() - start


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.export", description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", default="mnist-cdcgan", metavar="RUN")
    parser.add_argument("--images", type=int, default=10_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--format", nargs="+", default=["folder", "zip", "webdataset"])
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of torch; encoding has two of its own")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    run, device = find_run(args.run), pick_device("cpu")
    model = run.load(device)
    assert isinstance(model, GenerativeModel)
    best: dict[str, float] = {}
    seconds_of_export(run, max(args.images // 10, 10), args.format[0], device)
    before = peak_megabytes()
    for _ in range(args.rounds):
        for name in ("network", *args.format):
            if name == "network":
                seconds = seconds_of_network(model, args.images, device)
            else:
                seconds = seconds_of_export(run, args.images, name, device)
            best[name] = min(seconds, best.get(name, seconds))
    for name, seconds in best.items():
        print(f"{name:12}{args.images / seconds:9,.0f} images/s {best['network'] / seconds:6.2f}")
    print(f"memory {before:,.0f} MB after a tenth, {peak_megabytes():,.0f} MB at the peak")


if __name__ == "__main__":
    main()
