"""python -m docs.screenshots: makes the README's pictures of the dashboard on the shipped gallery."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Literal

from PIL import Image

from benchmarks.browsing import PROJECT, chromium, server, wait_until_settled

FOLDER = Path(__file__).parent
SCREENSHOTS: dict[str, tuple[str, Literal["light", "dark"]]] = {
    "gallery": ("", "light"),
    "sampling": ("sampling?run=celeba-dcgan&n=32", "light"),
    "interpolation": ("interpolation?run=mnist-sngan&class_a=3&seed_a=0&class_b=8&seed_b=5", "dark"),
    "curves": ("curves", "light"),
    "fid": ("fid", "light"),
    "edit": ("edit?task=Draw+or+colour&run=celeba-pix2pix-edges&seed=19", "light"),
    "balance": ("balance", "dark"),
}


def main() -> None:
    os.environ["GANLIB_GALLERY"] = str(PROJECT / "checkpoints")  # whatever else was trained here
    with server(PROJECT / "app.py") as address, chromium() as browser:
        for name, (path, scheme) in SCREENSHOTS.items():
            page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme=scheme)
            page.goto(f"{address}/{path}")
            wait_until_settled(page)
            page.wait_for_timeout(4000)  # charts draw themselves after the script's end
            wait_until_settled(page)
            screenshot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            screenshot.quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
