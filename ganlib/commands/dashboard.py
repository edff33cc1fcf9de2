"""python -m ganlib dashboard [--port PORT] [--headless]"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from ganlib.config import check_bounds
from ganlib.errors import GanlibError
from ganlib.settings import CHECKOUT, PACKAGE, child_environment, progress_interval


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = "Serves the gallery, ./runs of the current folder and those of GANLIB_RUNS until Ctrl+C."
    parser.add_argument(
        "--port", type=int, default=8501, help="where it listens on this machine, 1 to 65535 (default: 8501)"
    )
    parser.add_argument("--headless", action="store_true", help="open no browser")


def run(args: argparse.Namespace) -> None:
    check_bounds("--port", args.port, 1, 65535, given=args.port)
    command = [sys.executable, "-m", "streamlit", "run", str(find_app()), "--server.port", str(args.port)]
    if args.headless:
        command += ["--server.headless", "true"]
    process = subprocess.Popen(command, env=child_environment(progress_interval()))
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.wait()  # it got the same signal and ends by itself
        return
    if code > 0:
        raise GanlibError(f"The dashboard ended with exit code {code}; the reason stands above.")


def find_app() -> Path:
    """The checkout's app.py, else the installed package's. GanlibError where one part of it is missing."""
    missing = [package for package in ("streamlit", "plotly", "torch_fidelity") if find_spec(package) is None]
    if missing:
        raise GanlibError(
            f"The dashboard needs {' and '.join(missing)}; install them with: pip install 'ganlib[dashboard]'."
        )
    app = (CHECKOUT or PACKAGE / "dashboard") / "app.py"
    if not app.exists():
        raise GanlibError(f"There is no {app}; clone the project's repository and start the dashboard there.")
    return app
