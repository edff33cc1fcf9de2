"""python -m ganlib evaluate RUN… [--metrics fid kid …] [--n N] [--per-class] [--at all|best|IMAGES] …

torchrun --nproc-per-node N -m -- ganlib evaluate … shares images, features and path lengths over N processes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import torch

from ganlib.commands.failures import Failures
from ganlib.commands.progress import ProgressLine
from ganlib.commands.sample import parse_options
from ganlib.config import add_arguments, given
from ganlib.devices import pick_device
from ganlib.distributed import World, join_world
from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.provenance import source_hash
from ganlib.records import append_records, read_records
from ganlib.runs import Run, find_run


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = "Adds records, each with its protocol, to the runs' evaluation.json."
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's name or folder")
    add_arguments(parser, EvaluationConfig)
    parser.add_argument(
        "--option",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="options of the model, like steps=20 guidance=2, which the protocol then names",
    )
    parser.add_argument(
        "--at",
        default="final",
        metavar="all|best|final|IMAGES",
        help="the run's weights (final), a snapshot by its images, all, or that of the lowest FID under this protocol "
        "(default: final)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def run(args: argparse.Namespace) -> None:
    with join_world("the same command goes on where each process was") as world:
        config, options, runs = world.agree(lambda: _parse(args))
        world.require_equal(
            code=source_hash(),
            torch_version=str(torch.__version__),
            command=(config.to_dict(), options, args.at, args.runs),
            run=world.agree(lambda: [run.weights_hash for run in runs]) if world.size > 1 else [],
        )
        failures = Failures(runs, quiet=world.rank > 0)
        for run in runs:
            with failures.collect(run):
                _evaluate(run, config, options, args, world)
        world.agree(lambda: failures.raise_any("evaluated"))


def _parse(args: argparse.Namespace) -> tuple[EvaluationConfig, dict[str, str], list[Run]]:
    config = EvaluationConfig.from_dict(given(args, EvaluationConfig))
    return config, parse_options(args.option), [find_run(name) for name in args.runs]


def select_snapshots(
    run: Run, at: str, config: EvaluationConfig, device: torch.device, options: dict[str, str]
) -> list[int | None]:
    """Snapshots, None for the run's weights."""
    if at == "final":
        return [None]
    if at == "all":
        return [*run.folder.snapshot_images(), None]
    if at == "best":
        from ganlib.metrics.best_snapshot import best_snapshot

        return [best_snapshot(run, config, device, options)]
    if not at.isdecimal():
        raise GanlibError(f"--at takes all, best, final or the images of a snapshot, not {at!r}.")
    return [int(at)]


def _evaluate(
    run: Run, config: EvaluationConfig, options: dict[str, str], args: argparse.Namespace, world: World
) -> None:
    # A machine that only trains has no torch-fidelity.
    from ganlib.metrics.evaluate import evaluate

    world.agree(
        lambda: read_records(run.folder.evaluation)
    )  # a damaged file is better found before the work than after
    device = pick_device(args.device)
    snapshots = world.agree(lambda: select_snapshots(run, args.at, config, device, options))
    for snapshot in world.gather(snapshots)[0]:
        warnings: list[str] = []
        name = run.name if snapshot is None else f"{run.name} at {snapshot:,} images"
        with closing(ProgressLine()) as line:
            report = partial(line.update_stage, name) if world.rank == 0 else lambda text, done, total: None
            work = partial(
                evaluate,
                run,
                config,
                pick_device(args.device),
                options=options,
                snapshot=snapshot,
                progress=report,
                warn=warnings.append,
                store=partial(append_records, run.folder.evaluation),
                world=world,
            )
            records = world.agree(work)
        if world.rank:
            continue
        warnings += [record.warning for record in records if record.warning]
        for warning in dict.fromkeys(warnings):  # once each: what is said of one class is said of all
            print(f"{name}: {warning}", file=sys.stderr)
        for record in records:
            print(f"{name}  {record.describe()}")
