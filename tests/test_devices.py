"""How many threads a computation takes beside other processes."""

from __future__ import annotations

import os
import threading
from concurrent.futures import wait
from functools import partial

import pytest
import torch

from ganlib import devices


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
