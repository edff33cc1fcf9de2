"""Records that survive, and what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ganlib.errors import GanlibError
from ganlib.records import append_records, current, describe, protocol_key, read_records


def changed(record: dict[str, Any], **protocol: Any) -> dict[str, Any]:
    return record | {"protocol": record["protocol"] | protocol}


def record(**changes: Any) -> dict[str, Any]:
    protocol = {
        "n_real": 50_000,
        "n_fake": 10_000,
        "reference": {"data": "cifar10", "split": "train", "fingerprint": "f"},
        "extractor": "embedded",
        "extractor_name": "judge",
        "extractor_hash": "e",
        "resizer": "none",
        "options": {},
    }
    return {
        "metric": "fid",
        "value": 12.34,
        "interval": {"low": 12.14, "high": 12.54, "how": "blocks"},
        "protocol": protocol,
        "seeds": "0-9999",
        "versions": {"torch": "2"},
        "weights_hash": "a",
        "snapshot": None,
    } | changes


def test_records_are_appended_and_a_damaged_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    assert read_records(path) == []
    append_records(path, [record()])
    append_records(path, [record(value=11.0), record(weights_hash="b"), record(snapshot=7)])
    assert [r["value"] for r in read_records(path)] == [12.34, 11.0, 12.34, 12.34]
    assert [r["value"] for r in current(read_records(path), "a")] == [12.34, 11.0]
    for damage in (
        path.read_text()[:-20],
        "[]",
        '{"records": [1]}',
        json.dumps({"records": [record(value="12")]}),
        json.dumps({"records": [record(value=float("nan"))]}),
        json.dumps({"records": [record(value=True)]}),
        json.dumps({"records": [record(interval={"low": "1", "high": 2.0})]}),
        json.dumps({"records": [changed(record(), n_fake="many")]}),
        json.dumps({"records": [changed(record(), reference={})]}),
        json.dumps({"records": [record(protocol={})]}),
        json.dumps({"records": [{"metric": "fid"}]}),
        "[" * 100_000,
    ):
        path.write_text(damage)
        with pytest.raises(GanlibError, match=r"evaluation\.json is damaged"):
            append_records(path, [record()])
        assert path.read_text() == damage
    with pytest.raises(ValueError, match="JSON"):
        append_records(tmp_path / "new.json", [record(value=float("nan"))])
    assert not (tmp_path / "new.json").exists()


def test_two_processes_at_once_lose_no_record(tmp_path: Path) -> None:
    code = "import sys, json; from pathlib import Path; from ganlib.records import append_records\n"
    code += "for _ in range(20): append_records(Path(sys.argv[1]), [json.loads(sys.argv[2])])"
    path = tmp_path / "evaluation.json"
    command = [sys.executable, "-c", code, str(path), json.dumps(record())]
    for process in [subprocess.Popen(command) for _ in range(3)]:
        assert process.wait(60) == 0
    assert len(read_records(path)) == 60


def test_the_protocol_decides_what_is_compared() -> None:
    key = protocol_key(record())
    assert protocol_key(record(seeds="5-7", versions={}, value=1.0, weights_hash="z")) == key
    reordered = record()
    reordered["protocol"] = dict(reversed(reordered["protocol"].items()))
    assert protocol_key(reordered) == key
    for name, value in [("n_fake", 5_000), ("options", {"temperature": 0.5}), ("extractor_hash", "x")]:
        assert protocol_key(changed(record(), **{name: value})) != key


def test_a_line_names_the_extractor() -> None:
    assert describe(record()) == "FID (embedded, n=10,000 vs 50,000 train) 12.34 ± 0.2"
    assert describe(record(metric="class_agreement", value=0.5, interval=None)).endswith("n=10,000) 50.0%")


def test_a_line_says_what_else_the_number_is_made_with() -> None:
    path = changed(record(metric="ppl", value=123.4), space="w", reference=None)
    assert describe(path) == "PPL in w (embedded, n=10,000) 123.4 ± 0.2"
    tested = changed(
        record(metric="cas", value=0.452, interval={"low": 0.44, "high": 0.46, "how": ""}),
        n_real=2_000,
        reference={"data": "cifar10", "split": "test", "fingerprint": "f"},
        extractor=None,
    )
    assert describe(tested) == "classification accuracy score (n=10,000, 2,000 test images) 45.2% ± 1.0%"


def test_reading_records_needs_no_torch() -> None:
    code = "import sys, ganlib.records; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
