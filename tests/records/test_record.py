"""A record, its protocol and what they say; the gallery's records, to and from JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganlib.metrics.measures import MEASURES
from ganlib.records import GROUPS, METRICS, RANKED, Protocol, Record, read_records
from helpers.record_entries import entry, record

GALLERY = Path(__file__).parents[2] / "checkpoints"
FILES = sorted(GALLERY.glob("*/evaluation.json"))


def test_every_record_of_the_gallery_survives_to_the_key() -> None:
    assert FILES
    for path in FILES:
        entries = json.loads(path.read_text(encoding="utf-8"))["records"]
        records = read_records(path)
        assert [r.to_dict() for r in records] == entries
        assert [Protocol.from_key(r.protocol.key) for r in records] == [r.protocol for r in records]
        assert [r.protocol.key for r in records] == [
            json.dumps(e["protocol"], sort_keys=True, separators=(",", ":")) for e in entries
        ]


@pytest.mark.parametrize("key", ["", "[" * 100_000, "3", '{"n_real": 1}', "nan"])
def test_a_key_that_is_none_is_a_value_error(key: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        Protocol.from_key(key)


def test_one_table_knows_every_metric() -> None:
    names = {r.metric for path in FILES for r in read_records(path)}
    assert names <= METRICS.keys()
    measured = {name for group in GROUPS.values() for name in group}
    unasked = {
        "bits_per_dim",
        "psnr",
        "ssim",
        "feature_distance",
        "target_fid",
        "target_kid",
    }  # of models that have them
    assert measured | unasked == set(RANKED)
    assert set(GROUPS) - {"ppl", "cas"} == set(MEASURES) - {"class_fid"}  # which --per-class requests
    proportions = [r for path in FILES for r in read_records(path) if METRICS[r.metric].proportion]
    assert all(0 <= r.value <= 1 for r in proportions)


def test_keys_of_other_versions_are_kept() -> None:
    foreign = entry({"novel": [1, 2]}, layers=["a"])
    assert Record.from_dict(foreign).to_dict() == foreign
    assert Record.from_dict(foreign).protocol.extra == {"novel": [1, 2]}
    bare = {"metric": "mine", "value": 1, "protocol": {"n_real": 0, "n_fake": 5, "extractor": None, "options": {}}}
    assert Record.from_dict(bare).describe() == "mine (n=5) 1"


def test_the_protocol_decides_what_is_compared() -> None:
    key = record().protocol.key
    assert record(seeds="5-7", versions={}, value=1.0, weights_hash="z").protocol.key == key
    reordered = entry()
    reordered["protocol"] = dict(reversed(reordered["protocol"].items()))
    assert Record.from_dict(reordered).protocol.key == key
    for name, value in [("n_fake", 5_000), ("options", {"temperature": 0.5}), ("extractor_hash", "x"), ("subset", 9)]:
        assert record({name: value}).protocol.key != key


def test_images_are_the_same_where_options_number_and_extractor_are() -> None:
    fid = record().protocol
    for same in (
        {"n_real": 10_000, "neighbours": 3},
        {"n_real": 5_000, "n_fake": 1_000, "class": "cat"},
        {"extractor": None, "extractor_hash": None, "reference": None},
        {"extractor": None, "n_fake": 0, "grid": 4},
        {"reference": {"data": "cifar10-jpeg", "split": "test", "fingerprint": "other"}},
    ):
        assert record(same).protocol.measured_on(fid)
    for other in (
        {"n_fake": 5_000},
        {"options": {"truncation": 0.5}},
        {"extractor_hash": "4567"},
        {"resizer": "torch-fidelity bilinear 299"},
        {"extractor": None, "n_fake": 64, "machine": "a CPU"},
        {"class": "cat", "n_fake": 20_000},
        {"class_mix": "in proportion"},
        {"reference": {"data": "cifar10-jpeg", "split": "train", "fingerprint": "other"}},
    ):
        assert not record(other).protocol.measured_on(fid)


def test_a_label_says_what_a_protocol_is() -> None:
    label = "embedded cifar10-classifier · 10,000 generated vs 50,000 cifar10-jpeg train"
    assert record().protocol.label == label
    assert record({"options": {"truncation": 0.5}}).protocol.label == f"{label} · truncation 0.5"
    assert record({"class_mix": "in proportion"}).protocol.label == f"{label} · classes in proportion"
    alone = record({"n_real": 0, "reference": None, "space": "w"}).protocol
    assert alone.label == "embedded cifar10-classifier · 10,000 generated · w"


def test_a_line_names_the_extractor_and_what_else_the_number_is_made_with() -> None:
    assert record().describe() == "FID (embedded, n=10,000 vs 50,000 train) 12.5 ± 0.5"
    agreement = record({"n_real": 0, "reference": None}, metric="class_agreement", value=0.5, interval=None)
    assert agreement.describe() == "Class agreement (embedded, n=10,000) 50.0%"
    path = record({"space": "w", "reference": None}, metric="ppl", value=123.4)
    assert path.describe() == "PPL in w (embedded, n=10,000) 123.4 ± 0.5"
    of_class = record({"class": "cat", "n_fake": 1_000, "n_real": 5_000}, metric="class_fid")
    assert of_class.describe() == "FID of cat (embedded, n=1,000 vs 5,000 train) 12.5 ± 0.5"
    tested = {"n_real": 2_000, "reference": {"data": "cifar10", "split": "test", "fingerprint": "f"}, "extractor": None}
    cas = record(tested, metric="cas", value=0.452, interval={"low": 0.44, "high": 0.46, "how": ""})
    assert cas.describe() == "CAS (n=10,000, 2,000 test images) 45.2% ± 1.0%"
    code = record(tested | {"n_fake": 0, "code": "c1"}, metric="code_accuracy", value=0.5, interval=None)
    assert code.describe() == "Code accuracy (c1, 2,000 test images) 50.0%"
