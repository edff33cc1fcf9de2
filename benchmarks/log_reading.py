"""Seconds of one core and memory for reading a million scalars of each format, in Markdown.

    .venv/bin/python benchmarks/log_reading.py [--scalars 1000000] [--tree 1000]

``--tree`` measures instead a tree of that many runs of 100,000 scalars: until it is listed and three runs are read,
in a fresh process with nothing on disk ("cold") and once more ("warm"), and after a line was appended to one run.

The files are made on the spot. Each format is read in a process of its own; memory is that process's highest, less
what the interpreter and its libraries took before, as a multiple of the file's size. tensorboard's own
EventAccumulator reads the same event file, with all points kept.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).parents[1]
TAGS = ("loss/D", "loss/G", "D/real", "D/fake", "grad/D", "grad/G", "lr", "accuracy")
COLUMNS = len(TAGS) + 2  # with step and images, which a row has beside them
START_TIME = 1_700_000_000.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scalars", type=int, default=1_000_000)
    parser.add_argument("--measure", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--tree", type=int, metavar="RUNS")
    parser.add_argument("--measure-tree", metavar="FOLDER", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure_tree:
        measure_tree(Path(args.measure_tree))
        return
    if args.tree:
        tree(args.tree)
        return
    if args.measure:
        measure(*args.measure)
        return
    print("| file | size | scalars | reader | CPU seconds | memory, × file |")
    print("|-|-|-|-|-|-|")
    with tempfile.TemporaryDirectory() as folder:
        for name, write in FILES.items():
            path = Path(folder, name)
            write(path, args.scalars)
            for reader in READERS if "tfevents" in name else ["ganlib"]:
                row(path, reader)


def row(path: Path, reader: str) -> None:
    if reader == "EventAccumulator" and importlib.util.find_spec("tensorboard") is None:
        print("tensorboard is not installed: EventAccumulator is left out.")
        return
    command = [sys.executable, __file__, "--measure", reader, str(path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT), "GANLIB_CACHE": str(path.parent)}
    result = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    size = path.stat().st_size
    print(
        f"| {path.name} | {size / 1e6:.1f} MB | {result['scalars']:,} | {reader} | {result['seconds']:.2f} "
        f"| {result['bytes'] / size:.1f} |",
        flush=True,
    )


def measure(reader: str, path: str) -> None:
    read = READERS[reader]()
    before = resource.getrusage(resource.RUSAGE_SELF)
    scalars = read(path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"scalars": scalars, "seconds": seconds, "bytes": 1024 * (after.ru_maxrss - before.ru_maxrss)}))


def tree(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for run in range(runs):
            path = Path(folder, "logs", f"run{run:04d}", "log.csv")
            path.parent.mkdir(parents=True)
            wide_csv(path, 100_000)
            os.utime(path, (0, START_TIME))
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(PROJECT),
            "GANLIB_CACHE": f"{folder}/cache",
        }
        print("| cache | list and read, CPU seconds | tick, CPU milliseconds | memory, MB |")
        print("|-|-|-|-|")
        for cache in ("cold", "warm"):
            command = [sys.executable, __file__, "--measure-tree", f"{folder}/logs"]
            print(
                f"| {cache} |",
                subprocess.run(command, capture_output=True, check=True, env=environment, text=True).stdout,
            )


def measure_tree(root: Path) -> None:
    from ganlib.logs import LogTree

    def read() -> float:
        start = time.process_time()
        logs.read(list(logs.runs(max_age=60))[:3])
        return time.process_time() - start

    logs = LogTree(root)
    first = read()
    ticks = []
    for step in range(3):  # the first of them is when the run is found to grow
        with (root / "run0000" / "log.csv").open("a") as file:
            file.write(f"{10**6 + step},{10**8 + step},{START_TIME + 10**6},{','.join('1' * len(TAGS))}\n")
        ticks.append(read())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{first:.2f} | {1000 * min(ticks[1:]):.0f} | {memory:.0f} |")


def ganlib_reader() -> Callable[[str], int]:
    import pandas as pd

    from ganlib.logs import read

    pd.DataFrame({"a": ["b"]}).to_string()  # what pandas and its string library load on first use
    return lambda path: len(read(path))


def accumulator() -> Callable[[str], int]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read(path: str) -> int:
        events = EventAccumulator(path, size_guidance={"scalars": 0})
        events.Reload()
        return sum(len(events.Scalars(tag)) for tag in events.Tags()["scalars"])

    return read


def rows(scalars: int, columns: int) -> Iterator[tuple[int, list[float]]]:
    rng = np.random.default_rng(0)
    return enumerate(np.round(rng.normal(size=(scalars // columns, len(TAGS))), 6).tolist())


def wide_csv(path: Path, scalars: int) -> None:
    with path.open("w") as f:
        f.write(f"step,images,wall_time,{','.join(TAGS)}\n")
        for step, values in rows(scalars, COLUMNS - 1):
            f.write(f"{step},{64 * step},{START_TIME + step},{','.join(map(str, values))}\n")


def printed_lines(path: Path, scalars: int) -> None:
    """As CycleGAN prints, whose iterations start over in each epoch."""
    with path.open("w") as f:
        for step, values in rows(scalars, len(TAGS)):
            pairs = " ".join(f"{tag}: {value:.3f}" for tag, value in zip(TAGS, values, strict=True))
            f.write(f"(epoch: {step // 100 + 1}, iters: {step % 100 + 1}, time: 0.125, data: 0.002) {pairs} \n")


def json_lines(path: Path, scalars: int) -> None:
    with path.open("w") as f:
        for step, values in rows(scalars, COLUMNS - 1):
            f.write(json.dumps({"step": step, "images": 64 * step, **dict(zip(TAGS, values, strict=True))}) + "\n")


def nvidia_stats(path: Path, scalars: int) -> None:
    with path.open("w") as f:
        for step, values in rows(scalars, len(TAGS)):
            stats = {tag: {"num": 64, "mean": value, "std": 0.5} for tag, value in zip(TAGS, values, strict=True)}
            kimg = {"num": 1, "mean": 4.0 * step, "std": 0.0}
            f.write(json.dumps({**stats, "Progress/kimg": kimg, "timestamp": START_TIME + step}) + "\n")


def event_file(path: Path, scalars: int) -> None:
    """As tensorboard writes it, one event per scalar; the checksums it would verify are real."""
    with path.open("wb") as f:
        f.write(record(b"\x09" + struct.pack("<d", START_TIME) + b"\x1a\x0dbrain.Event:2"))
        for step, values in rows(scalars, len(TAGS)):
            head = b"\x09" + struct.pack("<d", START_TIME + step) + b"\x10" + varint(step)
            for tag, value in zip(TAGS, values, strict=True):
                body = b"\x0a" + bytes([len(tag)]) + tag.encode() + b"\x15" + struct.pack("<f", value)
                summary = b"\x0a" + bytes([len(body)]) + body
                f.write(record(head + b"\x2a" + bytes([len(summary)]) + summary))


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + checksum(length) + data + checksum(data)


def varint(value: int) -> bytes:
    result = b""
    while value > 127:
        result += bytes([value & 127 | 128])
        value >>= 7
    return result + bytes([value])


def crc_table() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ (0x82F63B78 if value & 1 else 0) for value in table]
    return table


TABLE = crc_table()


def checksum(data: bytes) -> bytes:
    """CRC-32C, masked as in TFRecord."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


READERS = {"ganlib": ganlib_reader, "EventAccumulator": accumulator}
FILES = {
    "log.csv": wide_csv,
    "loss_log.txt": printed_lines,
    "log.jsonl": json_lines,
    "stats.jsonl": nvidia_stats,
    "events.out.tfevents.1700000000.host": event_file,
}

if __name__ == "__main__":
    main()
