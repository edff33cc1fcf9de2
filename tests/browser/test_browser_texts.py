"""What a browser makes of texts from links, files and names: nothing but text, and no request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread
from urllib.parse import urlencode

import pytest

from helpers.browser_page import PAGES, at_rest
from helpers.hostile_runs import KEYS


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A server on a port of its own and the first line of each request that it got."""
    requests: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:  # closed
                return
            with connection:
                requests.append(connection.recv(1000).split(b"\r\n")[0])

    Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1], requests
    server.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_value_of_a_link_makes_the_browser_fetch_anything(path, tab, listener):
    port, requests = listener
    for text in (f"![a](http://127.0.0.1:{port}/x.png)", f"<img src=http://127.0.0.1:{port}/y.png>"):
        keys = [key.rstrip("_") for key in KEYS]
        page = at_rest(tab(f"{path}?{urlencode(dict.fromkeys(keys, text))}"))
        assert page.locator(f"img[src*='127.0.0.1:{port}']").count() == 0
        assert page.locator(f"a[href*='127.0.0.1:{port}']").count() == 0
    assert requests == []
