"""``python -m ganlib speed``: the rate, the machine it holds for, the record."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlib.__main__ import main
from ganlib.devices import hardware
from ganlib.records import read_evaluations, read_records
from helpers.gallery import digits_run
from helpers.tiny_models import write_run


def test_the_rate_is_kept_with_its_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "quick", "cdcgan")
    assert main(["speed", str(run.path), "--calls", "3", "--device", "cpu"]) == 0
    (record,) = read_records(run.folder.evaluation)
    assert record.metric == "sampling_rate"
    assert len(record.blocks) == 3
    assert 0 < record.interval.low <= record.value <= record.interval.high
    assert record.protocol.extra["machine"] == hardware(torch.device("cpu"))
    assert record.weights_hash == run.weights_hash
    shown = capsys.readouterr().out
    assert f"Sampling on {hardware(torch.device('cpu'))}" in shown
    assert f"| quick | {sum(run.parameters.values()) / 1e6:.2f} M |" in shown
    frame, broken = read_evaluations({run.path: run.name})
    assert broken == []
    assert frame.metric.tolist() == ["sampling_rate"]


def test_without_names_it_times_everything_that_generates(tmp_path: Path, monkeypatch, capsys) -> None:
    write_run(tmp_path / "one", "dcgan")
    write_run(tmp_path / "judge", "classifier")
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    assert main(["speed", "--calls", "1", "--device", "cpu"]) == 0
    assert "| one |" in capsys.readouterr().out
    assert not (tmp_path / "judge" / "evaluation.json").exists()


def test_a_run_that_cannot_be_timed_keeps_no_other_from_it(tmp_path: Path, capsys) -> None:
    runs = [write_run(tmp_path / name, "dcgan") for name in ("a", "b")]
    runs[0].folder.evaluation.write_text('{"broken')
    assert main(["speed", *(str(run.path) for run in runs), "--calls", "1", "--device", "cpu"]) == 1
    out, err = capsys.readouterr()
    assert "| b |" in out
    assert "a/evaluation.json is damaged" in err
    assert "Not timed, for the reasons above: a." in err


def test_what_cannot_be_timed_is_one_sentence(tmp_path: Path, capsys) -> None:
    run = write_run(tmp_path / "judge", "classifier")
    assert main(["speed", str(run.path), "--device", "cpu"]) == 1
    assert "judge generates nothing, so it has no sampling rate." in capsys.readouterr().err
    assert main(["speed", str(run.path), "--calls", "0"]) == 1
    assert "--calls must be at least 1" in capsys.readouterr().err


def test_a_training_is_timed_by_its_recipe_on_one_thread(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = digits_run(tmp_path / "quick")
    threads = torch.get_num_threads()
    try:
        assert main(["speed", str(run.path), "--training", "0.2", "--device", "cpu"]) == 0
    finally:
        torch.set_num_threads(threads)
    (record,) = read_records(run.folder.evaluation)
    assert (record.metric, record.weights_hash, len(record.blocks)) == ("training_rate", run.weights_hash, 4)
    assert 0 < record.interval.low <= record.value <= record.interval.high
    assert record.protocol.extra["machine"].endswith(", 1 thread")
    assert run.folder.weights.stat().st_mtime <= run.folder.evaluation.stat().st_mtime  # the run itself is not trained
    assert "| quick | " in capsys.readouterr().out


def test_the_time_of_a_training_is_a_number_of_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed", "--training", "1", "--device", "cpu"]) == 1
    assert "name at least one" in capsys.readouterr().err
    for seconds in ("0", "-1", "nan", "inf"):
        assert main(["speed", "any", "--training", seconds, "--device", "cpu"]) == 1
        assert "--training needs a number of seconds above 0" in capsys.readouterr().err
