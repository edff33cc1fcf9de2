"""Directions and inversion: moved by a slider, uploaded, edited, saved as a file."""

from __future__ import annotations

import io
import re
from pathlib import Path

import av
import numpy as np
from PIL import Image
from playwright.sync_api import expect

from helpers.browser_page import asked, at_rest, from_data_url, images, saved, slider, sources
from helpers.gallery import CONDITIONAL, OTHER, pixels


def test_a_slider_moves_the_images_and_the_sampling_page_moves_them_alike(tab):
    page = tab(f"directions?run={CONDITIONAL}&n=2")
    expect(page.get_by_text(re.compile(r"^sefa-1: ")).first).to_be_visible()  # measured meanwhile
    slider(page, "strength_sefa-1").press("End")
    expect(images(page)).to_have_count(4)
    expect(page).to_have_url(re.compile(r"[?&]edits=sefa-1%3D4(&|$)"))
    moved = sources(at_rest(page))[2:]
    images(page).nth(3).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("link", name="Edit along directions")).to_be_visible()
    again = tab(page.url.replace("/directions", "/sampling"))
    assert sources(again) == moved


def test_an_uploaded_picture_is_inverted_edited_and_saved(tab, tmp_path: Path):
    file = tmp_path / "own.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 50, 3), np.uint8)).save(file)
    page = tab(f"inversion?run={CONDITIONAL}&class=3&steps=2&source=Upload")
    page.locator("input[type=file]").set_input_files(file)
    pictures = page.locator("[data-testid=large-image] img")
    expect(pictures).to_have_count(2)
    at_rest(page)
    slider(page, "strength_sefa-2").press("End")
    expect(pictures).to_have_count(3)
    assert asked(page)["edits"] == ["sefa-2=4"]
    name, content = saved(page, "Inversion as PNG")
    assert name == f"{CONDITIONAL}_own_inversion.png"
    assert pixels(content).shape == (16, 16)


def test_an_upload_becomes_latents_edited_and_the_end_of_a_film(tab, tmp_path: Path):
    """Upload, edit, save; reopened as a key frame, exported as MP4, whose frames are counted."""
    file = tmp_path / "own.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 20, 3), np.uint8)).save(file)
    page = tab(f"inversion?run={OTHER}&seen=false&class=3&steps=2&source=Upload")
    page.locator("input[type=file]").set_input_files(file)
    pictures = page.locator("[data-testid=large-image] img")
    expect(pictures).to_have_count(2)
    at_rest(page)
    slider(page, "strength_sefa-1").press("End")
    expect(pictures).to_have_count(3)
    at_rest(page)
    page.get_by_role("button", name="Save the latents").click()
    page.get_by_role("textbox", name="Name").fill("my own")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(re.compile("The latents are in"))).to_be_visible()

    page = tab(f"interpolation?run={OTHER}&latents_a=my+own&seed_b=3&class_b=5&frames=9&boomerang=false&fps=10")
    expect(page.locator("[data-testid=film-strip] img")).to_have_count(9)
    name, content = saved(page, "MP4")
    assert name.endswith(".mp4")
    with av.open(io.BytesIO(content)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 9
    assert frames[0].shape == (256, 256, 3)
    first = from_data_url(str(page.locator("[data-testid=film-strip] img").first.get_attribute("src")))
    assert np.abs(frames[0][8::16, 8::16, 0].astype(int) - first).mean() < 8

    sampled = tab(f"sampling?run={OTHER}&latents=my+own")
    assert np.abs(from_data_url(sources(sampled)[0]).astype(int) - first).max() <= 1
