"""dashboard: the server that it starts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from ganlib.commands.dashboard import find_app
from ganlib.settings import child_environment
from helpers.command_line import run_refused_command
from helpers.gallery import PROJECT

pytestmark = pytest.mark.slow


def test_the_checkouts_app_comes_before_the_packages():
    assert find_app() == PROJECT / "app.py"


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_port_that_there_is_none_of_is_refused(port, capsys):
    sentence = run_refused_command("dashboard", "--headless", "--port", port, capsys=capsys)
    assert sentence == f"ganlib: --port must be at least 1 and at most 65535, not {port}.\n"


def test_it_serves_from_any_folder_until_it_is_interrupted(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ganlib", "dashboard", "--headless", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=child_environment(60), stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            assert answers(f"http://127.0.0.1:{port}/_stcore/health")
        finally:
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl+C in a terminal
        assert process.wait(30) == 0


def answers(address: str, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return bool(urlopen(address).read() == b"ok")
        except URLError:
            time.sleep(0.2)
    return False
