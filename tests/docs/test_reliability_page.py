"""The figures of docs/reliability.md that a test or a tally fixes."""

from __future__ import annotations

import json
import re
from typing import Any

from benchmarks.fuzzing.targets import TARGETS
from ganlib.ui.navigation import PAGES
from helpers.gallery import PROJECT
from helpers.hostile_runs import NAMES, REFUSED, TOLERATED

TEXT = (PROJECT / "docs/reliability.md").read_text(encoding="utf-8")


def read_tally(name: str) -> Any:
    return json.loads((PROJECT / "docs" / f"{name}.json").read_text(encoding="utf-8"))


def source(pattern: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(PROJECT.glob(f"tests/{pattern}")))


def test_inputs_are_those_of_the_tally_and_of_the_test():
    inputs = sum(outcome["inputs"] for versions in read_tally("fuzzing").values() for outcome in versions.values())
    assert f"| {inputs:,} inputs by " in TEXT
    assert f" of {len(TARGETS)} readers" in TEXT
    each = re.search(r"^INPUTS = (\d+)", source("fuzzing/test_fuzzing.py"), re.MULTILINE)
    assert each
    assert f"| {each[1]} inputs a reader | {int(each[1]) * len(TARGETS)} inputs, " in TEXT


def test_kills_are_those_of_the_tally():
    kills = read_tally("kills").values()
    assert f"| {sum(command['kills'] for command in kills)} kills, " in TEXT
    assert f"; {sum(command['ends'] for command in kills)} ends compared" in TEXT


def test_reports_are_those_that_tests_name():
    tests = " ".join(re.findall(r"def test_cve([_\d]+)", source("security/*.py")))
    assert f"| {len(set(re.findall(r'[0-9]{4}_[0-9]+', tests)))} CVE numbers; " in TEXT


def test_hostile_folders_are_those_of_the_tests():
    folders = len(REFUSED | TOLERATED) + len(NAMES) + 2  # a name that is no UTF-8, texts of all kinds
    assert f"| {folders} folders × {len(PAGES)} pages |" in TEXT
