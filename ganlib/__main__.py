"""python -m ganlib list | train | queue | sample | evaluate | probe | speed | promote | halve"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ganlib.commands import evaluate, halve, listing, probe, promote, queue, sample, speed, train
from ganlib.errors import GanlibError

COMMANDS = (listing, train, queue, sample, evaluate, probe, speed, promote, halve)


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser("python -m ganlib", description="Train, sample, evaluate and compare.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    try:
        for command in COMMANDS:
            command.add(subparsers, argv)
        args = parser.parse_args(argv)
        args.run(args)
    except GanlibError as error:
        print(f"ganlib: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"ganlib: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
