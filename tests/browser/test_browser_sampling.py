"""Classes and seeds, side by side and from one to another."""

from __future__ import annotations

import io
import json
import re
import zipfile

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from helpers.browser_page import asked, changed, choose, from_data_url, saved, settled, shown, slider, sources
from helpers.gallery import CONDITIONAL, OTHER, UNCONDITIONAL, direct, pixels


def test_class_and_seed_change_the_pictures_and_the_link_opens_the_same_ones_afresh(tab, gallery):
    page = tab(f"sampling?run={CONDITIONAL}")
    first = sources(page)
    page.locator(".st-key-class").get_by_text("1", exact=True).click()
    second = changed(page, first)
    expect(page).to_have_url(re.compile(r"[?&]class=1(&|$)"))
    field = page.locator(".st-key-seed input")
    field.fill("123456")
    field.press("Enter")
    third = changed(page, second)
    expect(page).to_have_url(re.compile(r"[?&]seed=123456(&|$)"))
    assert asked(page) == {"class": ["1"], "seed": ["123456"]} | asked(tab(f"sampling?run={CONDITIONAL}"))
    assert np.array_equal(shown(page), direct(gallery, CONDITIONAL, range(123456, 123472), [1] * 16))

    assert sources(tab(page.url, fresh=True)) == third

    page.get_by_text("Link, command line and Python").click()
    link, command, _ = page.locator("[data-testid=stExpander] code").all_inner_texts()
    assert link.startswith("http://127.0.0.1:")
    again = tab(link)
    assert sources(again) == third
    expect(again.locator("[data-testid=stAlert]")).to_have_count(0)
    assert command.startswith(f"python -m ganlib sample {CONDITIONAL} --classes 1 --seeds 123456-123471")


def test_the_seed_slider_moves_by_keyboard_and_takes_the_field_along(tab):
    page = tab(f"sampling?run={UNCONDITIONAL}")
    before = sources(page)
    slider(page, "seed_slider").press("End")
    changed(page, before)
    expect(page.locator(".st-key-seed input")).to_have_value("999")
    expect(page).to_have_url(re.compile(r"[?&]seed=999(&|$)"))


def test_seeds_in_a_row_are_one_entry_of_the_history(tab):
    page = tab(f"sampling?run={UNCONDITIONAL}&n=4")
    before, entries = sources(page), page.evaluate("history.length")
    for seed in range(1, 6):
        slider(page, "seed_slider").press("ArrowRight")
        expect(page).to_have_url(re.compile(rf"[?&]seed={seed}(&|$)"))
    after = changed(page, before)
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    assert changed(page, after) == before


def test_the_zip_holds_the_pictures_of_the_page_and_how_they_were_made(tab):
    page = tab(f"sampling?run={OTHER}&class=4&seed=20&n=8")
    name, content = saved(page, "All images as ZIP")
    assert name == f"{OTHER}_4_seeds_20-27.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        how, *files = archive.namelist()
        made = json.loads(archive.read(how))
        pictures = np.stack([pixels(archive.read(file)) for file in files])
    assert how == "provenance.json"
    assert files == [f"{OTHER}_4_{seed}.png" for seed in range(20, 28)]
    assert (made["run"], made["classes"], made["seeds"]) == (OTHER, ["4"], list(range(20, 28)))
    assert np.array_equal(pictures, shown(page))

    name, content = saved(page, "Grid as PNG")
    assert name == f"{OTHER}_4_seeds_20-27.png"
    whole = pixels(content)
    assert whole.shape == (16, 8 * 18 - 2)
    assert np.array_equal(whole[:, 18:34], pictures[1])


def test_runs_side_by_side_show_the_same_seeds(tab, gallery):
    page = tab(f"sampling?run={CONDITIONAL}&n=4")
    choose(page, "compare", "SNGAN · Handwritten digits")
    labels = ["Conditional DCGAN · Handwritten digits", "SNGAN · Handwritten digits"]
    expect(page.locator("[data-testid=image-grid] .head")).to_have_text(labels)
    expect(page).to_have_url(re.compile(f"[?&]compare={OTHER}"))
    settled(page)
    expected = [direct(gallery, name, range(4), [0] * 4) for name in (CONDITIONAL, OTHER)]
    assert np.array_equal(shown(page), np.concatenate(expected))


def test_an_interpolation_plays_and_can_be_kept(tab):
    page = tab(f"interpolation?run={OTHER}&class_a=2&class_b=7&frames=6&fps=10")
    strip = page.locator("[data-testid=film-strip] img")
    expect(strip).to_have_count(6)
    player = page.get_by_test_id("player")
    expect(player.get_by_text(re.compile(r"^[2-6] of 6: \d+% from"))).to_be_visible()  # it plays by itself
    player.get_by_role("slider", name="Frame").fill("3")
    expect(player.get_by_text(re.compile("^4 of 6: "))).to_be_visible()
    expect(player.get_by_role("button", name="Play")).to_be_visible()  # and stands still where it was moved to
    assert player.locator("img").get_attribute("src") == strip.nth(3).get_attribute("src")
    player.get_by_role("combobox", name="Speed").select_option("4")
    player.get_by_role("button", name="Play").click()
    expect(player.get_by_text(re.compile("^1 of 6: "))).to_be_visible()
    name, content = saved(page, "GIF")
    assert name == f"{OTHER}_2_0_to_7_1.gif"
    with Image.open(io.BytesIO(content)) as gif:
        assert (gif.format, getattr(gif, "n_frames", 1), gif.info["duration"]) == ("GIF", 10, 100)  # there and back
    first = from_data_url(strip.first.get_attribute("src"))
    picture = shown(tab(f"sampling?run={OTHER}&class=2&seed=0&n=1"))[0]
    assert np.abs(first.astype(int) - picture).max() <= 1

    slider(page, "frames").press("ArrowLeft")
    expect(strip).to_have_count(5)
    expect(player.get_by_text(re.compile("of 5: "))).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]frames=5(&|$)"))
