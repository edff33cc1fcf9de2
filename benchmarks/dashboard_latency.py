"""Key press to painted picture: the sampling page beside a trivial Streamlit page, in one run.

    python -m benchmarks.dashboard_latency [--run cifar10-sngan] [--presses 40]

Both servers run at once and the presses alternate, so that whatever else the machine does hits both. The
clock runs in the browser: from the keydown event on the seed slider until two frames after the last new
picture has been decoded.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.browsing import PROJECT, TIMEOUT, chromium, server, wait_until_settled

TRIVIAL = """
import numpy as np, streamlit as st
value = st.slider("Seed", 0, 999)
st.image(np.random.default_rng(value).integers(0, 256, (32, 32, 3), np.uint8), alt="noise")
"""
MEASURE_PAINT = """
(selector) => {
  window.painted = null;
  const sources = () => [...document.querySelectorAll(selector)].map(i => i.src).join();
  const before = sources();
  document.addEventListener("keydown", () => {
    const start = performance.now();
    const poll = async () => {
      const pictures = [...document.querySelectorAll(selector)];
      if (!pictures.length || sources() === before || !pictures.every(i => i.complete)) {
        return requestAnimationFrame(poll);
      }
      await Promise.all(pictures.map(i => i.decode()));
      requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = performance.now() - start; }));
    };
    poll();
  }, {once: true, capture: true});
}
"""


def open_page(browser: Browser, url: str, selector: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(url)
    page.wait_for_selector(selector, timeout=TIMEOUT)
    wait_until_settled(page)
    return page


def press(page: Page, selector: str) -> float:
    """Milliseconds from one arrow key on the seed slider to the painted pictures."""
    page.get_by_role("slider", name="Seed").first.focus()
    page.evaluate(MEASURE_PAINT, selector)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("window.painted !== null", timeout=60_000)
    wait_until_settled(page)
    time.sleep(0.1)
    return float(page.evaluate("window.painted"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", default="cifar10-sngan")
    parser.add_argument("--presses", type=int, default=40)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        trivial = Path(folder) / "trivial.py"
        trivial.write_text(TRIVIAL)
        trivial_url, app_url = stack.enter_context(server(trivial)), stack.enter_context(server(PROJECT / "app.py"))
        browser = stack.enter_context(chromium())
        grid = "[data-testid=image-grid] img"
        pages = {"trivial page": (open_page(browser, trivial_url, "img[alt=noise]"), "img[alt=noise]")}
        for n in (16, 64):
            link = f"{app_url}/sampling?run={args.run}&n={n}"
            pages[f"{n} images"] = (open_page(browser, link, grid), grid)
        times: dict[str, list[float]] = {name: [] for name in pages}
        for i in range(args.presses + 5):
            for name, (page, selector) in pages.items():
                elapsed = press(page, selector)
                if i >= 5:  # the first presses warm both servers
                    times[name].append(elapsed)
    baseline = statistics.median(times["trivial page"])
    for name, values in times.items():
        ordered = sorted(values)
        print(
            f"{name:13} median {statistics.median(values):6.1f} ms   p90 {ordered[int(len(ordered) * 0.9)]:6.1f} ms"
            f"   {statistics.median(values) / baseline:4.2f} times the trivial page"
        )


if __name__ == "__main__":
    main()
