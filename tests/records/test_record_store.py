"""Records that survive."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ganlib.errors import GanlibError
from ganlib.records import append_records, read_records
from helpers.record_entries import entry, record


def test_records_are_appended_and_a_damaged_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    assert read_records(path) == []
    append_records(path, [record()])
    append_records(path, [record(value=11.0), record(snapshot=7)])
    assert [r.value for r in read_records(path)] == [12.5, 11.0, 12.5]
    for damage in (
        path.read_text()[:-20],
        "[]",
        '{"records": [1]}',
        json.dumps({"records": [entry(value="12")]}),
        json.dumps({"records": [entry(value=float("nan"))]}),
        json.dumps({"records": [entry(value=True)]}),
        json.dumps({"records": [entry(value=10**400)]}),
        json.dumps({"records": [entry(interval={"low": "1", "high": 2.0})]}),
        json.dumps({"records": [entry(snapshot="final")]}),
        json.dumps({"records": [entry({"n_fake": "many"})]}),
        json.dumps({"records": [entry({"n_fake": 10**30})]}),
        json.dumps({"records": [entry({"reference": {}})]}),
        json.dumps({"records": [entry() | {"protocol": {}}]}),
        json.dumps({"records": [{"metric": "fid"}]}),
        "[" * 100_000,
    ):
        path.write_text(damage)
        with pytest.raises(GanlibError, match=r"evaluation\.json is damaged"):
            append_records(path, [record()])
        assert path.read_text() == damage
    with pytest.raises(ValueError, match="JSON"):
        append_records(tmp_path / "new.json", [replace(record(), value=float("nan"))])
    assert not (tmp_path / "new.json").exists()


def test_what_was_written_before_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    old = dict(reversed(entry(of_another_version=[1, {"a": None}]).items()))
    del old["labels"], old["commit"]
    path.write_text(json.dumps({"records": [old]}, indent=2))
    append_records(path, [record()])
    first = json.loads(path.read_text())["records"][0]
    assert list(first.items()) == list(old.items())


def test_two_processes_at_once_lose_no_record(tmp_path: Path) -> None:
    code = "import sys, json; from pathlib import Path; from ganlib.records import Record, append_records\n"
    code += "for _ in range(20): append_records(Path(sys.argv[1]), [Record.from_dict(json.loads(sys.argv[2]))])"
    path = tmp_path / "evaluation.json"
    command = [sys.executable, "-c", code, str(path), json.dumps(entry())]
    for process in [subprocess.Popen(command) for _ in range(3)]:
        assert process.wait(60) == 0
    assert len(read_records(path)) == 60


def test_reading_records_and_published_values_needs_no_torch() -> None:
    code = "import sys, ganlib.records, ganlib.metrics.published; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
