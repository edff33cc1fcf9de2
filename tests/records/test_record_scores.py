"""The frame of many runs' records: what of it is present, and under which protocol runs stand side by side."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas as pd

from ganlib.records import measured_on, present, read_evaluations, usual_protocols, usual_scores
from helpers.record_entries import entry, record, write_entries

NONE = dict.fromkeys(["extractor", "extractor_name", "extractor_hash"])


def frame_of(root: Path, **runs: list[dict[str, Any]]) -> pd.DataFrame:
    folders: dict[Any, Any] = {}
    for name, entries in runs.items():
        folders |= write_entries(root / name, *entries)
    frame, errors = read_evaluations(folders)
    assert errors == []
    return frame


def test_a_record_is_a_row(tmp_path: Path) -> None:
    frame = frame_of(tmp_path, a=[entry(), entry(metric="kid", interval=None)])
    assert frame["metric"].tolist() == ["fid", "kid"]
    assert frame[["value", "low", "high"]].to_numpy()[0].tolist() == [12.5, 12.0, 13.0]
    assert frame["low"].isna().tolist() == [False, True]
    assert frame["snapshot"].isna().all()
    assert frame["protocol_label"].unique().tolist() == [record().protocol.label]


def test_metrics_of_one_side_alone(tmp_path: Path) -> None:
    agreement = entry({"n_real": 0, "reference": None}, metric="class_agreement")
    test = {"data": "cifar10-jpeg", "split": "test", "fingerprint": "c9"}
    accuracy = entry({"n_real": 10_000, "n_fake": 0, "reference": test, **NONE}, metric="accuracy")
    frame = frame_of(tmp_path, a=[agreement, accuracy])
    assert frame["protocol_label"].tolist() == [
        "embedded cifar10-classifier · 10,000 generated",
        "10,000 cifar10-jpeg test",
    ]
    assert frame[["extractor", "data"]].to_numpy().tolist() == [["embedded", ""], ["", "cifar10-jpeg"]]


def test_the_latest_record_wins_whatever_its_place(tmp_path: Path) -> None:
    new = entry(value=1, date="2026-11-21T01:00:00+02:00")
    frame = frame_of(tmp_path, a=[new, entry(value=2), entry(value=3, snapshot=1000), entry(value=4), entry(date=None)])
    assert frame["value"].tolist() == [1, 3]  # a snapshot is another thing measured


def test_protocols_are_kept_apart(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"n_fake": 5000},
        {"extractor_hash": "4567"},
        {"options": {"truncation": 0.5}},
        {"reference": {"data": "cifar10-jpeg", "split": "train", "fingerprint": "other"}},
    ]
    reordered = entry()
    reordered["protocol"] = dict(reversed(reordered["protocol"].items()))
    runs = {str(i): [entry(change)] for i, change in enumerate(changes)} | {"same": [reordered]}
    frame = frame_of(tmp_path, **runs)
    assert frame["protocol"].nunique() == len(changes)
    assert frame["protocol"].iloc[-1] == frame["protocol"].iloc[0]
    pairs = frame[["protocol", "protocol_label"]].drop_duplicates()
    assert pairs["protocol_label"].is_unique
    assert frame["protocol_label"].str.endswith("· truncation 0.5").sum() == 1


def test_damaged_records_and_files_do_not_hide_the_good(tmp_path: Path) -> None:
    damaged = [{"metric": "fid"}, entry(value="x"), "text", entry() | {"protocol": 7}, entry(value=10**400)]
    odd = [entry({"extractor_name": ["a"]}), entry({"options": None}), entry({"n_fake": 2**70}), entry(snapshot=[1])]
    good = write_entries(tmp_path / "good", entry(), *damaged, *odd, entry(date="long ago", metric="kid"))
    bad = write_entries(tmp_path / "bad")
    for text in ("", "[]", '{"records": 3}', '{"records": [', "[" * 100_000):
        (tmp_path / "bad" / "evaluation.json").write_text(text)
        frame, errors = read_evaluations(bad | good | {tmp_path / "none": "none"})
        assert frame["metric"].tolist() == ["fid", "kid"]
        assert len(errors) == 1 + len(damaged) + len(odd)
        assert all(str(tmp_path) in sentence for sentence in errors)
    assert read_evaluations({})[0].dtypes.equals(frame.dtypes)


def test_present_are_the_scores_of_the_runs_weights(tmp_path: Path) -> None:
    frame = frame_of(
        tmp_path,
        a=[
            entry(value=1, weights_hash="earlier"),
            entry(value=2, snapshot=640),
            entry(value=3),
            entry(value=4, date="2026-11-22T10:00:00+00:00"),  # measured again: the later date wins
            entry({"n_fake": 5_000}, value=5),
            entry(value=6, metric="kid"),
        ],
        b=[entry(value=7)],
        gone=[entry(value=8)],  # no run, but records
    )
    weights = {"a": "abc", "b": "other weights"}
    assert present(frame, weights)["value"].tolist() == [4, 5, 6]
    assert present(frame, weights, record().protocol.key)["value"].tolist() == [4, 6]
    assert present(frame, {}).empty
    assert present(frame[:0], weights).empty


def test_the_usual_protocol_is_the_one_in_which_most_runs_of_a_data_set_compare(tmp_path: Path) -> None:
    small, inception = {"n_fake": 5_000}, {"extractor": "inception", "extractor_hash": "i"}
    cold = {"options": {"temperature": 0.5}}
    later = {"date": "2026-11-30T10:00:00+00:00"}
    frame = frame_of(
        tmp_path,
        a=[entry(value=1), entry(small, value=2, **later), entry(cold, value=3)],
        b=[entry(value=4), entry(cold, value=5), entry(inception, value=6)],
        c=[entry(small, value=7), entry(cold, value=8)],
        d=[entry(small, value=9, metric="kid"), entry(metric="kid", value=10), entry(inception, value=11)],
    )
    data = {"a": "cifar10", "b": "cifar10", "c": "cifar10", "d": "digits"}
    usual = usual_protocols(frame, data)
    # Two runs by each: the one of more images. All three by ``cold``: not at default options.
    assert usual["cifar10", "fid"] == record().protocol.key
    assert usual["digits", "fid"] == record(inception).protocol.key
    assert usual["digits", "kid"] == record().protocol.key
    scores = usual_scores(frame, data)
    assert dict(zip(zip(scores["run"], scores["metric"], strict=True), scores["value"], strict=True)) == {
        ("a", "fid"): 1,
        ("b", "fid"): 4,
        ("d", "kid"): 10,
        ("d", "fid"): 11,
    }  # and c has none: what it has was measured otherwise
    assert usual_scores(frame[:0], data).empty
    assert usual_scores(frame, {}).empty


def test_scores_of_the_same_images_go_together(tmp_path: Path) -> None:
    frame = frame_of(
        tmp_path,
        a=[
            entry(),
            entry({"neighbours": 3}, metric="precision"),
            entry({"n_fake": 500}, metric="recall"),
            entry({"class": "cat", "n_fake": 1_000}, metric="class_fid"),
            entry({"class": "cat", "n_fake": 500}, metric="class_fid", seeds="0-4999"),  # of other images
            entry({"class": "cat", "n_fake": 400}, metric="class_fid", seeds="first"),  # of nobody knows how many
            entry({**NONE, "n_fake": 0}, metric="probe_accuracy"),
        ],
    )
    same = measured_on(frame, record().protocol.key)
    assert same["metric"].tolist() == ["fid", "precision", "class_fid", "probe_accuracy"]
    assert measured_on(frame[:0], record().protocol.key).empty


def test_thousands_of_records_are_read_in_a_second_and_of_damaged_ones_a_few_are_named(tmp_path):
    entries = [entry(value=float(i), snapshot=i, date=f"2026-11-20T10:{i % 60:02}:00+00:00") for i in range(5000)]
    start = time.process_time()
    frame, errors = read_evaluations(write_entries(tmp_path / "run", *entries, *[{"metric": 1}] * 1000))
    assert time.process_time() - start < 2.5  # 0.5 on an idle machine; 3 with each date read by itself
    assert len(frame) == 5000
    assert frame["date"].notna().all()
    assert len(errors) == 21
    assert "980 more records are damaged" in errors[-1]
