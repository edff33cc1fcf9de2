"""python -m ganlib speed [RUN…] [--calls N | --training SECONDS] [--device DEVICE]"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from math import inf

import torch

from ganlib.commands.failures import Failures
from ganlib.devices import hardware, pick_device
from ganlib.errors import GanlibError
from ganlib.records import append_records, read_records
from ganlib.runs import find_run, scan


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Adds a record of sampling_rate, or of training_rate, with the machine, to the runs' evaluation.json. Other "
        "work slows both down: leave the machine alone meanwhile."
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="a run's name or folder (default: all that generate)")
    parser.add_argument(
        "--calls", type=int, default=9, metavar="N", help="calls of 64 images, of which the median counts (default: 9)"
    )
    parser.add_argument(
        "--training",
        type=float,
        metavar="SECONDS",
        help="time the steps of a training for so long, on one thread of a CPU",
    )
    parser.add_argument("--data-root", metavar="DIR", help="where data sets lie (default: $GANLIB_DATA)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    """Prints a Markdown table. Training's rate is images seen over the seconds that the weights carry."""
    # A command line that only trains need not load it.
    from ganlib.metrics.speed import speed_record, training_record

    if args.calls < 1:
        raise GanlibError(f"--calls must be at least 1, not {args.calls}.")
    if args.training is not None and not 0 < args.training < inf:
        raise GanlibError(f"--training needs a number of seconds above 0, not {args.training:g}.")
    if args.training is not None and not args.runs:
        raise GanlibError("--training times the runs that are named; name at least one.")
    device = pick_device(args.device)
    if args.training is not None:
        torch.set_num_threads(1)
        print("| run | training, images/s |\n|-|-|")
        runs = [find_run(name) for name in args.runs]
        failures = Failures(runs)
        for run in runs:
            with failures.collect(run):
                read_records(run.folder.evaluation)
                record = training_record(run, device, args.training, args.data_root)
                append_records(run.folder.evaluation, [record])
                print(f"| {run.name} | {record.value:,.0f} |", flush=True)
        failures.raise_any("timed")
        return
    everything = [run for run in scan()[0] if run.generates]
    chosen = [find_run(name) for name in args.runs] or sorted(everything, key=lambda r: (r.data_name, r.name))
    print(f"Sampling on {hardware(device)}\n")
    print("| run | parameters | training, images/s | sampling, images/s |")
    print("|-|-|-|-|")
    failures = Failures(chosen)
    for run in chosen:
        with failures.collect(run):
            read_records(run.folder.evaluation)  # a damaged file is better found before the work than after
            record = speed_record(run, device, args.calls)
            append_records(run.folder.evaluation, [record])
            size = sum(run.parameters.values()) / 1e6
            trained = f"{run.images_seen / run.training_seconds:,.0f}" if run.training_seconds else "–"
            print(f"| {run.name} | {size:.2f} M | {trained} | {record.value:,.0f} |", flush=True)
    failures.raise_any("timed")
