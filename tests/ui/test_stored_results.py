"""The list of stored comparisons: each has its own name there."""

from __future__ import annotations

from types import SimpleNamespace

from ganlib.ui.stored_results import _labels


def test_each_label_is_as_short_as_tells_it_apart():
    def stored(title, date):
        return SimpleNamespace(title=title, date=date)

    results = {
        "a": stored("digits", "2026-11-28 10:00:00"),
        "run/b": stored("MNIST", "2026-11-28 10:00:00"),
        "run/c": stored("MNIST", "2026-11-28 10:00:59"),
        "run/d": stored("MNIST", "2026-11-28 10:01:00"),
    }
    assert _labels(results) == {
        "a": "digits",
        "run/b": "MNIST, run/b",
        "run/c": "MNIST, run/c",
        "run/d": "MNIST, 2026-11-28 10:01",
    }
