"""Training steps of one global batch in 1, 2, 4, … processes of this machine, and what joining them costs.

    python -m benchmarks.scaling wgan_gp --processes 1 2 4 [--threads 1] [--field width=16] [--steps 5]

Every row is one run of torchrun on random images; ``threads`` are those of each process, one number or one a row. A
step's time is the best of ten blocks, since other work can only slow it down. The all-reduce is timed within the steps,
on average, with the time that it waits for a slower process; without it, as the process has it that comes last.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlib.data import DataSet, Split
from ganlib.distributed import World, join_world
from ganlib.models import MODELS, Batch
from ganlib.run_folder import RunFolder
from ganlib.training import Trainer, TrainingConfig
from ganlib.training.trainer import seeded

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class TimedWorld(World):
    """Counts seconds and bytes of its sums."""

    spent: Any = None  # a dict, since the class is frozen

    def add_up(self, tensor: Tensor) -> None:
        start = time.perf_counter()
        super().add_up(tensor)
        self.spent["seconds"].append(time.perf_counter() - start)
        self.spent["bytes"] += tensor.nbytes


def work(args: argparse.Namespace) -> None:
    threads = threads_of(args)[int(os.environ["WORLD_SIZE"])]
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    images = Split(rng.integers(0, 256, (2048, args.size, args.size, 3), np.uint8), np.zeros(2048, np.int64), "0" * 16)
    architecture = MODELS[args.model]
    fields = {"image_size": args.size, "channels": 3} | dict(pair.split("=") for pair in args.field)
    config = architecture.Config.from_dict({k: int(v) for k, v in fields.items()})
    training = TrainingConfig(images=1, batch_size=args.batch_size, precision="fp32")
    with join_world() as joined, tempfile.TemporaryDirectory() as folder:
        world = TimedWorld(joined.rank, joined.size, {"seconds": [], "bytes": 0})
        model = seeded(lambda: architecture(config), 0)
        data = DataSet("noise", (), images, images, flip=False)
        trainer = Trainer(RunFolder(Path(folder)), model, data, training, torch.device("cpu"), world=world)
        stream = trainer.batches()
        for _ in range(3):
            trainer.train_on(Batch(*next(stream)))
        world.spent.update(seconds=[], bytes=0)
        blocks = []
        for _ in range(10):
            start, steps = time.perf_counter(), 0
            while steps < args.steps:
                trainer.train_on(Batch(*next(stream)))
                steps += 1
            blocks.append((time.perf_counter() - start) / steps)
        sums = joined.gather(world.spent["seconds"])
        if joined.rank == 0:
            count = 10 * args.steps
            waiting, last = sum(sums[0]), sum(map(min, *sums)) if joined.size > 1 else 0.0
            print(
                f"| {joined.size} | {threads} | {1000 * min(blocks):.1f} | {args.batch_size / min(blocks):.0f} | "
                f"{1000 * waiting / count:.1f} | {1000 * last / count:.1f} | "
                f"{world.spent['bytes'] / count / 1e6:.2f} | {model.num_parameters / 1e6:.2f} |",
                flush=True,
            )


def threads_of(args: argparse.Namespace) -> dict[int, int]:
    """By number of processes."""
    threads = args.threads * len(args.processes) if len(args.threads) == 1 else args.threads
    return dict(zip(args.processes, threads, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=list(MODELS))
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="of each process, one for all or one a row")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5, help="of each of ten blocks")
    parser.add_argument("--field", action="append", default=[], metavar="NAME=NUMBER", help="of the model's config")
    args = parser.parse_args()
    if "RANK" in os.environ:
        return work(args)
    print(
        "| processes | threads of each | ms a step | images/s | ms of all-reduce | without waiting | MB summed a step |"
        " M parameters |"
    )
    print("|-|-|-|-|-|-|-|-|", flush=True)
    for size in args.processes:
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)]
        subprocess.run([*launcher, "-m", "benchmarks.scaling", *sys.argv[1:]], cwd=PROJECT, check=True)


if __name__ == "__main__":
    main()
