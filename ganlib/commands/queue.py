"""python -m ganlib queue FILE [--workers N] [--threads N] [--status]"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganlib.errors import GanlibError
from ganlib.run_folder import RunFolder
from ganlib.settings import RUNS, gallery_folder


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "The file is TOML with a [[run]] table an entry; ganlib/queue/definition.py documents its keys. "
        "Entries may be added while it works. What the gallery ($GANLIB_GALLERY, else the shipped one) has of the same "
        "recipe and budget is done."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the queue file")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes at a time (default: 1)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of each process (default: 1)")
    parser.add_argument("--status", action="store_true", help="show where each entry stands, and end")
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="DIR", help="where runs go (default: runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    hopeless = work_through(
        args.file,
        args.runs,
        workers=args.workers,
        threads=args.threads,
        device=args.device,
        status=args.status,
    )
    require_done(hopeless, args.runs)


def require_done(hopeless: Sequence[str], runs: Path) -> None:
    """GanlibError that names the entries that failed or wait for one that did."""
    if hopeless:
        raise GanlibError(
            f"Not done, for the reasons above or as they need such an entry: {', '.join(hopeless)}; {runs / '.queue'} "
            "has their output, and the same command tries them again."
        )


def work_through(
    file: Path, runs: Path, *, workers: int, threads: int, device: str = "auto", status: bool = False
) -> list[str]:
    """Until all entries of the queue file are done or failed, or until SIGINT or SIGTERM; or only shows its state.

    Names of the entries that failed, or wait for one that did; none where it was stopped.
    """
    from ganlib.queue import Scheduler  # evaluations need more than a machine that only trains has

    if min(workers, threads) < 1:
        raise GanlibError("--workers and --threads are at least 1.")
    options = ["--device", device]
    scheduler = Scheduler(file, runs, workers=workers, threads=threads, options=options, report=_report)
    if status:
        print_status(scheduler)
        return []
    stop: list[int] = []
    handlers = {s: signal.signal(s, lambda number, _: stop.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        scheduler.run(lambda: bool(stop))
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return [] if stop else scheduler.hopeless()


def _report(message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {message}", flush=True)


def print_status(scheduler: Any) -> None:
    """A line an entry: what is next, how much is trained, and why it failed or cannot begin where that is so."""
    hopeless = scheduler.hopeless()
    for entry in scheduler.entries:
        shipped = scheduler.from_gallery(entry)
        state, folder = (
            scheduler.state(entry),
            RunFolder((gallery_folder() if shipped else scheduler.runs) / entry.name),
        )
        images, seconds = latest(folder.log)
        budget = max(images / (entry.images or float("inf")), seconds / (60 * entry.max_minutes or float("inf")))
        stage = "gallery" if shipped else "failed" if state.failed else str(state.stage)
        stage = "training" if folder.in_training() else stage
        why = state.error if state.failed else f"needs {', '.join(sorted(entry.prerequisites & {*hopeless}))}"
        why = why if entry.name in hopeless else ""
        print(
            f"{entry.name:32} {entry.model:14} {entry.data:20} {stage:9} {min(budget, 1):4.0%} "
            f"{images:>11,} images {seconds / 60:6.0f} min  {why}".rstrip()
        )


def latest(log: Path) -> tuple[int, float]:
    """Images seen at the last whole row of a training log, and the seconds of training since its first one."""
    from ganlib.logs.training_time import read_course

    images, seconds = read_course(log)
    return (int(images[-1]), float(seconds[-1])) if len(images) else (0, 0.0)
