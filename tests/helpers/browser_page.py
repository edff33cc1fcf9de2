"""Journeys in a real browser: what is on the page, and how a person changes it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import numpy as np
from playwright.sync_api import Download, Locator, Page, expect

from ganlib.ui.navigation import PAGES as NAVIGATION
from helpers.gallery import pixels

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEW: Any = {"viewport": {"width": 1400, "height": 1000}}
WAIT = 60_000  # milliseconds, on a machine that may be busy; how fast a page is, benchmarks.page_loading measures
PAGES = {
    "": "Overview",
    "gallery": "Gallery",
    "sampling": "Sampling",
    "interpolation": "Interpolation",
    "directions": "Directions",
    "sheets": "Sheets",
    "inversion": "Inversion",
    "edit": "Edit a picture",
    "curves": "Training curves",
    "fid": "FID comparison",
    "experiments": "Experiments",
    "compare": "Real vs synthetic",
}
QUICK = {"inversion": "inversion?steps=2"}  # pages whose own work takes seconds, and how they have little
WITHOUT_SIDEBAR = ("Overview", "Gallery", "Experiments")


def go_to(page: Page, title: str) -> None:
    """By the navigation, through the menu in which the page stands."""
    section = next(entry.section for entry in NAVIGATION.values() if entry.title == title)
    if section:
        page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
    kind = "stTopNavDropdownLink" if section else "stTopNavLink"
    page.get_by_test_id(kind).filter(has_text=title).click()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def settled(page: Page) -> Page:
    page.wait_for_selector("[data-testid=stApp][data-test-connection-state=CONNECTED]")
    expect(page.locator("[data-testid=stMain] h2")).to_be_visible()
    if page.locator("[data-testid=stMain] h2").inner_text() not in WITHOUT_SIDEBAR:
        device = page.locator("[data-testid=stSidebar]").get_by_text("Device")
        expect(device).to_be_attached()  # the last that a page draws
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    return page


def images(page: Page) -> Locator:
    return page.locator("[data-testid=image-grid] img")


def sources(page: Page) -> list[str]:
    expect(images(page).first).to_be_visible()
    found = images(page).evaluate_all("all => all.map(i => i.src)")
    assert found
    return found


def shown(page: Page) -> np.ndarray:
    """The pixels of all pictures on the page."""
    return np.stack([from_data_url(src) for src in sources(page)])


def from_data_url(src: str) -> np.ndarray:
    with urlopen(src) as response:
        return pixels(response.read())


def slider(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}").get_by_role("slider")


def choose(page: Page, key: str, option: str) -> None:
    """Adds an option to a multiselect."""
    page.locator(f".st-key-{key} input").click()
    page.get_by_role("option", name=option).click()
    page.keyboard.press("Escape")


def changed(page: Page, before: list[str]) -> list[str]:
    """Waits for other pictures than ``before``."""
    expect(images(page).first).not_to_have_attribute("src", before[0])
    return sources(settled(page))


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def at_rest(page: Page, seconds: float = 0.6) -> Page:
    """Waits until no run of the page's script has been seen for longer than a control waits to send its value."""
    state = page.locator("[data-testid=stApp]")
    since = time.monotonic()
    end = since + WAIT / 1000
    while time.monotonic() - since < seconds:
        assert time.monotonic() < end, "the page does not come to rest"
        if state.get_attribute("data-test-script-state") != "notRunning":
            since = time.monotonic()
        time.sleep(0.05)
    return settled(page)


def saved(page: Page, button: str) -> tuple[str, bytes]:
    """Name and content of a download. A button made anew in the moment of the click would have none to give."""
    at_rest(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).first.click()
    download: Download = waiting.value
    return download.suggested_filename, Path(download.path()).read_bytes()
