"""The command line: ganlib COMMAND, or python -m ganlib COMMAND."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ganlib import __version__
from ganlib.errors import GanlibError
from ganlib.files import describe_os_error
from ganlib.settings import launch

COMMANDS = {  # name -> module of ganlib.commands, what it does
    "list": ("listing", "show models, runs and data sets, or one run's snapshots"),
    "train": ("train", "train a model into a run folder"),
    "queue": ("queue", "work through a list of trainings: train, halve and evaluate each, resuming the interrupted"),
    "sample": ("sample", "make pictures: a grid, a ZIP or a folder of PNGs"),
    "evaluate": ("evaluate", "measure runs: FID, KID, precision, … of what generates, accuracy of what classifies"),
    "directions": ("directions", "find directions of a run's latent space, named by what changes along them"),
    "interpolate": ("interpolate", "make a film through latent space, or a sheet between four corners"),
    "sheet": ("sheet", "make a sheet of two options: one by row, the other by column"),
    "invert": ("invert", "find the latents whose image is a given picture"),
    "apply": ("apply", "fill holes, enlarge, translate or colour pictures: files or whole folders"),
    "experiments": ("experiments", "show the verdicts of all named comparisons"),
    "experiment": ("experiment", "show one named comparison, or train and evaluate its runs"),
    "recommend": ("recommend", "name the best run of each data set, or say that the images cannot tell"),
    "compare": ("compare", "test whether anything tells two sets of images apart: real ones and a run's, say"),
    "balance": ("balance", "compare ways to fill up rare classes, generated images among them, by a classifier"),
    "export": ("export", "write a labelled set of generated images: folder, ZIP or WebDataset shards"),
    "probe": ("probe", "measure how well a linear classifier does on the features of runs' discriminators"),
    "speed": ("speed", "measure how many images a second runs draw on this machine"),
    "promote": ("promote", "make a snapshot the run's weights"),
    "halve": ("halve", "store runs' weights in half the bytes, for shipping"),
    "dashboard": ("dashboard", "open the dashboard in the browser"),
}
SHARED = {"train", "sample", "evaluate"}  # commands that several processes of torchrun share


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        args = _parse(argv)
        _require_alone(args.command)
        args.run(args)
        sys.stdout.flush()  # here, where a closed pipe is caught, not while the interpreter shuts down
    except GanlibError as error:
        print(f"ganlib: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # "ganlib list | head": the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # what a shell reports of a process that SIGPIPE ended
    except OSError as error:
        print(f"ganlib: {describe_os_error(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _require_alone(command: str) -> None:
    """GanlibError, of the first process alone, where torchrun started several for a command of one."""
    launched = launch()
    if launched.world_size == 1 or command in SHARED:
        return
    if launched.rank:
        raise SystemExit(1)
    *names, last = sorted(SHARED)
    raise GanlibError(
        f"{command} works in one process: start it without torchrun, which shares {', '.join(names)} and {last}."
    )


def _parse(argv: list[str]) -> argparse.Namespace:
    """Imports the module of the one command that is called: each needs other packages, and help needs none."""
    called_as = "ganlib" if Path(sys.argv[0]).stem == "ganlib" else "python -m ganlib"
    parser = argparse.ArgumentParser(called_as, description="Train, sample, evaluate and compare.")
    parser.add_argument("--version", action="version", version=f"ganlib {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, help) in COMMANDS.items():
        command = subparsers.add_parser(name, help=help)
        if argv[:1] == [name]:
            implementation = import_module(f"ganlib.commands.{module}")
            implementation.add(command, argv)
            command.set_defaults(run=implementation.run)
    if not argv:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
