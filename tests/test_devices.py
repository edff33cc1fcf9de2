"""How many threads a computation takes beside other processes."""

from __future__ import annotations

import os

import pytest
import torch

from ganlib import devices


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
