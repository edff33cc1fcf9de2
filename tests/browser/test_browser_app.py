"""Getting about: links, navigation, both themes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from ganlib.ui.navigation import PAGES as NAVIGATION
from helpers.browser_page import PAGES, asked, changed, go_to, images, settled, shown, sources
from helpers.gallery import CONDITIONAL, UNCONDITIONAL, direct


def test_a_deep_link_to_a_server_that_just_started_opens_the_whole_app(tab, gallery):
    page = tab(f"sampling?run={CONDITIONAL}&class=3&seed=7&n=4")  # first in this file: nobody came before
    assert np.array_equal(shown(page), direct(gallery, CONDITIONAL, range(7, 11), [3] * 4))
    for title in ("Overview", "Gallery"):
        expect(page.get_by_role("link", name=title)).to_be_visible()
    for section in {entry.section for entry in NAVIGATION.values()} - {""}:
        expect(page.get_by_test_id("stTopNavSection").filter(has_text=section)).to_be_visible()


def test_the_navigation_reaches_every_page(tab):
    page = tab()
    for path, title in [*PAGES.items()][::-1]:
        go_to(page, title)
        expect(page.locator("[data-testid=stMain] h2")).to_have_text(title)
        assert urlsplit(settled(page).url).path == f"/{path}"


def test_a_bad_link_is_explained_and_the_controls_work_from_there(tab):
    page = tab(f"sampling?run={CONDITIONAL}&seed=1.5&class=zebra")
    alerts = page.locator("[data-testid=stAlert]")
    expect(alerts).to_have_count(2)
    expect(alerts.filter(has_text="seed “1.5”")).to_have_count(1)
    before = sources(page)
    assert before == sources(tab(f"sampling?run={CONDITIONAL}"))
    field = page.locator(".st-key-seed input")
    expect(field).to_have_value("0")
    field.fill("5")
    field.press("Enter")
    after = changed(page, before)
    expect(alerts).to_have_count(0)
    expect(page).to_have_url(re.compile(r"[?&]seed=5(&|$)"))
    assert sources(tab(page.url)) == after


def test_a_card_of_the_gallery_leads_to_pictures_of_its_run(tab):
    page = tab()
    page.locator(f'a[href*="sampling?run={UNCONDITIONAL}"]').first.click()
    expect(page.locator("[data-testid=stMain] h2")).to_have_text("Sampling")
    expect(images(page)).to_have_count(16)
    assert asked(settled(page)) == {"run": [UNCONDITIONAL]}


# Text and background as painted: the nearest ancestor that has a background of its own, blended on nothing else.
CONTRAST = """element => {
    const rgba = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    let opacity = 1, back = null;
    for (let e = element; e; e = e.parentElement) {
        const style = getComputedStyle(e), colour = rgba(style.backgroundColor);
        if (!back && colour[3] > 0.9) back = colour;
        if (!back) opacity *= Number(style.opacity);
    }
    back = back || [255, 255, 255, 1];
    const text = rgba(getComputedStyle(element).color), a = text[3] * opacity;
    const seen = [0, 1, 2].map(i => text[i] * a + back[i] * (1 - a));
    const [low, high] = [light(seen), light(back)].sort((x, y) => x - y);
    return [(high + 0.05) / (low + 0.05), light(back)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_complete_and_readable_in_light_and_dark(path, scheme, tab):
    page = tab(path, scheme=scheme)
    expect(page.locator("[data-testid=stMain] h2")).to_have_text(PAGES[path])
    expect(page.locator("[data-testid=stAlert]")).to_have_count(0)
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0 && i.alt)")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for selector in (
        "[data-testid=stMain] h2",
        "[data-testid=stMain] [data-testid=stCaptionContainer] p",
        "[data-testid=stSidebar] label p",
        "[data-testid=stMain] h3, [data-testid=stMain] label p, [data-testid=stMain] button p",
        "figcaption",
        "[data-testid=stMain] a p, [data-testid=stHeader] a span",
    ):
        texts = page.locator(selector).locator("visible=true")
        for contrast, background in [texts.nth(i).evaluate(CONTRAST) for i in range(min(texts.count(), 3))]:
            assert contrast > 4.5, selector
            assert (background > 0.5) == (scheme == "light"), selector
