"""Many sessions at one sampler: joined, in fair turns, each image once, and always the same bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganlib.applications import serving
from ganlib.applications.edits import generate, generate_items, items_of
from ganlib.applications.serving import BatchingSampler, Ticket, available_memory, require_memory
from ganlib.errors import GanlibError
from ganlib.sampling.request import SampleRequest
from helpers.tiny_models import write_run


class Held:
    """Draws image i as the number i, once it is let go; notes what each pass drew."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []
        self.started, self.go_on = threading.Event(), threading.Event()

    def __call__(self, items: list[int]) -> np.ndarray:
        self.passes.append(items)
        self.started.set()
        assert self.go_on.wait(30)
        return np.array(items, np.uint8).reshape(-1, 1, 1, 1)


@pytest.fixture
def held() -> Held:
    return Held()


def hold(sampler: BatchingSampler, draw: Held) -> Ticket:
    """The sampler is busy with a pass for another session until ``draw`` is let go."""
    ticket = sampler.submit("busy", "other group", [99], draw)
    assert draw.started.wait(30)
    return ticket


def values(ticket: Ticket) -> list[int]:
    return ticket.result().flatten().tolist()


def test_what_sessions_want_meanwhile_is_joined_and_drawn_once(held):
    sampler = BatchingSampler()
    hold(sampler, held)
    tickets = [sampler.submit(session, "group", range(session, session + 3), held) for session in range(4)]
    assert [sampler.position(ticket) for ticket in tickets] == [1, 2, 3, 4]
    held.go_on.set()
    assert [values(ticket) for ticket in tickets] == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert held.passes == [[99], [0, 1, 2, 3, 4, 5]]
    again = sampler.submit("a newcomer", "group", [5, 0, 5], held)
    assert again.wait(0)
    assert values(again) == [5, 0, 5]


def test_sessions_that_ask_within_the_window_share_the_first_pass(held):
    sampler = BatchingSampler(window=2.0)  # seconds, for a busy machine
    held.go_on.set()
    first = sampler.submit("a", "group", [1], held)
    second = sampler.submit("b", "group", [2], held)
    assert values(first) + values(second) == [1, 2]
    assert held.passes == [[1, 2]]


def test_who_wants_many_does_not_keep_the_others_waiting(held):
    sampler = BatchingSampler(pass_size=4)
    hold(sampler, held)
    greedy = sampler.submit("greedy", "one", range(10), held)
    modest = sampler.submit("modest", "two", [20, 21], held)
    held.go_on.set()
    assert values(modest) == [20, 21]
    assert values(greedy) == list(range(10))
    assert held.passes == [[99], [0, 1, 2, 3], [20, 21], [4, 5, 6, 7], [8, 9]]


def test_the_newest_request_of_a_session_wins(held):
    sampler = BatchingSampler()
    hold(sampler, held)
    older = sampler.submit("a", "group", [1], held)
    newer = sampler.submit("a", "group", [2], held)
    assert older.wait(0)
    with pytest.raises(GanlibError, match="given up for newer ones"):
        older.result()
    gone = sampler.submit("b", "group", [3], held)
    sampler.cancel(gone)
    held.go_on.set()
    assert values(newer) == [2]
    assert held.passes == [[99], [2]]


def test_a_failure_reaches_those_who_wait_for_it_alone():
    sampler = BatchingSampler()

    def refuse(items: list[int]) -> np.ndarray:
        raise GanlibError("It cannot be drawn.")

    with pytest.raises(GanlibError, match="cannot be drawn"):
        sampler.submit("a", "group", [1], refuse).result()
    images = sampler.submit("a", "group", [1], lambda items: np.zeros((len(items), 1, 1, 1), np.uint8)).result()
    assert images.shape == (1, 1, 1, 1)


def test_memory_for_images_that_stay_is_bounded():
    draws: list[int] = []

    def draw(items: Sequence[int]) -> np.ndarray:
        draws.extend(items)
        return np.zeros((len(items), 10, 10, 1), np.uint8)

    sampler = BatchingSampler(cache_bytes=300)
    for item in (0, 1, 2, 0, 3, 0, 1):
        sampler.submit("a", "group", [item], draw).result()
    assert draws == [0, 1, 2, 3, 1]  # 1 had been out of use for longest


@pytest.mark.parametrize("name", ["sngan", "stylegan2_ada", "cdcgan"])
def test_images_are_those_that_each_session_would_have_drawn_alone(name, held, tmp_path):
    run = write_run(tmp_path / "run", name)
    model: Any = run.load()
    requests = [
        SampleRequest(run, (label,), tuple(range(s, s + n))) for label, s, n in [(0, 0, 5), (1, 3, 2), (0, 4, 7)]
    ]
    alone = [generate(model, request) for request in requests]
    sampler = BatchingSampler()
    hold(sampler, held)
    tickets = [
        sampler.submit(i, "group", items_of(request), partial(generate_items, model, request))
        for i, request in enumerate(requests)
    ]
    held.go_on.set()
    for ticket, expected in zip(tickets, alone, strict=True):
        np.testing.assert_array_equal(ticket.result(), expected)
    assert sampler.passes == 2


def in_threads(work: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=part) for part in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_fifty_sessions_end(tmp_path: Path):
    sampler, draws = BatchingSampler(), []

    def draw(items: Sequence[int]) -> np.ndarray:
        draws.append(len(items))
        time.sleep(0.002)
        return np.array(items, np.uint8).reshape(-1, 1, 1, 1)

    def session(i: int) -> None:
        for step in range(5):
            wanted = [(i * 7 + step + k) % 250 for k in range(16)]
            assert values(sampler.submit(i, step % 2, wanted, draw)) == wanted

    in_threads([partial(session, i) for i in range(50)])
    assert len(draws) == sampler.passes
    assert len(draws) < 250


def test_a_request_beyond_memory_is_refused():
    require_memory(1000, 3072, None)
    require_memory(100, 3072, 10_000_000)
    with pytest.raises(GanlibError, match=r"1,000 images at once are more than .* \(about 203\); choose fewer"):
        require_memory(1000, 3072, 10_000_000)
    assert (available_memory() or 1) > 0


def test_files_that_a_container_has_read_leave_its_memory_available(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "CONTAINER", tmp_path)
    everything = available_memory()
    files = {"max": "2000000\n", "current": "1900000\n"}
    for name, text in files.items():
        (tmp_path / f"memory.{name}").write_text(text)
    assert available_memory() == 100_000
    (tmp_path / "memory.stat").write_text(
        "anon 300000\nfile 1500000\ninactive_file 1400000\nactive_file 100000\nslab_reclaimable 50000\n"
    )
    assert available_memory() == 1_550_000
    (tmp_path / "memory.max").write_text("max\n")
    assert (available_memory() is None) == (everything is None)
