"""An evaluation by one process of all threads and by several of one each: seconds by the clock, start included.

    python -m benchmarks.scaling_evaluation [cifar10-sngan] [--n 2000] [--processes 2] [--rounds 2]

Each is the command that people type, on a copy of the run; the best of some rounds in turn counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ganlib.runs import find_run

PROJECT = Path(__file__).parents[1]


def seconds(run: Path, processes: int, n: int) -> float:
    launcher = [sys.executable, "-m"]
    if processes > 1:
        launcher += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m", "--"]
    threads = {"OMP_NUM_THREADS": "1"} if processes > 1 else {}
    command = [*launcher, "ganlib", "evaluate", str(run), "--n", str(n), "--device", "cpu"]
    start = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, env=os.environ | threads, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", default="cifar10-sngan")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, args.run)
        copy.mkdir()
        for name in ("config.json", "weights.safetensors"):
            shutil.copy(find_run(args.run).path / name, copy)
        sizes = (1, args.processes)
        rounds = [[seconds(copy, size, args.n) for size in sizes] for _ in range(args.rounds)]
    one, several = (min(times) for times in zip(*rounds, strict=True))
    print(
        f"{args.run}, {args.n:,} images: {one:.1f} s by one process, {several:.1f} s by {args.processes}; "
        f"ratio {one / several:.2f}"
    )


if __name__ == "__main__":
    main()
