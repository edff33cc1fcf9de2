"""Each page of the dashboard beside a trivial Streamlit page: time to load, cumulative layout shift, a fresh server.

    python -m benchmarks.page_loading [--rounds 5] [--fresh 2] [PAGE …]

Both servers run at once and the pages alternate, so that whatever else the machine does hits all of them; the load
average is printed. A page is loaded once its script has run and all its pictures are decoded. Fresh: from the start of
the server's process to its first loaded page.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize

from benchmarks.browsing import PROJECT, chromium, server, wait_until_settled
from benchmarks.dashboard_latency import TRIVIAL
from ganlib.ui.navigation import PAGES

VIEW: ViewportSize = {"width": 1280, "height": 720}
OBSERVE_SHIFTS = """
window.shifts = [];
window.shiftObserver?.disconnect();
window.shiftObserver = new PerformanceObserver(list => {
  for (const {hadRecentInput, startTime, value, sources} of list.getEntries()) if (!hadRecentInput) {
    const frame = sources.some(({node}) => node?.querySelector?.("[data-testid=stMainBlockContainer]")
      || node?.dataset?.testid === "stMainBlockContainer");
    shifts.push({startTime, value, frame});
  }
});
shiftObserver.observe({type: "layout-shift", buffered: true});
window.largestWindow = entries => {  // at most five seconds long, ended by one second without a shift
  let largest = 0, sum = 0, start = -Infinity, last = -Infinity;
  for (const {startTime, value} of entries) {
    if (startTime - last >= 1000 || startTime - start >= 5000) { sum = 0; start = startTime; }
    last = startTime;
    sum += value;
    largest = Math.max(largest, sum);
  }
  return largest;
};
window.contentShift = () => largestWindow(shifts.filter(({frame}) => !frame));
"""
LOADED = "document.images.length && [...document.images].every(image => image.complete && image.naturalWidth)"
CHART = "document.querySelector('.js-plotly-plot .main-svg')"
WIDGET = "document.querySelector('[data-testid=stMain] :is([data-testid=stFileUploader], [data-testid=stNumberInput])')"
READY = {  # of pages whose content is no picture
    "inversion": WIDGET,
    "curves": CHART,
    "fid": CHART,
    "experiments": "document.querySelector('[data-testid=dot-rows]')",
    "balance": "document.querySelector('[data-testid=verdict]')",
    "edit": "document.querySelector('[data-testid=stMain] img, [data-testid=stMain] canvas')",
    "compare": "document.querySelector('[data-testid=stDataFrame], [data-testid=stMain] img')",
}


def load(browser: Browser, url: str, ready: str = LOADED) -> tuple[float, float, float]:
    """Seconds until the page is loaded, and its cumulative layout shift a second later: in all, and of the content.

    The rest is of Streamlit's frame, which begins narrow and makes room for a sidebar once there is something in it.
    """
    page = browser.contexts[0].new_page() if browser.contexts else browser.new_context(viewport=VIEW).new_page()
    page.add_init_script(OBSERVE_SHIFTS)
    start = time.perf_counter()
    page.goto(url)
    page.wait_for_function(ready, timeout=120_000)
    wait_until_settled(page)
    seconds = time.perf_counter() - start
    page.wait_for_timeout(1000)
    shift, of_content = float(page.evaluate("largestWindow(shifts)")), float(page.evaluate("contentShift()"))
    page.close()
    return seconds, shift, of_content


def measure_fresh(browser: Browser, script: Path) -> float:
    """Seconds from the start of a server's process to its first loaded page."""
    start = time.perf_counter()
    with server(script) as url:
        load(browser, url)
        return time.perf_counter() - start - 1  # which load waits for shifts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", default=tuple(PAGES), metavar="PAGE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fresh", type=int, default=2, help="fresh servers of each kind (default: 2)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        trivial = Path(folder) / "trivial.py"
        trivial.write_text(TRIVIAL)
        browser = stack.enter_context(chromium())
        for name, script in [("trivial", trivial), ("dashboard", PROJECT / "app.py")] if args.fresh else []:
            seconds = [measure_fresh(browser, script) for _ in range(args.fresh)]
            print(f"first page of a fresh server, {name}: {min(seconds):.1f} s")
        trivial_url = stack.enter_context(server(trivial))
        app_url = stack.enter_context(server(PROJECT / "app.py"))
        times: dict[str, list[tuple[float, float, float]]] = {"trivial": [], **{page: [] for page in args.pages}}
        for i in range(args.rounds + 1):
            for name, results in times.items():
                url = trivial_url if name == "trivial" else f"{app_url}/{name.removeprefix('home')}"
                result = load(browser, url, READY.get(name, LOADED))
                if i:  # the first round warms both servers
                    results.append(result)
    baseline = statistics.median(result[0] for result in times["trivial"])
    for name, results in times.items():
        median, shift = statistics.median(result[0] for result in results), max(result[1] for result in results)
        content = max(result[2] for result in results)
        ratio = median / baseline
        print(
            f"{name:14} {median * 1000:6.0f} ms   {ratio:4.2f} times the trivial page   "
            f"shift {shift:.3f}, of the content {content:.3f}"
        )
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
