"""Indexing shards and reading batches of them: pictures a second of a core, and memory.

    python -m benchmarks.shards [--shards 20] [--pictures 1000] [--size 64] [--batches 150]

Tars of JPEGs, written first into a temporary folder; CPU seconds count, so that other work hardly matters.
"""

from __future__ import annotations

import argparse
import io
import resource
import tarfile
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ganlib.data import batches, load_data


def write_shards(folder: Path, shards: int, pictures: int, size: int) -> None:
    rng = np.random.default_rng(0)
    for shard in range(shards):
        with tarfile.open(folder / f"train-{shard:06}.tar", "w") as tar:
            for i in range(pictures):
                file = io.BytesIO()
                coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
                coarse.resize((size, size), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
                for ending, content in (("jpg", file.getvalue()), ("cls", str(i % 10).encode())):
                    member = tarfile.TarInfo(f"{shard:06}{i:06}.{ending}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=1000, help="of each shard")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batches", type=int, default=150, help="of 64 pictures")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "set")
        path.mkdir()
        write_shards(path, args.shards, args.pictures, args.size)
        start = time.process_time()
        data = load_data(f"shards:{path}", size=args.size, cache=Path(folder, "cache"))
        indexed = args.shards * args.pictures / (time.process_time() - start)
        before, start = peak_megabytes(), time.process_time()
        read = sum(len(x) for x, _ in islice(batches(data.train, 64, seed=0, flip=True), args.batches))
        seconds = time.process_time() - start
        print(
            f"indexed {indexed:,.0f} pictures/s, read {read / seconds:,.0f}/s of a core, "
            f"memory {before:,.0f} -> {peak_megabytes():,.0f} MB"
        )


if __name__ == "__main__":
    main()
