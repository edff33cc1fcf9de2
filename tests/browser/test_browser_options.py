"""What single architectures offer: codes, stages, styles, long sampling."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from ganlib.images import grid, strip
from ganlib.sampling import sample_stages
from helpers.browser_page import asked, changed, from_data_url, images, saved, settled, shown, slider, sources
from helpers.gallery import CANVAS, CODES, CONDITIONAL, PYRAMID, SLOW, STYLES, direct, model, pixels


def test_a_code_moves_the_pictures_and_the_link_keeps_it(tab, gallery):
    page = tab(f"sampling?run={CODES}&n=4")
    free = sources(page)
    assert np.array_equal(shown(page), direct(gallery, CODES, range(4)))
    slider(page, "c1").press("ArrowRight")
    first = changed(page, free)
    expect(page).to_have_url(re.compile(r"[?&]c1=0(&|$)"))
    assert np.array_equal(shown(page), direct(gallery, CODES, range(4), c1=0))
    slider(page, "c3").press("End")
    second = changed(page, first)
    expect(page).to_have_url(re.compile(r"[?&]c3=2(&|$)"))
    assert np.array_equal(shown(page), direct(gallery, CODES, range(4), c1=0, c3=2.0))
    assert sources(tab(page.url, fresh=True)) == second

    page.get_by_text("Link, command line and Python").click()
    link, command, _ = page.locator("[data-testid=stExpander] code").all_inner_texts()
    assert "c2" not in parse_qs(urlsplit(link).query)  # still the seeds'
    assert "--option c1=0 --option c3=2 " in command
    again = tab(link)
    assert sources(again) == second
    expect(again.locator("[data-testid=stAlert]")).to_have_count(0)
    slider(page, "c1").press("Home")
    third = changed(page, second)
    slider(page, "c3").press("Home")
    assert changed(page, third) == free
    expect(page).not_to_have_url(re.compile(r"[?&]c\d="))


def test_what_another_run_does_not_know_leaves_the_url(tab, gallery):
    page = tab(f"sampling?run={CONDITIONAL}&class=7&seed=5&n=4")
    before = sources(page)
    page.locator(".st-key-run input").click()
    page.get_by_role("option", name="LAPGAN").click()
    after = changed(page, before)
    expect(page).not_to_have_url(re.compile("[?&]class="))
    assert asked(page) == {"run": [PYRAMID], "seed": ["5"], "n": ["4"]}
    assert np.array_equal(shown(page), direct(gallery, PYRAMID, range(5, 9), [0] * 4))
    again = tab(page.url, fresh=True)
    assert sources(again) == after
    expect(again.locator("[data-testid=stAlert]")).to_have_count(0)


@pytest.mark.parametrize(("run", "labels", "sizes"), [(CANVAS, None, [16, 16, 16]), (PYRAMID, [0, 0], [4, 8, 16])])
def test_steps_are_shown_at_one_size_and_can_be_kept(run, labels, sizes, tab, gallery):
    page = tab(f"sampling?run={run}&n=2")
    pictures = page.locator("[data-testid=stages] img")
    expect(pictures).to_have_count(0)
    page.locator(".st-key-stages label").click()
    expect(pictures).to_have_count(6)
    expect(page).to_have_url(re.compile(r"[?&]stages=true(&|$)"))
    settled(page)
    assert pictures.evaluate_all("all => all.map(i => i.naturalWidth)") == sizes * 2
    assert len(set(pictures.evaluate_all("all => all.map(i => [i.width, i.height].join())"))) == 1
    found = [from_data_url(src) for src in pictures.evaluate_all("all => all.map(i => i.src)")]
    stages = sample_stages(model(gallery, run), range(2), labels)
    expected = [stage[row, ..., 0] for row in range(2) for stage in stages]
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))

    name, content = saved(page, "Stages as PNG")
    assert name.endswith("_seeds_0-1_stages.png")
    assert np.array_equal(pixels(content), np.asarray(strip(stages)))
    assert pixels(content).shape == (2 * 18 - 2, 3 * 18 - 2)

    again = tab(page.url)
    expect(again.locator("[data-testid=stages] img")).to_have_count(6)
    again.set_viewport_size({"width": 360, "height": 800})
    assert again.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    inside = "e => e.scrollWidth <= e.clientWidth && e.getBoundingClientRect().right <= window.innerWidth"
    assert again.locator("[data-testid=stages]").evaluate(inside)


def test_a_long_sampling_grows_can_be_stopped_and_goes_on(tab, gallery):
    page = tab(f"sampling?run={SLOW}&n=32&steps=1")
    before = sources(page)
    slider(page, "steps").press("End")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(images(page).first).not_to_have_attribute("src", before[0])  # on their way
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_in_viewport()
    assert stop.bounding_box()["y"] < images(page).first.bounding_box()["y"]
    stop.click()
    expect(page.get_by_text(re.compile(r"Stopped at \d+%"))).to_be_visible()
    name, content = saved(page, "Grid as PNG")
    halfway = sources(page)
    assert name.endswith("_unfinished.png")  # what is there, not minutes later what was stopped
    assert np.array_equal(pixels(content), np.asarray(grid(shown(page)[..., None], 8)))
    assert len(halfway) == 32
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)

    slider(page, "steps").press("Home")  # the page stays usable
    assert changed(page, halfway) == before
    slider(page, "steps").press("End")
    expect(page.get_by_text(re.compile(r"Stopped at \d+%"))).to_be_visible()  # and remembers how far it came
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Go on")).to_have_count(0)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    whole = changed(page, halfway)
    made = np.stack([from_data_url(src) for src in whole])
    assert abs(made.astype(int) - direct(gallery, SLOW, range(32), [0] * 32, steps=250)).max() <= 1


def test_a_long_interpolation_shows_its_progress_and_can_be_stopped(tab):
    page = tab(f"interpolation?run={SLOW}&frames=24&steps=1")
    expect(page.get_by_test_id("player")).to_be_visible()
    slider(page, "steps").press("End")
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile(r"Stopped at \d+%"))).to_be_visible()
    expect(page.get_by_test_id("film-strip").get_by_role("img")).to_have_count(24)
    expect(page.get_by_test_id("player")).to_have_count(0)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_test_id("player")).to_be_visible()
    expect(page.get_by_role("button", name="Go on")).to_have_count(0)


def test_styles_are_truncated_and_mixed(tab, gallery):
    page = tab(f"sampling?run={STYLES}&n=4")
    before = sources(page)
    slider(page, "truncation").press("Home")
    truncated = changed(page, before)
    assert np.array_equal(shown(page), direct(gallery, STYLES, range(4), [0] * 4, truncation=0.0))
    slider(page, "truncation").press("End")
    changed(page, truncated)
    expect(page.locator(".st-key-mix_layer")).to_have_count(0)
    whole = sources(page)
    page.locator(".st-key-mix_seed input").fill("9")
    page.keyboard.press("Enter")
    mixed = changed(page, whole)
    slider(page, "mix_layer").press("Home")
    changed(page, mixed)
    expected = direct(gallery, STYLES, range(4), [0] * 4, truncation=1.5, mix_seed=9, mix_layer=0)
    assert np.array_equal(shown(page), expected)
    again = tab(page.url, fresh=True)
    assert np.array_equal(shown(again), expected)
    mixed = sources(again)
    again.locator(".st-key-mix_seed input").fill("")
    again.keyboard.press("Enter")
    assert changed(again, mixed) == whole
    expect(again.locator(".st-key-mix_layer")).to_have_count(0)
