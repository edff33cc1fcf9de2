"""The package: what its metadata promise is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from ganlib import __version__
from ganlib.__main__ import main

PROJECT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
HOOK = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["requirements_txt"]


def test_the_version_has_one_source(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"ganlib {__version__}\n"
    assert (PROJECT / PYPROJECT["tool"]["hatch"]["version"]["path"]).read_text().count(f'"{__version__}"') == 1


def test_pip_and_the_package_read_the_same_requirements():
    joined = re.findall(r"^-r (.*)$", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    extras = HOOK["optional-dependencies"]
    assert extras.keys() == {"metrics", "dashboard", "onnx", "parquet", "dev"}
    assert joined == [*HOOK["files"], *extras["dashboard"]]  # which evaluates, so that it needs those of metrics
    assert set(extras["metrics"]) < set(extras["dashboard"])
    assert all((PROJECT / path).is_file() for paths in [HOOK["files"], *extras.values()] for path in paths)


def test_the_lock_has_every_requirement():
    lock = {line.partition("==")[0].lower().replace("_", "-") for line in lines("requirements/lock.txt")}
    for part in ("core", "metrics", "dashboard", "onnx", "parquet", "dev"):
        names = {re.split("[<>=]", line)[0].lower() for line in lines(f"requirements/{part}.txt")}
        assert names <= lock


def test_what_the_wheel_carries_beside_the_code_is_there_and_small():
    paths = [PROJECT / path for path in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    assert all(path.exists() for path in paths)
    assert sum(file.stat().st_size for file in files) < 13_000_000


def lines(path: str) -> list[str]:
    return [line for line in (PROJECT / path).read_text().splitlines() if line and not line.startswith("#")]
