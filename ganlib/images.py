"""Images as tensors, arrays and files: the one place that knows how pixel values become model inputs.

Models see (N, C, H, W) float in [-1, 1]; everything else (N, H, W, C) uint8 levels 0 … 255.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.files import parse_json
from ganlib.picture_files import open_picture

CAPTIONED_SIDE, CAPTION_SIZE, CAPTION_HEIGHT = 96, 11, 14  # pixels
GAP = 2  # pixels between images of a grid


def normalize(levels: Tensor) -> Tensor:
    """Levels 0 … 255, of any dtype and shape -> float32 in [-1, 1], a copy."""
    return levels.to(torch.float32, copy=True).mul_(2 / 255).sub_(1)


def denormalize(images: Tensor) -> Tensor:
    """[-1, 1] -> levels 0 … 255, neither rounded nor clamped."""
    return (images + 1) * 127.5


def from_uint8(images: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """(N, H, W, C) uint8 -> (N, C, H, W) float32 in [-1, 1], channels last in memory."""
    writable = np.require(images, requirements="W")  # torch warns of others, as those of a mapped file
    return normalize(torch.from_numpy(writable).to(device).permute(0, 3, 1, 2))


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """(N, C, H, W) in [-1, 1] -> (N, H, W, C) uint8, rounded to the nearest level. GanlibError where one is NaN."""
    if images.isnan().any():  # which has no nearest level
        raise GanlibError("Some pixels are not numbers: the weights or the options drive the model out of its range.")
    levels = denormalize(images).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def to_pil(image: NDArray[np.uint8]) -> Image.Image:
    """(H, W, C) uint8 -> picture; one channel becomes greyscale."""
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def resize_nearest(images: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """(N, h, w, C) -> (N, height, width, C): each pixel is the one under its middle."""
    rows, columns = _nearest(images.shape[1], height), _nearest(images.shape[2], width)
    return images[:, rows[:, None], columns]


def _nearest(old: int, new: int) -> NDArray[np.int64]:
    """(new,) which of ``old`` pixels in a row lies under the middle of each of ``new``."""
    return (2 * np.arange(new) + 1) * old // (2 * new)


def grid(images: NDArray[np.uint8], columns: int, block: int = 0, gap: int = GAP) -> Image.Image:
    """(N, H, W, C) uint8 -> one picture, row by row, on white; with ``block``, that many images begin a new row."""
    n, h, w, c = images.shape
    rows = _row_and_column(n - 1, columns, block)[0] + 1
    canvas = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, c), 255, np.uint8)
    for i, image in enumerate(images):
        row, column = _row_and_column(i, columns, block)
        y, x = row * (h + gap), column * (w + gap)
        canvas[y : y + h, x : x + w] = image
    return to_pil(canvas)


def captioned_grid(images: NDArray[np.uint8], captions: Sequence[str], columns: int, block: int = 0) -> Image.Image:
    """As ``grid``, each image enlarged in whole steps to about ``CAPTIONED_SIDE`` pixels, its caption below it."""
    n, h, w, c = images.shape
    scale = max(round(CAPTIONED_SIDE / w), 1)
    height, width = h * scale, w * scale
    cells = np.full((n, height + CAPTION_HEIGHT, width, c), 255, np.uint8)
    cells[:, :height] = resize_nearest(images, height, width)
    picture = grid(cells, columns, block)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(CAPTION_SIZE)
    for i, caption in enumerate(captions):
        row, column = _row_and_column(i, columns, block)
        place = column * (width + GAP), row * (height + CAPTION_HEIGHT + GAP) + height
        draw.text(place, _cut(caption, width, lambda text: draw.textlength(text, font)), "black", font)
    return picture


def labelled_sheet(images: NDArray[np.uint8], rows: Sequence[str], columns: Sequence[str]) -> Image.Image:
    """(rows · columns, H, W, C) uint8 -> one picture, each image enlarged as in ``captioned_grid``, with the labels of
    the rows at the left and those of the columns above.
    """
    scale = max(round(CAPTIONED_SIDE / images.shape[2]), 1)
    height, width = images.shape[1] * scale, images.shape[2] * scale
    sheet = grid(resize_nearest(images, height, width), len(columns)).convert("RGB")
    font = ImageFont.load_default(CAPTION_SIZE)
    ruler = ImageDraw.Draw(sheet)
    left = min(max(int(ruler.textlength(text, font)) for text in rows) + 2 * GAP, 2 * CAPTIONED_SIDE)
    picture = Image.new("RGB", (left + sheet.width, CAPTION_HEIGHT + sheet.height), "white")
    picture.paste(sheet, (left, CAPTION_HEIGHT))
    draw = ImageDraw.Draw(picture)

    def length(text: str) -> float:
        return draw.textlength(text, font)

    for i, text in enumerate(rows):
        place = GAP, CAPTION_HEIGHT + i * (height + GAP) + (height - CAPTION_SIZE) // 2
        draw.text(place, _cut(text, left - GAP, length), "black", font)
    for j, text in enumerate(columns):
        draw.text((left + j * (width + GAP), 0), _cut(text, width, length), "black", font)
    return picture


def _row_and_column(i: int, columns: int, block: int) -> tuple[int, int]:
    before, within = divmod(i, block) if block else (0, i)
    return before * -(-block // columns) + within // columns, within % columns


def _cut(text: str, width: float, length: Callable[[str], float]) -> str:
    """The longest beginning of ``text`` that is no longer than ``width``, with an ellipsis where it is cut."""
    if length(text) <= width:
        return text
    return next((cut for n in range(len(text), 0, -1) if length(cut := text[:n].rstrip() + "…") <= width), "")


def square_columns(blocks: int, block: int) -> int:
    """Columns of the grid of ``blocks`` blocks that comes nearest to a square; 8 images or fewer are one row."""
    if block <= 8:
        return block

    def departure(columns: int) -> float:
        rows = blocks * -(-block // columns)
        return max(rows / columns, columns / rows)

    return min(range(8, block + 1), key=departure)


def strip(stages: Sequence[NDArray[np.uint8]], gap: int = GAP) -> Image.Image:
    """(N, h, w, C) uint8 each -> one picture: a row an image, all stages at the last one's size, in square pixels."""
    height, width = stages[-1].shape[1:3]
    cells = np.stack([resize_nearest(stage, height, width) for stage in stages], axis=1)
    return grid(cells.reshape(-1, *cells.shape[2:]), len(stages), gap=gap)


