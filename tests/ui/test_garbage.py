"""Collections of garbage stay short however much is in memory, and find what has become garbage later."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from ganlib.ui import garbage
from helpers.gallery import PROJECT


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


def test_the_server_alone_leaves_things_out() -> None:
    """And shares its cores: in a notebook or under a test an import changes neither the collector nor the threads."""
    code = "import gc, ganlib.ui.chrome, ganlib.devices as d; "
    code += "print(len(gc.callbacks), gc.get_freeze_count(), d._most_threads, d._while_waiting)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["0", "0", "0", "None"]
    server = (PROJECT / "app.py").read_text()
    assert all(call in server for call in ("leave_out_survivors()", "share_cores()", "while_waiting(follow"))


def test_what_survived_a_long_collection_is_left_out() -> None:
    garbage.leave_out_survivors()
    large = [[i] for i in range(1000)]
    assert any(item is large for item in gc.get_objects())
    gc.collect()
    assert not any(item is large for item in gc.get_objects())
    garbage.leave_out_survivors()
    assert sum(isinstance(callback, garbage._Survivors) for callback in gc.callbacks) == 1


def test_cycles_that_were_left_out_are_found_by_the_next_complete_one() -> None:
    garbage.leave_out_survivors()
    node = Node()
    node.other = node
    gone = weakref.ref(node)
    gc.collect()  # from here on it is left out
    del node
    gc.collect()
    assert gone() is not None
    garbage.collect_everything()
    assert gone() is None
