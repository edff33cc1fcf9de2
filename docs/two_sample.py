"""python -m docs.two_sample: draws the figures of docs/two_sample.md from the files that two benchmarks wrote."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from benchmarks.browsing import chromium
from ganlib.figures.calibration import calibration_figure, courtroom_figure, disturbance_figure

FOLDER = Path(__file__).parent
WIDTH = 1200


def draw(figures: dict[str, go.Figure]) -> None:
    """Each figure as a PNG in this folder, in black on white."""
    with chromium() as browser:
        for name, figure in figures.items():
            figure.update_layout(paper_bgcolor="white", plot_bgcolor="white", font={"size": 14, "color": "black"})
            height = int(figure.layout.height)
            page = browser.new_page(viewport={"width": WIDTH, "height": height + 30})
            page.set_content(figure.to_html(include_plotlyjs=True, default_width=f"{WIDTH}px"))
            page.wait_for_selector(".main-svg")
            screenshot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            screenshot.quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """A figure whose numbers were not measured yet is left as it is."""
    figures = {
        "two_sample_calibration": ("two_sample_calibration.csv", calibration_figure),
        "courtroom": ("courtroom.csv", courtroom_figure),
        "disturbances": ("courtroom.csv", disturbance_figure),
    }
    measured = {name: pair for name, pair in figures.items() if (FOLDER / pair[0]).exists()}
    draw({name: figure(pd.read_csv(FOLDER / file)) for name, (file, figure) in measured.items()})


if __name__ == "__main__":
    main()
