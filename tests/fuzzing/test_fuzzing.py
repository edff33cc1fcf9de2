"""Each reader against a fixed set of damaged files: it reads them or refuses them in one sentence, and no more.

More inputs, and what kills a process: ``python -m benchmarks.fuzzing``.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.fuzzing import guard
from benchmarks.fuzzing.corpus import Files
from benchmarks.fuzzing.processes import fuzz
from benchmarks.fuzzing.tally import Tally
from benchmarks.fuzzing.targets import TARGETS, Target
from benchmarks.fuzzing.worker import Worker
from helpers.gallery import PROJECT

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


@pytest.mark.skipif(sys.platform != "linux", reason="it forks, and reads /proc")
def test_a_tally_adds_up_and_forgets_what_is_mended(tmp_path):
    command = [sys.executable, "-m", "benchmarks.fuzzing", "manifest", "--tally", str(tmp_path / "tally.json")]
    for inputs in (30, 50):
        done = subprocess.run([*command, "--inputs", str(inputs)], cwd=PROJECT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    tally = Tally(tmp_path / "tally.json")
    total = tally.total("manifest")
    assert (total.inputs, total.read + total.refused) == (50, 50)
    total.add("was wrong once", 3)
    tally.outcomes["manifest"] = {1: total}
    tally.save()
    assert subprocess.run([*command, "--inputs", "50"], cwd=PROJECT, capture_output=True).returncode == 1
    assert subprocess.run([*command, "--again"], cwd=PROJECT, capture_output=True).returncode == 0
    assert Tally(tmp_path / "tally.json").total("manifest").faults == {}


@pytest.mark.skipif(sys.platform != "linux", reason="it forks, and reads /proc")
def test_an_input_that_kills_its_process_is_a_fault_and_the_next_follow(capfd):
    def read(folder: Path) -> None:
        number = int((folder / "text").read_text())
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 4:
            raise KeyError("no sentence")

    class Numbered(Target):
        def files(self, number: int, seed: int) -> Files:
            return {"text": str(number).encode()}

    outcome = fuzz(Numbered("numbered", lambda: [{"text": b"0"}], read), range(7), seed=0, seconds=60)
    assert (outcome.inputs, outcome.read) == (7, 5)
    (killed, numbers), (other, others) = outcome.faults.items()
    assert (killed.partition(":")[0], numbers) == ("died by SIGKILL", [2])
    assert ("KeyError at tests/fuzzing" in other, others) == (True, [4])


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
