"""What axe-core finds on every page, in light and dark; the first screen; a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from helpers.browser_page import PAGES, at_rest, images, settled
from helpers.gallery import CONDITIONAL

NAVIGATION_BOTTOM = 60  # pixels


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PAGES, "guessing", "experiments?experiment=sagan-attention"])
def test_axe_finds_nothing_serious(path, scheme, tab):
    page = at_rest(tab(path, scheme=scheme))  # what a run has not drawn again yet is faded
    violations = Axe().run(page).response["violations"]
    serious = {v["id"]: v["nodes"][0]["html"] for v in violations if v["impact"] in ("serious", "critical")}
    assert serious == {}


@pytest.mark.parametrize("path", PAGES)
def test_the_content_begins_below_the_navigation_and_fits_a_phone(path, tab):
    page = tab(path, fresh=True)
    page.set_viewport_size({"width": 1280, "height": 720})
    title = page.locator("[data-testid=stMain] h2").bounding_box()
    assert title is not None
    assert title["y"] - NAVIGATION_BOTTOM < 120
    page.set_viewport_size({"width": 400, "height": 800})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_controls_of_sampling_fit_without_scrolling(tab):
    page = tab(f"sampling?run={CONDITIONAL}", fresh=True)
    page.set_viewport_size({"width": 1280, "height": 720})
    sidebar = page.locator("[data-testid=stSidebarContent]")
    assert sidebar.evaluate("s => s.scrollHeight <= s.clientHeight")


def test_a_picture_opens_by_keyboard_and_by_click_and_is_kept(tab):
    page = tab(f"sampling?run={CONDITIONAL}&class=3&n=4", fresh=True)
    button = page.get_by_role("button", name="3, seed 2")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("3, seed 2")).to_be_visible()
    expect(dialog.get_by_text("D's score")).to_be_visible()
    dialog.get_by_role("button", name="Keep as favourite").click()
    expect(page.locator("[data-testid=favourites] img")).to_have_count(1)
    assert f"fav={CONDITIONAL}%7E3%7E2" in page.url or f"fav={CONDITIONAL}~3~2" in page.url
    page.reload()
    settled(page)
    expect(page.locator("[data-testid=favourites] img")).to_have_count(1)
    images(page).nth(2).click()
    page.get_by_role("dialog").get_by_role("link", name="End of an interpolation").click()
    expect(page.locator("[data-testid=stMain] h2")).to_have_text("Interpolation")
    expect(page.locator(".st-key-seed_b input").first).to_have_value("2")
    expect(page.locator(".st-key-class_b [aria-checked=true], .st-key-class_b [aria-pressed=true]")).to_have_text("3")
