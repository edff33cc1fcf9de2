"""Whether features, and published values, put runs in the same order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy.stats import spearmanr

from ganlib.metrics.published import published_order
from ganlib.models import MODELS
from ganlib.records import agreement_with, describe_features, rank_agreement, rank_protocols, read_evaluations
from ganlib.records.agreement import spearman
from helpers.record_entries import entry, record, write_entries

LITE = {"extractor": "efficientnet_lite0", "extractor_name": "e.pth", "extractor_hash": "e", "resizer": "bilinear 64"}


def frame_of(root: Path, values: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
    folders: dict[Any, Any] = {}
    for name, entries in values.items():
        folders |= write_entries(root / name, *entries)
    return read_evaluations(folders)[0]


def test_spearman_is_scipys() -> None:
    a, b = pd.Series([3.0, 1, 4, 1, 5, 9]), pd.Series([2.0, 7, 1, 8, 2, 8])
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert spearman(a, a.rank() ** 3) == pytest.approx(1)


def test_runs_are_ordered_by_two_extractors_on_the_same_images(tmp_path: Path) -> None:
    embedded, imagenet = [1.0, 2, 3, 4, 5], [10.0, 30, 20, 50, 40]
    frame = frame_of(
        tmp_path,
        {
            name: [entry(value=a), entry(LITE, value=b), entry({**LITE, "n_fake": 500}, value=-b)]
            for name, a, b in zip("abcde", embedded, imagenet, strict=True)
        },
    )
    (row,) = rank_agreement(frame, record().protocol.key).itertuples()
    assert (row.extractor, row.runs) == ("efficientnet_lite0", 5)
    assert row.correlation == pytest.approx(0.8)
    (back,) = rank_agreement(frame, str(row.protocol)).itertuples()
    assert back.extractor == "embedded"
    assert back.correlation == pytest.approx(0.8)
    assert rank_agreement(frame[frame["run"] < "d"], record().protocol.key).empty  # three are too few


def test_the_best_run_of_an_architecture_stands_for_it() -> None:
    values = pd.Series({"a": 1.0, "a-2": 9.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 5.0})
    models = {"a": "dcgan", "a-2": "dcgan", "b": "sngan", "c": "sagan", "d": "biggan", "e": "gran"}
    order = {"dcgan": 10.0, "sngan": 20.0, "sagan": 30.0, "biggan": 40.0}
    for better, expected in [("lower", 1.0), ("higher", -0.2)]:
        known = agreement_with(values, models, better, order)
        assert known is not None
        assert known[0] == 4
        assert known[1] == pytest.approx(expected)
    assert agreement_with(values, models, "lower", {"dcgan": 10.0}) is None


def test_the_published_order_is_of_architectures_that_exist_here() -> None:
    order = published_order("cifar10-jpeg", "fid")
    assert order.keys() <= set(MODELS)
    assert order["stylegan2_ada"] < order["biggan"] < order["sngan"] < order["lsgan"] < order["wgan"]
    assert published_order("digits", "fid") == published_order("cifar10", "ppl") == {}


def test_most_runs_come_first_then_the_embedded_extractor(tmp_path: Path) -> None:
    later = {"date": "2026-11-30T10:00:00+00:00"}
    both = [entry(LITE, **later), entry()]
    frame = frame_of(tmp_path, {"a": both, "b": both})
    keys = [record(change).protocol.key for change in ({}, LITE)]
    assert rank_protocols(frame) == keys
    frame = frame_of(tmp_path, {"a": both, "b": both, "c": [entry(LITE)]})
    assert rank_protocols(frame) == keys[::-1]


@pytest.mark.parametrize(
    ("extractor", "name"),
    [
        ("embedded", "embedded classifier's"),
        ("efficientnet_lite1", "EfficientNet-Lite1"),
        ("efficientnet_lite0@224", "EfficientNet-Lite0 at 224 pixels"),
        ("timm:resnet50", "timm's resnet50"),
        ("torchvision:alexnet@128", "torchvision's alexnet at 128 pixels"),
    ],
)
def test_features_have_names_and_say_what_they_are_blind_to(extractor: str, name: str) -> None:
    features = describe_features(extractor)
    assert features is not None
    assert features.name == name
    assert "blind to" in features.tells


def test_what_takes_no_features_has_none() -> None:
    assert describe_features("") is None
