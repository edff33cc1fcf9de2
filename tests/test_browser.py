"""Journeys through the dashboard as a person makes them: a real server, a real browser, no other host."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Download, Locator, Page, expect, sync_playwright

from gallery import (
    CANVAS,
    CODES,
    CONDITIONAL,
    IMAGES,
    OTHER,
    PROJECT,
    PYRAMID,
    SLOW,
    STYLES,
    UNCONDITIONAL,
    add_able_runs,
    copy_of,
    pixels,
    small_gallery,
)
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from ganlib.sampling import sample, sample_stages, strip

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
WAIT = 30_000  # milliseconds, on a machine that may be busy
PAGES = {
    "": "Gallery",
    "sampling": "Sampling",
    "interpolation": "Interpolation",
    "curves": "Training curves",
    "fid": "FID comparison",
}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
expect.set_options(timeout=WAIT)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> Path:
    root = copy_of(small_gallery(tmp_path_factory.getbasetemp()), tmp_path_factory.mktemp("browsed"))
    add_able_runs(root)
    return root


@pytest.fixture(scope="module")
def server(gallery, tmp_path_factory) -> Iterator[str]:
    """The dashboard as its users start it; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    environment = {k: v for k, v in os.environ.items() if k != "GANLIB_RUNS"} | {"GANLIB_GALLERY": str(gallery)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health") or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in log.read_text()


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def contexts(browser) -> dict[str, BrowserContext]:
    """By colour scheme. Kept between tests, as a person's browser keeps the app's scripts in its cache."""
    return {scheme: browser.new_context(**VIEW, color_scheme=scheme) for scheme in ("light", "dark")}


@pytest.fixture
def tab(server, browser, contexts) -> Iterator[Callable[..., Page]]:
    """Opens pages; fails if one of them turns to another host or meets an error."""
    pages: list[Page] = []
    complaints: list[str] = []

    def note(kind: str, url: str, text: str = "") -> None:
        if urlsplit(url).hostname not in ("127.0.0.1", None):
            complaints.append(f"{kind} {url}")
        elif text and "/_stcore/" not in url:  # Streamlit tries whether the path before it belongs to a proxy
            complaints.append(f"{kind} {url}: {text}")

    def open_tab(path: str = "", *, scheme: str = "light", fresh: bool = False) -> Page:
        page = browser.new_context(**VIEW).new_page() if fresh else contexts[scheme].new_page()
        page.set_default_timeout(WAIT)
        pages.append(page)
        page.on("request", lambda request: note("request", request.url))
        page.on("websocket", lambda socket: note("websocket", socket.url))
        page.on("console", lambda m: note("console", m.location["url"], m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"uncaught {error}"))
        page.goto(path if "://" in path else f"{server}/{path}")
        return settled(page)

    yield open_tab
    for page in pages:
        if page.context in contexts.values():
            page.close()
        else:
            page.context.close()
    assert complaints == []


def settled(page: Page) -> Page:
    page.wait_for_selector("[data-testid=stApp][data-test-connection-state=CONNECTED]")
    expect(page.locator("[data-testid=stMain] h2")).to_be_visible()
    expect(page.locator("[data-testid=stSidebar]").get_by_text("Device")).to_be_attached()  # the last that a page draws
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


def model(gallery: Path, name: str) -> GenerativeModel:
    loaded = Run(gallery / name).load()
    assert isinstance(loaded, GenerativeModel)
    return loaded


def direct(gallery: Path, name: str, seeds: Any, labels: Any = None, **options: Any) -> np.ndarray:
    return sample(model(gallery, name), seeds, labels, **options)[..., 0]


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


def saved(page: Page, button: str) -> tuple[str, bytes]:
    """Name and content of a download."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).first.click()
    download: Download = waiting.value
    return download.suggested_filename, Path(download.path()).read_bytes()


def test_a_deep_link_to_a_server_that_just_started_opens_the_whole_app(tab, gallery):
    page = tab(f"sampling?run={CONDITIONAL}&class=3&seed=7&n=4")  # first in this file: nobody came before
    assert np.array_equal(shown(page), direct(gallery, CONDITIONAL, range(7, 11), [3] * 4))
    for title in PAGES.values():
        expect(page.get_by_role("link", name=title)).to_be_visible()


def test_the_navigation_reaches_every_page(tab):
    page = tab()
    for path, title in [*PAGES.items()][::-1]:
        page.get_by_role("link", name=title).click()
        expect(page.locator("[data-testid=stMain] h2")).to_have_text(title)
        assert urlsplit(settled(page).url).path == f"/{path}"


def test_class_and_seed_change_the_pictures_and_the_link_opens_the_same_ones_afresh(tab, gallery):
    page = tab(f"sampling?run={CONDITIONAL}")
    first = sources(page)
    slider(page, "class").press("ArrowRight")
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

    page.get_by_text("Link and command line").click()
    link, command = page.locator("[data-testid=stExpander] code").all_inner_texts()
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


def test_the_zip_holds_the_pictures_of_the_page_and_how_they_were_made(tab):
    page = tab(f"sampling?run={OTHER}&class=4&seed=20&n=8")
    name, content = saved(page, "All images as ZIP")
    assert name == f"{OTHER}_seeds_20-27.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        how, *files = archive.namelist()
        made = json.loads(archive.read(how))
        pictures = np.stack([pixels(archive.read(file)) for file in files])
    assert how == "how.json"
    assert files == [f"{OTHER}_4_{seed}.png" for seed in range(20, 28)]
    assert (made["run"], made["classes"], made["seeds"]) == (OTHER, ["4"], list(range(20, 28)))
    assert np.array_equal(pictures, shown(page))

    name, content = saved(page, "Grid as PNG")
    assert name == f"{OTHER}_seeds_20-27.png"
    whole = pixels(content)
    assert whole.shape == (16, 8 * 18 - 2)
    assert np.array_equal(whole[:, 18:34], pictures[1])


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

    page.get_by_text("Link and command line").click()
    link, command = page.locator("[data-testid=stExpander] code").all_inner_texts()
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
    page.get_by_role("option", name=PYRAMID).click()
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
    assert name == f"{run}_seeds_0-1_stages.png"
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
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile(r"Stopped at \d+%"))).to_be_visible()
    halfway = sources(settled(page))
    assert len(halfway) == 32
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)

    slider(page, "steps").press("Home")  # the page stays usable
    assert changed(page, halfway) == before
    slider(page, "steps").press("End")
    expect(page.get_by_text(re.compile(r"Stopped at \d+%"))).to_be_visible()  # and remembers how far it came
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Go on")).to_have_count(0)
    whole = changed(page, halfway)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    made = np.stack([from_data_url(src) for src in whole])
    assert abs(made.astype(int) - direct(gallery, SLOW, range(32), [0] * 32, steps=250)).max() <= 1


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


def test_runs_side_by_side_show_the_same_seeds(tab, gallery):
    page = tab(f"sampling?run={CONDITIONAL}&n=4")
    choose(page, "compare", OTHER)
    expect(page.locator("[data-testid=image-grid]")).to_have_count(2)
    expect(page).to_have_url(re.compile(f"[?&]compare={OTHER}"))
    settled(page)
    expected = [direct(gallery, name, range(4), [0] * 4) for name in (CONDITIONAL, OTHER)]
    assert np.array_equal(shown(page), np.concatenate(expected))


def test_an_interpolation_plays_and_can_be_kept(tab):
    page = tab(f"interpolation?run={OTHER}&class_a=2&class_b=7&frames=6&fps=10")
    strip = page.locator("[data-testid=film-strip] img")
    expect(strip).to_have_count(6)
    animation = page.locator("[data-testid=animation]")
    src = animation.get_attribute("src")
    with urlopen(src) as response:
        content = response.read()
    with Image.open(io.BytesIO(content)) as gif:
        assert (gif.format, gif.n_frames, gif.info["duration"]) == ("GIF", 10, 100)  # there and back
    name, downloaded = saved(page, "Animation as GIF")
    assert name == f"{OTHER}_0_to_1.gif"
    assert downloaded == content
    first = from_data_url(strip.first.get_attribute("src"))
    picture = shown(tab(f"sampling?run={OTHER}&class=2&seed=0&n=1"))[0]
    assert np.abs(first.astype(int) - picture).max() <= 1

    slider(page, "frames").press("ArrowLeft")
    expect(strip).to_have_count(5)
    expect(animation).not_to_have_attribute("src", src)
    expect(page).to_have_url(re.compile(r"[?&]frames=5(&|$)"))


def test_curves_of_two_runs_are_overlaid(tab):
    page = tab(f"curves?runs={CONDITIONAL}&tags=loss/G&smooth=0")
    legend = page.locator(".js-plotly-plot .legendtext")
    lines = page.locator(".js-plotly-plot .scatterlayer .trace")
    expect(lines).to_have_count(1)
    choose(page, "runs", OTHER)
    expect(lines).to_have_count(2)
    expect(legend).to_have_text([CONDITIONAL, OTHER])
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


def test_scores_are_bars_of_one_protocol(tab):
    page = tab("fid")
    expect(page.locator(".js-plotly-plot .barlayer .point")).to_have_count(2)
    labels = page.locator(".st-key-fid_bars .ytick")
    expect(labels).to_have_count(2)
    heights = {label.text_content(): label.bounding_box()["y"] for label in labels.all()}
    assert heights[CONDITIONAL] < heights[OTHER]  # the lower score above
    expect(page.get_by_text("another protocol")).to_contain_text(UNCONDITIONAL)
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_visible()
    name, content = saved(page, "Table as CSV")
    assert name == "fid.csv"
    assert set(pd.read_csv(io.BytesIO(content)).run) == {CONDITIONAL, OTHER}


def test_the_report_opens_offline_and_the_table_goes_into_latex(tab, browser, tmp_path):
    page = tab("fid")
    name, content = saved(page, "Report as HTML")
    assert name == "fid.html"
    path = tmp_path / name
    path.write_bytes(content)
    context = browser.new_context(offline=True)
    report = context.new_page()
    asked_for: list[str] = []
    report.on("request", lambda request: asked_for.append(request.url))
    report.goto(path.as_uri())
    expect(report.locator("h1")).to_have_text("FID comparison")
    expect(report.locator(".js-plotly-plot .barlayer .point")).to_have_count(2)
    expect(report.locator("figure")).to_have_count(2)
    expect(report.locator("table").first).to_contain_text(CONDITIONAL)
    expect(report.locator("footer")).to_contain_text("1,000 generated vs 1,437 digits train")
    assert [url for url in asked_for if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()
    name, content = saved(page, "Table as LaTeX")
    assert name == "fid.tex"
    assert rf"{CONDITIONAL} & cdcgan & 6.5" in content.decode()


def test_a_card_of_the_gallery_leads_to_pictures_of_its_run(tab):
    page = tab()
    page.locator(f'a[href*="sampling?run={UNCONDITIONAL}"]').click()
    expect(page.locator("[data-testid=stMain] h2")).to_have_text("Sampling")
    expect(images(page)).to_have_count(16)
    expect(page.locator("[data-testid=stMain] h3")).to_have_text(UNCONDITIONAL)
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
