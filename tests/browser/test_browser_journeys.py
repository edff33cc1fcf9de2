"""What the three users of the dashboard come for, each told from the first page to the answer."""

from __future__ import annotations

import re
from urllib.parse import quote

from playwright.sync_api import Page, expect

from helpers.browser_page import asked, changed, images, settled, sources
from helpers.gallery import CONDITIONAL, OTHER


def heading(page: Page, title: str) -> None:
    expect(page.locator("[data-testid=stMain] h2")).to_have_text(title)


def test_an_analyst_picks_a_class_finds_an_image_and_passes_it_on(tab):
    """ "I need threes. This one is good: what does it turn into on its way to a seven? My colleague should see it." """
    page = tab()
    page.get_by_role("link", name="Get images of a class").click()
    heading(page, "Sampling")
    before = sources(page)
    page.locator(".st-key-class").get_by_text("3", exact=True).click()
    changed(page, before)
    images(page).nth(4).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("3, seed 4")).to_be_visible()
    dialog.get_by_role("link", name="Start of an interpolation").click()
    heading(page, "Interpolation")
    page.locator(".st-key-class_b").get_by_text("7", exact=True).click()
    expect(page).to_have_url(re.compile(r"[?&]class_b=7(&|$)"))
    strip = page.get_by_test_id("film-strip").get_by_role("img")
    expect(strip.first).to_have_attribute("alt", re.compile("from 3, seed 4 to 7"))
    colleague = tab(settled(page).url, fresh=True)
    expect(colleague.get_by_test_id("film-strip").get_by_role("img").first).to_have_attribute(
        "alt", str(strip.first.get_attribute("alt"))
    )


def test_a_supervisor_asks_which_architecture_is_best_and_why(tab):
    """ "Which is best, measured how? Is the distance more than noise? What was trained otherwise?" """
    page = tab()
    page.get_by_role("link", name="Compare architectures").click()
    heading(page, "FID comparison")
    labels = page.locator(".st-key-fid_bars .ytick")
    expect(labels).to_have_text(["SNGAN", "Conditional DCGAN"])  # from the bottom: the lower score above
    expect(page.locator(".st-key-fid_bars .errorbars path").first).to_be_attached()
    expect(page.get_by_role("combobox", name="Protocol")).to_have_value(re.compile("1,000 generated"))
    page.get_by_role("tab", name="Differences").click()
    expect(page).to_have_url(re.compile(r"[?&]section=Differences(&|$)"))
    table = page.get_by_role("tabpanel", name="Differences").get_by_test_id("stDataFrame")
    expect(table.locator("[role=row]").filter(has_text="model")).to_contain_text("sngan")
    page.get_by_role("tab", name="Cost").click()
    expect(page.locator(".st-key-cost_scatter .scatterlayer .points").first).to_be_attached()


def test_a_defence_goes_through_its_views_and_lets_the_audience_guess(tab):
    """ "Slide by slide by the remote, then everybody guesses." """
    views = ["home", f"sampling?run={OTHER}&class=3", f"guessing?run={CONDITIONAL}&n=20"]
    page = tab("?present=1&" + "&".join(f"view={quote(view)}" for view in views), fresh=True)
    expect(page.get_by_text("1 of 3")).to_be_visible()
    page.keyboard.press("PageDown")
    heading(page, "Sampling")
    expect(images(page)).to_have_count(16)
    page.keyboard.press("PageDown")
    heading(page, "Real or generated?")
    for number in range(1, 21):
        expect(page.get_by_text(f"Image {number} of 20")).to_be_visible()
        page.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
    expect(page.get_by_text(re.compile(r"You were wrong about \d+ of 20 images"))).to_be_visible()
    expect(page.get_by_test_id("captioned-images").get_by_role("img")).to_have_count(20)
    assert asked(page)["present"] == ["3"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
