"""What the environment sets, and the folders that follow from it: its only reader.

GANLIB_RUNS      more folders of runs, separated as in PATH
GANLIB_GALLERY   a folder of runs in place of the gallery, of ./runs and of the experiments' runs
GANLIB_DATA      where data sets lie, and where downloads go (default: ~/.cache/ganlib/data)
GANLIB_CACHE     where decoded images (default: ~/.cache/ganlib/arrays) and the reference statistics of pretrained
                 extractors (default: ~/.cache/ganlib/references) are kept, parsed logs (default:
                 ~/.cache/ganlib/logs) and directions of latent spaces (default: ~/.cache/ganlib/directions)
GANLIB_LOGS      folders of other tools' logs for the curves page, separated as in PATH
GANLIB_VIEWS     a file of views for the presentation mode (default: the package's)
GANLIB_PROGRESS  seconds between progress lines where there is no terminal (default: 30)
GANLIB_READONLY  1: the dashboard starts no jobs and writes nothing into runs, for public demonstrations
GANLIB_MODEL_MEMORY  megabytes of models that the dashboard keeps in memory (default: 1000)
GANLIB_RANK_TIMEOUT  seconds in which all processes that torchrun starts must have met (default: 300)
GANLIB_EXPERIMENTS  a folder of definitions of experiments in place of the project's

RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT and two of TORCHELASTIC are torchrun's.

Each is read when it is needed, so that a change takes effect at once.
"""

from __future__ import annotations

import os
from math import inf, nan
from pathlib import Path
from typing import NamedTuple

from ganlib.errors import GanlibError, shortened

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None  # None where it is installed
GALLERY = CHECKOUT / "checkpoints" if CHECKOUT else PACKAGE / "gallery"
EXPERIMENTS = CHECKOUT / "experiments" if CHECKOUT else PACKAGE / "definitions"
READ_ONLY = "This server only shows: it starts no jobs and saves nothing (GANLIB_READONLY)."
RUNS = Path("runs")  # in the current folder: new trainings go there


def gallery_folder() -> Path:
    """The folder of shipped runs: ``GANLIB_GALLERY``, else the project's."""
    return _path(os.environ.get("GANLIB_GALLERY") or GALLERY)


def run_roots() -> list[Path]:
    """Folders of runs, each once: the gallery, ./runs, the experiments' runs, those of ``GANLIB_RUNS``."""
    roots: dict[Path, Path] = {}
    usual = [gallery_folder()]
    if not os.environ.get("GANLIB_GALLERY"):
        usual += [RUNS, experiments_folder() / "runs"]
    for root in [*usual, *_folders("GANLIB_RUNS")]:
        roots.setdefault(root.resolve(), root)
    return list(roots.values())


def results_root() -> Path:
    """Where results that belong to no run are kept: ./runs, or the folder that stands in its place."""
    return run_roots()[:2][-1]


def data_roots(first: Path | str | None = None) -> tuple[Path, ...]:
    """Folders of data sets, best first: ``first``, ``GANLIB_DATA``, ~/.cache/ganlib/data."""
    given = [_path(root) for root in (first, os.environ.get("GANLIB_DATA")) if root]
    return tuple(dict.fromkeys([*given, _cache() / "data"]))


def array_cache() -> Path:
    return _given_cache() or _cache() / "arrays"


def reference_cache() -> Path:
    return (_given_cache() or _cache()) / "references"


def log_cache() -> Path:
    """Where parsed logs and listings of trees of logs are kept."""
    return (_given_cache() or _cache()) / "logs"


def direction_cache() -> Path:
    """Where directions that were found and measured are kept."""
    return (_given_cache() or _cache()) / "directions"


def model_memory() -> int:
    """Bytes of models that the dashboard keeps in memory."""
    return int(1e6 * _number("GANLIB_MODEL_MEMORY", "1000", "megabytes"))


def read_only() -> bool:
    """Whether the dashboard starts no jobs and writes nothing into runs."""
    return os.environ.get("GANLIB_READONLY", "") not in ("", "0")


def require_writable() -> None:
    """GanlibError where it is ``read_only``."""
    if read_only():
        raise GanlibError(READ_ONLY)


def log_roots() -> list[Path]:
    return _folders("GANLIB_LOGS")


def views_file() -> Path:
    return _path(os.environ.get("GANLIB_VIEWS") or PACKAGE / "ui" / "views.toml")


def experiments_folder() -> Path:
    return _path(os.environ.get("GANLIB_EXPERIMENTS") or EXPERIMENTS)


def progress_interval() -> float:
    """Seconds between the progress lines of a process without a terminal."""
    return _number("GANLIB_PROGRESS", "30", "seconds")


def rank_timeout() -> float:
    """Seconds in which all processes of one command must have met."""
    return _number("GANLIB_RANK_TIMEOUT", "300", "seconds")


class Launch(NamedTuple):
    """What torchrun tells each of the processes that it starts for one command."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0  # on its machine
    host: str = "localhost"  # where rank 0 is reached
    port: int = 29500
    store: bool = False  # whether torchrun itself hosts the store in which they meet
    attempt: str = "0"


def launch() -> Launch:
    """GanlibError for an environment that is half torchrun's."""
    if "RANK" not in os.environ:
        return Launch()
    return Launch(
        _whole("RANK", None),
        _whole("WORLD_SIZE", "1"),
        _whole("LOCAL_RANK", "0"),
        os.environ.get("MASTER_ADDR", Launch().host),
        _whole("MASTER_PORT", str(Launch().port)),
        os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True",
        os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"),
    )


def _whole(variable: str, default: str | None) -> int:
    text = os.environ.get(variable, default) or ""
    if not text.isdecimal():
        raise GanlibError(f"{variable} is {text!r} where torchrun sets a number; start the command with torchrun.")
    return int(text)


def _number(variable: str, default: str, of: str) -> float:
    """0 or more; GanlibError where it is none ``of`` what the sentence names."""
    text = os.environ.get(variable) or default
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not 0 <= number < inf:
        raise GanlibError(f"{variable} must be a number of {of}, not {shortened(text)}.")
    return number


def child_environment(progress: float, *runs: Path) -> dict[str, str]:
    """For ``python -m ganlib`` in a process that reports every ``progress`` seconds and also finds ``runs``."""
    path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    roots = os.pathsep.join(str(root.absolute()) for root in [*runs, *_folders("GANLIB_RUNS")])
    environment = {"GANLIB_RUNS": roots, "GANLIB_PROGRESS": str(progress), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    return os.environ | environment


def _folders(variable: str) -> list[Path]:
    return [_path(p) for p in os.environ.get(variable, "").split(os.pathsep) if p]


def _path(text: Path | str) -> Path:
    """ "~" is the home folder, which no shell writes out within quotes or in a service's settings."""
    return Path(os.path.expanduser(text))  # pathlib's own raises for a user that there is none of


def _given_cache() -> Path | None:
    given = os.environ.get("GANLIB_CACHE")
    return _path(given) if given else None


def _cache() -> Path:
    return Path.home() / ".cache" / "ganlib"
