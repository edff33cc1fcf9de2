"""A machine that has torch, numpy, pandas, pillow and safetensors alone trains, samples and lists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[1]
BARE = ("torch", "numpy", "pandas", "pillow", "safetensors")
COMMANDS = """
--help
train --help
train cdcgan --help
train cdcgan --data digits --width 4 --z-dim 8 --batch-size 16 --images 64 --device cpu --out runs/small
train --resume runs/small --images 96 --device cpu
sample small --seeds 0-3 --device cpu
promote small 0
halve small --device cpu
list
list models
list runs
list data
list scores
list metrics
list small
"""
PROCESS = """
import sys
from importlib.machinery import PathFinder

hidden = set(sys.argv.pop(1).split(","))

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else super().find_spec(name, path, target)

sys.meta_path = [Bare if finder is PathFinder else finder for finder in sys.meta_path]
from ganlib.__main__ import main

for line in sys.stdin:
    print("$", line, end="", flush=True)
    try:
        code = main(line.split())
    except SystemExit as end:  # of --help
        code = end.code
    if code:
        sys.exit(f"exit code {code} of: {line}")
"""


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: tuple[str, ...]) -> set[str]:
    """These distributions and all that they require."""
    installed: set[str] = set()
    queue = list(names)
    while queue:
        name = normalize(queue.pop())
        if name in installed:
            continue
        try:
            requirements = requires(name) or []
        except PackageNotFoundError:  # of another platform
            continue
        installed.add(name)
        queue += [re.split(r"[^\w.-]", line)[0] for line in requirements if "extra ==" not in line]
    return installed


def run_bare(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The commands, one a line, in one process that finds the bare machine's packages alone."""
    bare = closure(BARE)
    owners = {module: {normalize(name) for name in names} for module, names in packages_distributions().items()}
    hidden = [module for module, names in owners.items() if not names & bare and module != "ganlib"]
    assert {"streamlit", "plotly", "scipy", "sklearn", "torch_fidelity", "torchvision"} <= set(hidden)
    return subprocess.run(
        [sys.executable, "-c", PROCESS, ",".join(hidden)],
        input=commands,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("GANLIB_")}
        | {"PYTHONPATH": str(PROJECT), "GANLIB_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_bare_machine_trains_samples_and_lists(tmp_path):
    done = run_bare(COMMANDS.strip(), tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "96 images" in done.stdout
    assert (tmp_path / "grid.png").exists()


def test_what_a_bare_machine_lacks_is_named_with_its_extra(tmp_path):
    done = run_bare("dashboard", tmp_path)
    assert done.returncode == 1
    assert "The dashboard needs streamlit" in done.stderr
    assert "pip install 'ganlib[dashboard]'" in done.stderr
    assert "Traceback" not in done.stderr
