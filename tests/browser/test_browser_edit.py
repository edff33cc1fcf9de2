"""Edit a picture: a hole drawn with the mouse, filled, downloaded."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from playwright.sync_api import Page, expect

from helpers.browser_page import at_rest, from_data_url, saved
from helpers.gallery import CONDITIONAL, pixels


def shown(page: Page) -> list[np.ndarray]:
    found = page.locator("[data-testid=large-image] img").evaluate_all("all => all.map(i => i.src)")
    return [from_data_url(src) for src in found]


def test_a_hole_is_drawn_with_the_mouse_filled_and_saved(tab):
    page = tab(f"edit?run={CONDITIONAL}&picture=3&hole=Drawn&steps=2&results=2")
    expect(page.get_by_text("Draw the hole on the picture")).to_be_visible()
    canvas = page.locator("canvas.upper-canvas")
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=5)
    page.mouse.move(x + 60, y, steps=5)
    page.mouse.up()
    expect(page.locator("[data-testid=large-image] img")).to_have_count(4)
    at_rest(page)
    picture, holed, *results = shown(page)
    hole = holed != picture
    assert 4 <= hole.sum() <= 60
    assert not hole[:4].any()
    assert (holed[hole] == 128).all()
    for result in results:
        assert (result[~hole] == picture[~hole]).all()
    name, content = saved(page, "Results as ZIP")
    assert name == f"{CONDITIONAL}_filled.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        stored = [pixels(archive.read(f"filled-{i}.png")) for i in range(2)]
    assert {s.tobytes() for s in stored} == {r.tobytes() for r in results}
    name, content = saved(page, "Drawing as PNG")
    mask = pixels(content)
    assert mask.shape == (16, 16)
    assert (mask[hole] == 255).all()
    expect(page.get_by_text("--mask drawing.png")).to_be_attached()
