"""A defence clicks, or types, through its views; an audience judges images by the keyboard."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from helpers.gallery import CONDITIONAL, OTHER


def test_a_presentation_goes_forward_and_back_by_button_and_key(tab):
    page = tab(f"fid?present=1&view=fid&view=sampling%3Frun%3D{OTHER}%26seed%3D3&view=interpolation")
    expect(page.get_by_text("1 of 3")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="Sampling")).to_be_visible()
    query = parse_qs(urlsplit(page.url).query)
    assert (query["present"], query["run"], query["seed"]) == (["2"], [OTHER], ["3"])
    page.keyboard.press("PageDown")
    expect(page.get_by_role("heading", name="Interpolation")).to_be_visible()
    page.keyboard.press("PageUp")
    expect(page.get_by_role("heading", name="Sampling")).to_be_visible()
    page.reload()
    expect(page.get_by_text("2 of 3")).to_be_visible()
    page.get_by_role("link", name="End").click()
    expect(page.get_by_text("2 of 3")).to_be_hidden()
    expect(page.get_by_test_id("stSidebar")).to_be_visible()


def test_a_key_pressed_before_the_view_is_drawn_is_not_lost(tab):
    page = tab(f"?present=1&view=home&view=sampling%3Frun%3D{OTHER}&view=interpolation", fresh=True)
    page.reload(wait_until="commit")
    page.wait_for_function("document.head?.innerHTML.includes('PageDown')")
    page.keyboard.press("PageDown")
    expect(page.get_by_role("heading", name="Sampling")).to_be_visible()


def test_a_test_of_ten_images_is_taken_by_the_arrow_keys(tab):
    page = tab(f"guessing?run={CONDITIONAL}&n=10")
    for number in range(1, 11):
        expect(page.get_by_text(f"Image {number} of 10")).to_be_visible()
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("You were wrong about 5 of 10 images, 50%.")).to_be_visible()
    expect(page.get_by_test_id("captioned-images").get_by_role("img")).to_have_count(10)
