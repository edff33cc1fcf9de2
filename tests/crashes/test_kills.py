"""A few kills in the tests; ``python -m benchmarks.kills`` does hundreds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from helpers.gallery import PROJECT


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it forks, and reads /proc")
def test_killed_commands_leave_whole_files_and_end_as_if_undisturbed():
    command = [sys.executable, "-m", "benchmarks.kills", "promote", "halve", "export", "--kills", "12"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" 0 faults") == 3
