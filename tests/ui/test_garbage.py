"""Collections of garbage stay short however much is in memory, and find what has become garbage later."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from ganlib.ui import garbage


class Node:
    other: Node


@pytest.fixture(autouse=True)
def _collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of this test alone."""
    callbacks = list(gc.callbacks)
    gc.callbacks[:] = [callback for callback in callbacks if not isinstance(callback, garbage._Survivors)]
    monkeypatch.setattr(garbage, "LONG", 0.0)
    yield
    gc.callbacks[:] = callbacks
    gc.unfreeze()
    gc.freeze()


def test_what_survived_a_long_collection_is_left_out() -> None:
    garbage.leave_out_survivors()
    large = [[i] for i in range(1000)]
    assert any(item is large for item in gc.get_objects())
    gc.collect()
    assert not any(item is large for item in gc.get_objects())
    garbage.leave_out_survivors()
    assert sum(isinstance(callback, garbage._Survivors) for callback in gc.callbacks) == 1


def test_cycles_that_were_left_out_are_found_by_the_next_complete_one(monkeypatch: pytest.MonkeyPatch) -> None:
    garbage.leave_out_survivors()
    node = Node()
    node.other = node
    gone = weakref.ref(node)
    gc.collect()  # from here on it is left out
    del node
    gc.collect()
    assert gone() is not None
    monkeypatch.setattr(garbage, "COMPLETE", 0.0)
    gc.collect()
    gc.collect()
    assert gone() is None
