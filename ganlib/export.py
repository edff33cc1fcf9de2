"""Pictures as files: PNG, a ZIP of PNGs with how they were made, animated GIF."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from ganlib.sampling import to_pil

GIF_SIDE = 256  # frames are enlarged to about this many pixels, in whole steps so that pixels stay square


def png(image: np.ndarray | Image.Image) -> bytes:
    """(H, W, C) uint8 or a picture -> PNG. Level 1: a third larger than level 6, and five times faster."""
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def zip_of_pngs(files: Iterable[tuple[str, np.ndarray]], how: dict[str, Any]) -> bytes:
    """(name, (H, W, C) uint8) pairs as PNGs beside ``how.json``, which says how to make them again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PNGs are compressed already
        archive.writestr("how.json", json.dumps(how, indent=2))
        for name, image in files:
            archive.writestr(name, png(image))
    return buffer.getvalue()


def gif(frames: np.ndarray, *, frames_per_second: float = 12, there_and_back: bool = True) -> bytes:
    """(F, H, W, C) uint8 -> endlessly looping GIF; there and back, so that the loop has no jump."""
    scale = max(GIF_SIDE // frames.shape[1], 1)
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)] if there_and_back else range(len(frames))
    pictures = [
        to_pil(frames[i]).resize((frames.shape[2] * scale, frames.shape[1] * scale), Image.Resampling.NEAREST)
        for i in order
    ]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / frames_per_second),
        loop=0,
    )
    return buffer.getvalue()
