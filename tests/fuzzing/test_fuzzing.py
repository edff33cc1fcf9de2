"""Each reader against a fixed set of damaged files: it reads them or refuses them in one sentence, and no more.

More inputs, and what kills a process: ``python -m benchmarks.fuzzing``.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from benchmarks.fuzzing import guard
from benchmarks.fuzzing.targets import TARGETS
from benchmarks.fuzzing.worker import Worker

pytestmark = pytest.mark.slow

INPUTS = 20  # of each target


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture(scope="module")
def watched(folder) -> guard.Guard:
    return guard.Guard(folder)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.filterwarnings("ignore")  # of pandas and Pillow, about what the files hold
def test_damaged_files_are_read_or_refused(name, folder, watched, monkeypatch):
    monkeypatch.setenv("GANLIB_CACHE", str(folder / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    worker = Worker(TARGETS[name], seed=0, folder=folder, guard=watched)
    worker.warm_up()
    assert [fault for number in range(INPUTS) if (fault := worker.try_input(number))] == []
    assert worker.counts["read"] + worker.counts["refused"] > 0


def test_an_input_is_the_same_alone_and_among_others():
    target = TARGETS["log-json"]
    assert target.files(7, seed=1) == target.files(7, seed=1)
    assert target.files(7, seed=1) != target.files(8, seed=1)


def test_the_guard_sees_what_a_reader_may_not_do(folder, watched):
    outside = folder.parent / "outside"
    outside.write_text("a")
    with watched.watching():
        (folder / "own").write_text("a")
        (folder / "own").read_text()
    assert watched.violations == []
    with watched.watching():
        outside.read_text()
        (folder / "link").symlink_to(outside)
        (folder / "link").read_text()
        socket.socket().close()
        os.system("true")
    assert [text.split()[0] for text in watched.violations] == ["open", "open", "socket.__new__", "os.system"]
