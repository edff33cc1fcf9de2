"""A comparison of balancing methods that was interrupted goes on, and ends as an uninterrupted one."""

from __future__ import annotations

import json
import sys

import pandas as pd
import pytest

from ganlib.applications.balancing import BalanceConfig, balance
from ganlib.applications.export.filters import Distance
from helpers.gallery import digits_run
from helpers.tiny_models import CPU


def test_images_that_were_selected_before_an_interruption_are_not_searched_for_again(tmp_path, monkeypatch):
    module = sys.modules["ganlib.applications.balancing.balance"]
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.0)
    run = digits_run(tmp_path / "digits-cdcgan")
    names = {"methods": ["filtered"], "ratios": [20.0], "seeds": 2, "train_images": 64, "width": 1}
    config = BalanceConfig.from_dict(names | {"min_confidence": 0.0, "min_distance": 0.01})
    whole = balance("subset:digits@40:1", run, config, CPU)

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "filtered images" and done > 2000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        balance("subset:digits@40:1", run, config, CPU, folder=tmp_path / "out", progress=interrupt)
    (kept,) = (tmp_path / "out").glob(".classifiers-*/seeds-filtered.json")
    before = len(json.loads(kept.read_bytes())["seeds"])
    seen: list[int] = []
    monkeypatch.setattr(module, "Distance", lambda *args: _Spy(Distance(*args), seen), raising=True)
    result = balance("subset:digits@40:1", run, config, CPU, folder=tmp_path / "out")
    assert before > 0
    assert sum(seen) <= whole.generation["filtered"]["tried"] - before
    assert result.generation["filtered"]["images"] == whole.generation["filtered"]["images"]
    pd.testing.assert_frame_equal(result.confusions, whole.confusions)


def test_where_all_images_were_selected_the_filters_classifier_is_not_trained_again(tmp_path, monkeypatch):
    module = sys.modules["ganlib.applications.balancing.balance"]
    run = digits_run(tmp_path / "digits-cdcgan")
    names = {"methods": ["filtered"], "seeds": 2, "train_images": 64, "width": 1, "min_confidence": 1e-9}
    config = BalanceConfig.from_dict(names)

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "classifiers":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        balance("subset:digits@2:1", run, config, CPU, folder=tmp_path / "out", progress=interrupt)
    monkeypatch.setattr(module, "_filters", lambda *_: pytest.fail("the classifier is trained again"))
    result = balance("subset:digits@2:1", run, config, CPU, folder=tmp_path / "out")
    assert len(result.classifiers) == 2
    assert result.generation["filtered"]["images"] > 0


class _Spy:
    """A filter that notes how many images it judges."""

    def __init__(self, judge: Distance, seen: list[int]) -> None:
        self.judge, self.seen, self.name, self.flag = judge, seen, judge.name, judge.flag

    def scores(self, images, labels):
        self.seen.append(len(images))
        return self.judge.scores(images, labels)

    def passes(self, scores):
        return self.judge.passes(scores)


def test_an_interrupted_comparison_goes_on(tmp_path, monkeypatch):
    """Each classifier is trained once, and the result is that of an uninterrupted comparison."""
    module = sys.modules["ganlib.applications.balancing.balance"]
    trained: list[int] = []

    def train(*args, **kwargs):
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append(args[1].seed)
        return original(*args, **kwargs)

    original = module.train
    config = BalanceConfig.from_dict(
        {"methods": ["none", "oversampling"], "seeds": 2, "train_images": 64, "width": 1, "ratios": [1.0]}
    )
    whole = balance("subset:digits@20:1", None, config, CPU)
    monkeypatch.setattr(module, "train", train)
    with pytest.raises(KeyboardInterrupt):
        balance("subset:digits@20:1", None, config, CPU, folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    damaged = kept / "none-0-1.json"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    trained[:] = []
    result = balance("subset:digits@20:1", None, config, CPU, folder=tmp_path)
    assert trained == [1, 1]  # the damaged one, and that which was missing
    pd.testing.assert_frame_equal(result.confusions, whole.confusions)
    same = [column for column in whole.classifiers if column != "seconds"]
    pd.testing.assert_frame_equal(result.classifiers[same], whole.classifiers[same])
    trained[:] = []
    other = BalanceConfig.from_dict(config.to_dict() | {"width": 2})
    with pytest.raises(KeyboardInterrupt):
        balance("subset:digits@20:1", None, other, CPU, folder=tmp_path)
    assert len(trained) == 3
    result.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["balance.json", "classifiers.csv", "confusions.csv"]
