"""Pictures that runs drew in training: whole sheets and a few tiles of them, as data URLs."""

from __future__ import annotations

import io
import os
from pathlib import Path

import streamlit as st
from PIL import Image

from ganlib.picture_files import open_picture
from ganlib.run_folder import read_sheet
from ganlib.runs import Run
from ganlib.ui.markup import data_url

GAP = 2  # pixels between the tiles of a sheet, as the trainer draws it


def last_sheet(run: Run, kind: str = "samples") -> Path | None:
    """The last sheet that the present weights made; of what was promoted, the one before its snapshot's end."""
    folder = run.folder
    snapshots = folder.sample_images() if kind == "samples" else folder.reconstruction_images()
    if not snapshots:
        return None
    images = max((n for n in snapshots if n <= run.images_seen), default=snapshots[-1])
    return Path(folder.samples if kind == "samples" else folder.reconstructions) / f"{images}.webp"


def sheet_url(path: Path) -> str | None:
    content = read_sheet(path)
    return None if content is None else data_url(content, "webp")


def block_at(run: Run, images: int, columns: int, rows: int) -> Image.Image | None:
    """``tiles`` of the sheet after so many training images, as a picture."""
    return _block(run.folder.samples / f"{images}.webp", run.config.image_size, columns, rows, run.transforms)


def tiles(run: Run, columns: int, rows: int = 1) -> str | None:
    """``columns`` × ``rows`` samples of the last sheet: another class and another seed each, as far as there are."""
    path = last_sheet(run)
    if path is None:
        return None
    return tiles_of_sheet(run, path, columns, rows)


def tiles_of_sheet(run: Run, path: Path, columns: int, rows: int = 1) -> str | None:
    """``tiles`` of one of the run's sheets."""
    return _tiles(os.fsencode(path), path.stat().st_mtime_ns, run.config.image_size, columns, rows, run.transforms)


@st.cache_data(max_entries=512, show_spinner=False)
def _tiles(path: bytes, mtime_ns: int, side: int, columns: int, rows: int, in_order: bool) -> str | None:
    block = _block(Path(os.fsdecode(path)), side, columns, rows, in_order)
    if block is None:
        return None
    content = io.BytesIO()
    block.save(content, "WEBP", quality=85)
    return data_url(content.getvalue(), "webp")


def _block(path: Path, side: int, columns: int, rows: int, in_order: bool) -> Image.Image | None:
    """None for no picture, half of one, or one that fills memory. ``in_order``: as they stand, inputs over outputs."""
    try:
        with open_picture(path, ["WEBP"]) as image:
            sheet = image.convert("RGB")
    except ValueError:
        return None
    step = side + GAP
    across, down = range(0, sheet.width, step), range(0, sheet.height, step)
    # Along the diagonals, each begun one tile further: the same seed makes much the same picture of each class.
    diagonals = [(across[(i + i // len(down)) % len(across)], y) for i, y in enumerate([*down] * len(across))]
    corner = [(x, y) for y in down[:rows] for x in across[:columns]]
    places = corner if in_order else list(dict.fromkeys(diagonals))[: columns * rows]
    size = (step * min(columns, len(places)) - GAP, step * -(-len(places) // columns) - GAP)
    block = Image.new("RGBA", size)  # nothing between the tiles: white would glare on a dark page
    for i, (x, y) in enumerate(places):
        block.paste(sheet.crop((x, y, x + side, y + side)), (i % columns * step, i // columns * step))
    return block
