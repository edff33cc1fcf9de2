"""A real server on a small gallery, a real browser, no other host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from helpers.browser_page import CHROMIUM, FLAGS, QUICK, VIEW, WAIT, settled
from helpers.gallery import add_able_runs, copy_of, small_gallery
from helpers.server import serve

expect.set_options(timeout=WAIT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are of the browser tier."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def gallery(tmp_path_factory) -> Path:
    root = copy_of(small_gallery(tmp_path_factory.getbasetemp()), tmp_path_factory.mktemp("browsed"))
    add_able_runs(root)
    return root


@pytest.fixture(scope="session")
def server(gallery, tmp_path_factory) -> Iterator[str]:
    """Its address."""
    with serve(gallery, tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def contexts(browser) -> dict[str, BrowserContext]:
    """By colour scheme. Kept between tests, as a person's browser keeps the app's scripts in its cache."""
    return {scheme: browser.new_context(**VIEW, color_scheme=scheme) for scheme in ("light", "dark")}


@pytest.fixture
def tab(browser, server, contexts) -> Iterator[Callable[..., Page]]:
    """Opens pages; fails if one of them turns to another host or meets an error."""
    pages: list[Page] = []
    complaints: list[str] = []

    def note(kind: str, url: str, text: str = "") -> None:
        if urlsplit(url).hostname not in ("127.0.0.1", None):
            complaints.append(f"{kind} {url}")
        elif text and "/_stcore/" not in url:  # Streamlit tries whether the path before it belongs to a proxy
            complaints.append(f"{kind} {url}: {text}")

    def open_tab(path: str = "", *, scheme: str = "light", fresh: bool = False) -> Page:
        page = browser.new_context(**VIEW).new_page() if fresh else contexts[scheme].new_page()
        page.set_default_timeout(WAIT)
        pages.append(page)
        page.on("request", lambda request: note("request", request.url))
        page.on("websocket", lambda socket: note("websocket", socket.url))
        page.on("console", lambda m: note("console", m.location["url"], m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"uncaught {error}"))
        page.goto(path if "://" in path else f"{server}/{QUICK.get(path, path)}")
        return settled(page)

    yield open_tab
    for page in pages:
        if page.context in contexts.values():
            page.close()
        else:
            page.context.close()
    assert complaints == []
