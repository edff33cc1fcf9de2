"""python -m benchmarks.memory: resident memory over random interactions with the generating pages.

A page's caches are bounded: after they are full, memory stays where it is. Runs in one process, by Streamlit's AppTest.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

PROJECT = Path(__file__).parents[1]
PAGES = ("sampling", "interpolation", "sheets")


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.memory")
    parser.add_argument("--interactions", type=int, default=200, metavar="N")
    parser.add_argument("--run", default="digits-cdcgan")
    args = parser.parse_args()
    rng = random.Random(0)
    pages = {name: open_page(name, args.run) for name in PAGES}
    print("interactions  MiB")
    for i in range(args.interactions + 1):
        if i % 25 == 0:
            gc.collect()
            print(f"{i:12}  {resident_mebibytes():.0f}", flush=True)
        interact(pages[PAGES[i % len(PAGES)]], rng)


def open_page(name: str, run: str) -> AppTest:
    at = AppTest.from_file(PROJECT / "dashboard.py", default_timeout=600)
    at.query_params["run"] = run
    return at.switch_page(f"pages/{name}.py").run()


def interact(at: AppTest, rng: random.Random) -> None:
    """Moves one control of the page to a random value."""
    number: Any = next((field for field in at.number_input if str(field.key).startswith("seed")), None)
    text: Any = next((field for field in at.text_input if field.key == "seed"), None)
    sliders: list[Any] = [slider for slider in at.slider if slider.key in ("temperature", "frames", "fps")]
    choice: Any = rng.choice([control for control in (number, text, *sliders) if control is not None])
    if choice is text:
        choice.set_value(str(rng.randrange(10**6)))
    elif choice is number:
        choice.set_value(rng.randrange(10**6))
    else:
        choice.set_value(rng.choice([choice.min, choice.max]))
    at.run()
    assert not at.exception, [e.value for e in at.exception]


def resident_mebibytes() -> float:
    """Of this process now; where the system does not say, the most that it had."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
