"""The shipped nginx configuration, started before small servers that say which one they are."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from helpers.processes import PROJECT, free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


class Named(BaseHTTPRequestHandler):
    """Answers its server's port and path; an upgrade with 101."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.server.server_port} {self.path} {self.headers['Host']}".encode()  # type: ignore[attr-defined]
        if self.headers.get("Upgrade") == "websocket" and self.headers.get("Connection") == "upgrade":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "upgrade")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def named_server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Named) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    with named_server() as first, named_server() as second:
        text = (PROJECT / "deploy/nginx.conf").read_text()
        for default, actual in [(8501, first), (8502, second), (8080, port)]:
            assert f"{default}" in text
            text = text.replace(f"127.0.0.1:{default}", f"127.0.0.1:{actual}")
            text = text.replace(f"listen {default}", f"listen 127.0.0.1:{actual}")
        (folder / "nginx.conf").write_text(text)
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=30)


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def get(url: str, cookie: str = "") -> tuple[str, str]:
    """The body and the cookie that was set, "" where none was."""
    request = urllib.request.Request(url, headers={"Cookie": cookie} if cookie else {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode(), (answer.headers["Set-Cookie"] or "").partition(";")[0]


def test_a_visitor_stays_at_one_server_and_visitors_are_spread(address):
    servers = set()
    for _ in range(12):
        body, cookie = get(address)
        assert cookie.startswith("ganlib_server=")
        servers.add(body.split()[0])
        for path in ("/", "/_stcore/stream", "/media/a.png"):
            later, new_cookie = get(address + path, cookie)
            assert later.split()[:2] == [body.split()[0], path]
            assert new_cookie == ""
    assert len(servers) == 2


def test_it_says_whether_it_is_ready_and_keeps_the_host(address):
    body, _ = get(f"{address}/healthz")
    assert body.split()[1] == "/_stcore/health"
    body, _ = get(address)
    assert f"http://{body.split()[2]}" == address


def test_a_session_is_upgraded_to_a_websocket(address):
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        lines = ["GET /_stcore/stream HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        assert b" 101 " in connection.recv(1000)
