"""The thread of a device: whose turn it is, who leaves, how many cores it takes beside other processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from functools import partial
from typing import Any

import pytest
import torch

from ganlib import devices
from ganlib.applications.stepwise import Stepwise
from ganlib.devices import on_device

CPU = torch.device("cpu")


def test_steps_of_long_work_let_others_go_first_but_are_not_starved():
    order: list[str] = []
    begun, go = threading.Event(), threading.Event()
    worker = devices._Worker("test")

    def hold() -> None:
        begun.set()
        go.wait(60)

    worker.submit(hold, long=False)
    begun.wait(60)
    steps = [worker.submit(partial(order.append, "step"), long=True) for _ in range(2)]
    answers = [worker.submit(partial(order.append, "answer"), long=False) for _ in range(12)]
    go.set()
    wait([*steps, *answers], 60)
    first = devices.SHORT_IN_TURN - 1  # after the one that held the thread
    assert order == ["answer"] * first + ["step"] + ["answer"] * (12 - first) + ["step"]


def test_an_error_belongs_to_whoever_computes_and_the_thread_goes_on():
    with pytest.raises(ZeroDivisionError):
        devices.on_device(torch.device("cpu"), lambda: 1 // 0)
    assert devices.on_device(torch.device("cpu"), lambda: 7) == 7


@pytest.mark.parametrize(("load", "threads"), [(0.0, 2), (1.9, 2), (2.0, 2), (2.1, 1), (16.0, 1)])
def test_one_thread_while_others_keep_the_cores_busy(load, threads):
    assert devices.usable_threads(2, load, cores=2) == threads


@pytest.mark.parametrize("load", [0.0, 100.0])
def test_the_worker_has_one_thread_under_load_and_all_without(load, monkeypatch):
    monkeypatch.setattr(devices, "_most_threads", 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    before = torch.get_num_threads()
    inside = devices.on_device(torch.device("cpu"), torch.get_num_threads)
    assert inside == (1 if load else 2)
    assert devices.threads() == "2 threads"
    devices.on_device(torch.device("cpu"), lambda: torch.set_num_threads(before))


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_independent_tasks_are_computed_at_once_by_a_thread_each(two_threads):
    meeting = threading.Barrier(2, timeout=60)

    def meet(value: int) -> tuple[int, int, bool]:
        meeting.wait()
        return value, torch.get_num_threads(), torch.is_grad_enabled()

    assert devices.tasks_at_once(CPU) == 2
    results = devices.on_device_at_once(CPU, [partial(meet, 1), partial(meet, 2)])
    assert results == [(1, 1, False), (2, 1, False)]
    assert torch.get_num_threads() == 2
    with pytest.raises(ZeroDivisionError):
        devices.on_device_at_once(CPU, [lambda: 1 // 0, lambda: 1])


def test_where_sessions_share_the_cores_tasks_take_turns(two_threads, monkeypatch):
    monkeypatch.setattr(devices, "_most_threads", 2)
    assert devices.tasks_at_once(CPU) == 1
    threads = devices.on_device_at_once(CPU, [threading.get_ident] * 3)
    assert threads == [devices.on_device(CPU, threading.get_ident)] * 3


@pytest.fixture
def following(monkeypatch):
    monkeypatch.setattr(devices, "_while_waiting", None)  # restored at the end
    return devices.while_waiting


def test_whoever_waits_may_follow_and_gets_the_result(following):
    seen = []
    following(lambda future: seen.append(future.done()))
    assert on_device(CPU, lambda: 3) == 3
    assert len(seen) == 1


class Left(BaseException):
    """As Streamlit ends a run of a page."""


def test_what_nobody_waits_for_any_more_is_not_computed(following):
    begun, go_on, computed = threading.Event(), threading.Event(), []

    def hold() -> None:
        begun.set()
        assert go_on.wait(30)

    holder = threading.Thread(target=on_device, args=(CPU, hold))
    holder.start()
    assert begun.wait(30)

    def leave(future: Future[Any]) -> None:
        raise Left

    following(leave)
    with pytest.raises(Left):
        on_device(CPU, lambda: computed.append(1))
    following(lambda future: None)
    go_on.set()
    holder.join(30)
    assert on_device(CPU, lambda: 4) == 4
    assert computed == []


def test_a_step_that_was_left_while_it_ran_still_counts(following):
    begun, go_on = threading.Event(), threading.Event()

    class Work(Stepwise):
        def _begin(self) -> None:
            self.steps = 0

        def _run(self) -> Iterator[float]:
            while True:
                begun.set()
                assert go_on.wait(30)
                self.steps += 1
                yield self.steps / 3

    def leave(future: Future[Any]) -> None:
        if not go_on.is_set():
            assert begun.wait(30)
            go_on.set()
            raise Left

    following(leave)
    work = Work(CPU)
    with pytest.raises(Left):
        work.step()
    while not work.done:
        work.step()
    work.step()
    assert work.steps == 3


def test_a_gpu_computes_convolutions_in_float32_for_the_same_image_everywhere():
    before = torch.backends.cudnn.allow_tf32
    assert not on_device(torch.device("cpu"), lambda: torch.backends.cudnn.allow_tf32)
    assert torch.backends.cudnn.allow_tf32 == before  # trainings may
