"""The dashboard as its users start it, on a port of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.browser_page import answers, until
from helpers.gallery import PROJECT


@contextmanager
def serve(gallery: Path, folder: Path) -> Iterator[str]:
    """Its address. ``folder`` gets its log and its cache; a traceback in the log is an error at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log.txt"
    environment = {k: v for k, v in os.environ.items() if k != "GANLIB_RUNS"} | {"GANLIB_GALLERY": str(gallery)}
    environment["GANLIB_CACHE"] = str(folder / "cache")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health") or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in log.read_text()