def png(image: NDArray[np.uint8] | Image.Image, metadata: dict[str, Any] | None = None) -> bytes:
    """(H, W, C) uint8 or a picture -> PNG, with ``metadata`` as JSON in its text chunk ``ganlib``.

    Level 1: a third larger than level 6, and five times faster.
    """
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    text = PngInfo()
    if metadata is not None:
        text.add_itxt("ganlib", json.dumps(metadata), zip=True)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1, pnginfo=text)
    return buffer.getvalue()


def webp(picture: Image.Image, quality: int = 90) -> bytes:
    """A picture -> lossy WebP."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def read_metadata(source: str | Path | IO[bytes]) -> dict[str, Any] | None:
    """What ``png`` wrote beside the pixels, None where a picture has nothing of the kind. GanlibError for no PNG."""
    try:
        with open_picture(source, ["PNG"]) as picture:
            text = picture.text.get("ganlib")  # type: ignore[attr-defined]
        return None if text is None else parse_json(text)
    except ValueError as error:
        reason = str(error)[:100]
        raise GanlibError(f"It is no PNG of ganlib that can be read ({reason}); save the picture again.") from None


def zip_of_pngs(files: Iterable[tuple[str, NDArray[np.uint8]]], provenance: dict[str, Any]) -> bytes:
    """(name, (H, W, C) uint8) pairs as PNGs beside ``provenance.json``, which says how to make them again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PNGs are compressed already
        archive.writestr("provenance.json", json.dumps(provenance, indent=2))
        for name, image in files:
            archive.writestr(name, png(image))
    return buffer.getvalue()
