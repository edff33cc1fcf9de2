"""The best snapshot is the best under one protocol: n, options, reference, extractor and the snapshot's own file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.metrics.best_snapshot import best_snapshot
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.records import Protocol, Record, append_records
from ganlib.runs import Run

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=1, metrics=("fid",))


@pytest.fixture
def scored(root: Path) -> tuple[Run, list[Record]]:
    """``gan``, with the scores of its snapshots at 0 and 320 images, which 0 has the better of."""
    run = Run(root / "gan")
    records = [evaluate(run, SMALL, CPU, snapshot=images)[0] for images in (0, 320)]
    records = [replace(record, value=value) for record, value in zip(records, (5.0, 6.0), strict=True)]
    append_records(run.folder.evaluation, records)
    return run, records


def best(run: Run, **options: Any) -> int:
    return best_snapshot(run, SMALL, CPU, options)


def changed(record: Record, **protocol: Any) -> Record:
    return replace(record, value=1.0, protocol=Protocol.from_dict(record.protocol.to_dict() | protocol))


def test_the_lowest_score_decides(scored: tuple[Run, list[Record]]) -> None:
    run, (_, later) = scored
    assert best(run) == 0
    append_records(run.folder.evaluation, [replace(later, value=4.0)])
    assert best(run) == 320
    append_records(run.folder.evaluation, [replace(later, value=7.0)])  # the latest score counts
    assert best(run) == 0


@pytest.mark.parametrize(
    "protocol",
    [
        {"n_fake": 60},
        {"options": {"temperature": 0.5}},
        {"extractor": "inception"},
        {"extractor_hash": "f" * 12},
        {"resizer": "other"},
        {"reference": {"data": "other", "split": "train", "fingerprint": "f"}},
        {"reference": None},
    ],
)
def test_another_protocol_does_not_count(scored: tuple[Run, list[Record]], protocol: dict[str, Any]) -> None:
    run, (_, later) = scored
    append_records(run.folder.evaluation, [changed(later, **protocol)])
    assert best(run) == 0


def test_options_that_are_asked_for_choose_among_their_own_scores(scored: tuple[Run, list[Record]]) -> None:
    run, (_, later) = scored
    append_records(run.folder.evaluation, [changed(later, options={"temperature": 0.5})])
    assert best(run, temperature="0.5") == 320
    assert best(run, temperature="1") == 0  # its default
    with pytest.raises(GanlibError, match=r"n = 120, temperature 0.7 with the embedded extractor yet"):
        best(run, temperature="0.7")
    with pytest.raises(GanlibError, match="no option 'speed'"):
        best(run, speed="1")


def test_a_snapshot_that_is_another_file_by_now_has_no_score(scored: tuple[Run, list[Record]]) -> None:
    run, _ = scored
    snapshots = run.folder.snapshots
    shutil.copy(snapshots / "320.safetensors", snapshots / "0.safetensors")
    assert best(run) == 320
    (snapshots / "320.safetensors").unlink()
    with pytest.raises(GanlibError, match="No snapshot of gan has an FID"):
        best(run)


def test_a_classifier_has_no_best(root: Path) -> None:
    with pytest.raises(GanlibError, match="judge generates nothing"):
        best(Run(root / "judge"))
