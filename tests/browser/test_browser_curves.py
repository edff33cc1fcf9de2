"""Curves: own runs, uploads, findings, a growing log, the report."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Page, expect

from helpers.browser_page import choose, saved, settled, until
from helpers.gallery import CONDITIONAL, IMAGES, OTHER

LINES = ".js-plotly-plot .scatterlayer .trace"


def test_curves_of_two_runs_are_overlaid(tab):
    page = tab(f"curves?runs={CONDITIONAL}&tags=loss/G&smooth=0")
    legend = page.locator(".js-plotly-plot .annotation-text").filter(has_text=re.compile("^(Conditional DCGAN|SNGAN)$"))
    lines = page.locator(LINES)
    expect(lines).to_have_count(1)
    choose(page, "runs", "SNGAN · Handwritten digits")
    expect(lines).to_have_count(2)
    expect(legend).to_have_count(2)
    colours = lines.locator("path.js-line").evaluate_all("all => all.map(p => getComputedStyle(p).stroke)")
    assert len(set(colours)) == 2
    expect(page).to_have_url(re.compile(f"runs={CONDITIONAL}.*runs={OTHER}"))
    expect(page.get_by_text(f"{OTHER} after {IMAGES} training images")).to_be_visible()
    settled(page)
    name, content = saved(page, "Shown scalars as CSV")
    table = pd.read_csv(io.BytesIO(content))
    assert name == "curves.csv"
    assert set(table.run) == {CONDITIONAL, OTHER}
    assert set(table.tag) == {"loss/G"}
    assert {"step", "wall_time", "value"} <= set(table.columns)
    name, content = saved(page, "Shown scalars as Parquet")
    assert name == "curves.parquet"
    assert len(pd.read_parquet(io.BytesIO(content))) == len(table)


def test_on_a_phone_panels_are_as_wide_as_the_screen(browser, server):
    with browser.new_context(
        viewport={"width": 400, "height": 800}, user_agent="Mozilla/5.0 (Android) Mobile"
    ) as phone:
        page = phone.new_page()
        page.goto(f"{server}/curves?runs={CONDITIONAL}&tags=loss/G&tags=loss/D")
        settled(page)
        panels = page.locator(".js-plotly-plot .nsewdrag")
        expect(panels).to_have_count(2)
        assert all(panels.nth(i).bounding_box()["width"] > 250 for i in range(2))


def test_the_film_strip_follows_the_cursor_and_a_click_chooses_its_moment(tab):
    page = tab(f"curves?runs={OTHER}&tags=loss/G&smooth=0")
    frames = page.locator(".ganlib-film button")
    expect(frames.last).to_have_attribute("aria-pressed", "true")
    positions = count()

    def first_is_marked() -> bool:
        plot = page.locator(".st-key-curves .nsewdrag").first.bounding_box()
        page.mouse.move(plot["x"] + plot["width"] * 0.1 + next(positions) % 9, plot["y"] + plot["height"] / 2)
        return frames.first.get_attribute("aria-pressed") == "true"

    until(first_is_marked)
    page.mouse.move(5, 5)
    expect(frames.last).to_have_attribute("aria-pressed", "true")
    caption = frames.first.inner_text()
    frames.first.click()
    expect(page).to_have_url(re.compile(rf"[?&]at={caption}(&|$)"))
    expect(page.get_by_text(f"{OTHER} after {caption} training images")).to_be_visible()


def collapsed_csv(n: int = 400) -> bytes:
    rows = [f"{i},{1.2 + i % 3 / 10 if i < n / 2 else 0.0001},{0.9 if i < n / 2 else 12.0}" for i in range(n)]
    return "\n".join(["iteration;d_loss;g_loss".replace(";", ","), *rows]).encode()


def upload(page: Page, name: str, content: bytes) -> None:
    page.locator("[data-testid=stSidebar]").get_by_text("Upload logs").click()
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    expect(page.locator("[data-testid=stFileChip]")).to_have_count(1)
    settled(page)


def mark_the_win(page: Page) -> None:
    """Choose the finding, which then is a span in the chart."""
    finding = (
        page.get_by_role("radio")
        .filter(has_text="The discriminator wins")
        .or_(page.get_by_text("The discriminator wins").first)
    )
    expect(page.locator(".js-plotly-plot .shapelayer path")).to_have_count(0)
    finding.first.click()
    expect(page.locator(".js-plotly-plot .shapelayer path")).to_have_count(2)


def test_an_uploaded_log_is_drawn_diagnosed_and_cut_to_a_range(tab):
    page = tab("curves?smooth=0&x=steps&filter=their")
    upload(page, "their run.csv", collapsed_csv())
    expect(page.locator(".js-plotly-plot .annotation-text", has_text="their run.csv")).to_have_count(1)
    expect(page.locator(LINES)).to_have_count(2)
    mark_the_win(page)
    slider = page.get_by_role("slider", name="Shown range").first
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.js-plotly-plot')._fullData[0].x[0] === 5")
    _, content = saved(page, "Shown scalars as CSV")
    steps = pd.read_csv(io.BytesIO(content)).step
    assert steps.min() == 5
    assert steps.max() == 399
    page.reload()
    alerts = settled(page).locator("[data-testid=stAlert]")
    expect(alerts.first).to_have_text(re.compile(r"upload their run\.csv again to see them here"))
    expect(alerts.filter(has_text="The link asks")).to_have_count(0)


def test_a_chosen_finding_is_scrolled_into_view(tab, gallery):
    page = tab("curves?smooth=0&x=steps&filter=their")
    page.set_viewport_size({"width": 1280, "height": 500})
    upload(page, "their run.csv", collapsed_csv())
    page.get_by_text("The discriminator wins").first.scroll_into_view_if_needed()
    chart = page.locator(".st-key-curves").first  # for a moment the old one is there beside the new
    expect(chart).not_to_be_in_viewport(ratio=0.5)
    page.get_by_text("The discriminator wins").first.click()
    expect(page.locator(".js-plotly-plot .shapelayer path")).to_have_count(2)
    expect(chart).to_be_in_viewport(ratio=0.8)


def collapsed_notebook(n: int = 400) -> bytes:
    """A notebook that trains with the same losses, and shows samples half way and at the end."""

    def samples(level: int) -> dict[str, Any]:
        picture = io.BytesIO()
        Image.fromarray(np.random.default_rng(level).integers(0, level, (64, 64, 3), np.uint8)).save(picture, "PNG")
        data = {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": "<Figure size 640x480>"}
        return {"output_type": "display_data", "metadata": {}, "data": data}

    rows = pd.read_csv(io.BytesIO(collapsed_csv(n)))
    line = "iter {:.0f}: d_loss: {:.4f}, g_loss: {:.4f}\n"
    lines = [line.format(*row) for row in rows.itertuples(index=False)]
    printed = [{"output_type": "stream", "name": "stdout", "text": half} for half in (lines[: n // 2], lines[n // 2 :])]
    outputs = [printed[0], samples(255), printed[1], samples(64)]
    cells = [{"cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["train()"], "outputs": outputs}]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def test_an_uploaded_notebook_has_curves_findings_and_its_pictures(tab):
    page = tab("curves?smooth=0&x=steps&filter=gan.ipynb")
    upload(page, "gan.ipynb", collapsed_notebook())
    expect(page.locator(".js-plotly-plot .annotation-text", has_text="gan.ipynb")).to_have_count(1)
    expect(page.locator(LINES)).to_have_count(2)
    mark_the_win(page)
    expect(page.get_by_alt_text("gan.ipynb, step 399")).to_be_visible()
    page.get_by_role("slider", name="Pictures of gan.ipynb").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_alt_text("gan.ipynb, step 199")).to_be_visible()


def test_a_zip_of_runs_is_a_tree_of_them_and_a_broken_one_is_a_sentence(tab):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("runs/a/log.csv", "step,loss\n1,2\n2,1\n")
        archive.writestr("runs/b/history.jsonl", '{"step": 1, "loss": 3}\n{"step": 2, "loss": 2.5}\n')
    page = tab("curves?smooth=0&x=steps&filter=zip")
    upload(page, "runs.zip", packed.getvalue())
    expect(page.locator(".js-plotly-plot .annotation-text", has_text="runs.zip/")).to_have_count(2)
    page = tab("curves")
    upload(page, "broken.csv", b"\x00\x01\x02" * 50)
    expect(page.get_by_text("broken.csv cannot be read as a training log")).to_be_visible()
    expect(page.locator(LINES).first).to_be_visible()


def test_a_growing_log_is_followed_without_a_touch(tab, gallery):
    page = tab(f"curves?runs={OTHER}&tags=loss/G&smooth=0&x=steps&follow=true")
    path = page.locator(f"{LINES} path.js-line").first  # for a moment the old one is there beside the new
    before = path.get_attribute("d")
    log = gallery / OTHER / "log.csv"
    content = log.read_text()
    try:
        *_, last = content.splitlines()
        step = int(last.split(",")[0])
        with log.open("a") as f:
            f.write(last.replace(f"{step},", f"{step + 200},", 1) + "\n")
        expect(path).not_to_have_attribute("d", before or "", timeout=15_000)
    finally:
        log.write_text(content)


def test_the_report_of_curves_opens_offline(tab, browser, tmp_path):
    page = tab(f"curves?runs={OTHER}&runs={CONDITIONAL}")
    name, content = saved(page, "Report as HTML")
    assert name == "curves.html"
    (tmp_path / name).write_bytes(content)
    context = browser.new_context(offline=True)
    report = context.new_page()
    report.goto((tmp_path / name).as_uri())
    expect(report.locator("h1")).to_have_text("Training curves")
    expect(report.locator(".js-plotly-plot .scatterlayer .trace").first).to_be_visible()
    expect(report.locator("table").last).to_contain_text("sngan")
    context.close()
