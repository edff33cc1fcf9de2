"""Key press to painted picture: the sampling page beside a trivial Streamlit page, in one run.

    .venv/bin/python benchmarks/dashboard_latency.py [--run cifar10-sngan] [--presses 40]

Both servers run at once and the presses alternate, so that whatever else the machine does hits both. The
clock runs in the browser: from the keydown event on the seed slider until two frames after the last new
picture has been decoded.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PROJECT = Path(__file__).parents[1]
TRIVIAL = """
import numpy as np, streamlit as st
value = st.slider("Seed", 0, 999)
st.image(np.random.default_rng(value).integers(0, 256, (32, 32, 3), np.uint8), alt="noise")
"""
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
WATCH = """
(selector) => {
  window.painted = null;
  const sources = () => [...document.querySelectorAll(selector)].map(i => i.src).join();
  const before = sources();
  document.addEventListener("keydown", () => {
    const start = performance.now();
    const look = async () => {
      const pictures = [...document.querySelectorAll(selector)];
      if (!pictures.length || sources() === before || !pictures.every(i => i.complete)) {
        return requestAnimationFrame(look);
      }
      await Promise.all(pictures.map(i => i.decode()));
      requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = performance.now() - start; }));
    };
    look();
  }, {once: true, capture: true});
}
"""


@contextlib.contextmanager
def server(script: Path) -> Iterator[str]:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}", "--server.headless=true"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=PROJECT, env=os.environ, **quiet)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def settled(page: Page) -> None:
    page.wait_for_selector("[data-testid=stApp][data-test-connection-state=CONNECTED]", timeout=120_000)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=120_000)


def open_page(browser: Browser, url: str, selector: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(url)
    page.wait_for_selector(selector, timeout=120_000)
    settled(page)
    return page


def press(page: Page, selector: str) -> float:
    """Milliseconds from one arrow key on the seed slider to the painted pictures."""
    page.get_by_role("slider", name="Seed").first.focus()
    page.evaluate(WATCH, selector)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("window.painted !== null", timeout=60_000)
    settled(page)
    time.sleep(0.1)
    return float(page.evaluate("window.painted"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", default="cifar10-sngan")
    parser.add_argument("--presses", type=int, default=40)
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        trivial = Path(folder) / "trivial.py"
        trivial.write_text(TRIVIAL)
        floor_url, app_url = stack.enter_context(server(trivial)), stack.enter_context(server(PROJECT / "app.py"))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        grid = "[data-testid=image-grid] img"
        pages = {"trivial page": (open_page(browser, floor_url, "img[alt=noise]"), "img[alt=noise]")}
        for n in (16, 64):
            link = f"{app_url}/sampling?run={args.run}&n={n}"
            pages[f"{n} images"] = (open_page(browser, link, grid), grid)
        times: dict[str, list[float]] = {name: [] for name in pages}
        for i in range(args.presses + 5):
            for name, (page, selector) in pages.items():
                elapsed = press(page, selector)
                if i >= 5:  # the first presses warm both servers
                    times[name].append(elapsed)
        browser.close()
    floor = statistics.median(times["trivial page"])
    for name, values in times.items():
        ordered = sorted(values)
        print(
            f"{name:13} median {statistics.median(values):6.1f} ms   p90 {ordered[int(len(ordered) * 0.9)]:6.1f} ms"
            f"   {statistics.median(values) / floor:4.2f} times the trivial page"
        )


if __name__ == "__main__":
    main()
