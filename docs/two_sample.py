"""python -m docs.two_sample: draws the figures of docs/two_sample.md from the files that two benchmarks wrote."""

from __future__ import annotations

import io
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from benchmarks.browsing import chromium
from ganlib.data import display_name
from ganlib.figures.calibration import calibration_figure, courtroom_figure, disturbance_figure

GALLERY = "two_sample_gallery.csv"
HEAD = (
    "| run | AUC, small network | AUC, strong | images that suffice | neighbours | t-test | t, BY | energy | copies "
    "| nearer, p |"
)
PREAMBLE = """# The gallery, real against synthetic

`python -m benchmarks.two_sample_gallery`, then `python -m docs.two_sample`: each run against the test images of its own
data set, {images} images a side, both encoded alike. Small network: AUC on held-out images. Strong:
logistic regression on features of EfficientNet-Lite0 at 64 pixels, with the 95 % interval, and the images a side that
tell the sides apart in 95 of 100 cases. Neighbours: how often the nearest image is of the same side. t-test: components
whose means differ at 5 %, and with the false discoveries controlled. Energy: the energy distance. Copies: images
accused of being copies of training images, in pixels or features. Nearer: whether distances to the nearest training
image are smaller than held-out images' (Mann–Whitney, in features): copies are one reason, blur is another. The hardest
to tell from real ones come first. Runs that are missing have not been measured yet, nor have copies where there is a
dash: until 28 November held-out images were the first test images, which are of one class or two.
"""
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


def gallery_page(frame: pd.DataFrame) -> str:
    """All runs of the gallery, those first that are hardest to tell from real images."""
    counts = dict.fromkeys([int(frame["n"].min()), int(frame["n"].max())])
    lines = [PREAMBLE.format(images=" to ".join(f"{n:,}" for n in counts))]
    for data, rows in frame.groupby("data", sort=False):
        lines += [f"## {display_name(str(data))}", "", HEAD, "|-|-|-|-|-|-|-|-|-|-|"]
        lines += [_gallery_row(row) for row in rows.sort_values("auc").to_dict("records")] + [""]
    return "\n".join(lines)


def _gallery_row(row: dict[Hashable, Any]) -> str:
    enough = "–" if pd.isna(row["sufficient"]) else f"{row['sufficient']:,.0f}"
    copies = "–" if pd.isna(row["copies"]) else f"{row['copies']:.0f}"
    cells = [
        row["run"],
        f"{row['small_auc']:.3f} ({row['small_size']})",
        f"{row['auc']:.3f} ({row['low']:.3f}–{row['high']:.3f})",
        enough,
        f"{row['neighbour']:.0%}",
        f"{row['t']:.1%}",
        f"{row['t_by']:.1%}",
        f"{row['energy']:.2f}",
        copies,
        "–" if pd.isna(row["nearer_p"]) else f"{row['nearer_p']:.2g}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """A figure whose numbers were not measured yet is left as it is."""
    figures = {
        "two_sample_calibration": ("two_sample_calibration.csv", calibration_figure),
        "courtroom": ("courtroom.csv", courtroom_figure),
        "disturbances": ("disturbances.csv", disturbance_figure),
    }
    measured = {name: pair for name, pair in figures.items() if (FOLDER / pair[0]).exists()}
    if (FOLDER / GALLERY).exists():
        (FOLDER / "two_sample_gallery.md").write_text(gallery_page(pd.read_csv(FOLDER / GALLERY)))
    draw({name: figure(pd.read_csv(FOLDER / file)) for name, (file, figure) in measured.items()})


if __name__ == "__main__":
    main()
