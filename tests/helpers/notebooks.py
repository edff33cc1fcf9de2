"""Notebooks that print losses and show pictures."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image


def notebook_picture(size: tuple[int, int], level: int, kind: str = "PNG") -> dict[str, Any]:
    return _output(Image.new("RGB", size, (level, 0, 0)), kind)


def notebook_sheet(distinct: int) -> dict[str, Any]:
    """Sixteen pictures of four squares, so many of them different: a number in binary, in blue and red."""
    sheet = Image.new("RGB", (4 * 20 + 4, 4 * 20 + 4), "white")
    for i in range(16):
        for bit in range(4):
            left, top = 4 + i % 4 * 20 + bit % 2 * 8, 4 + i // 4 * 20 + bit // 2 * 8
            sheet.paste((200, 0, 0) if i % distinct >> bit & 1 else (0, 0, 200), (left, top, left + 8, top + 8))
    return _output(sheet, "PNG")


def _output(picture: Image.Image, kind: str) -> dict[str, Any]:
    data = io.BytesIO()
    picture.save(data, kind)
    content = base64.b64encode(data.getvalue()).decode()
    return {"output_type": "display_data", "metadata": {}, "data": {f"image/{kind.lower()}": content}}


def write_notebook(path: Path, *pictures: dict[str, Any]) -> Path:
    """A notebook that shows each picture after another epoch."""
    outputs: list[dict[str, Any]] = []
    for epoch, shown in enumerate(pictures, 1):
        text = f"Epoch {epoch}: d_loss: {epoch / 8}, g_loss: {epoch / 4}\n"
        outputs += [{"output_type": "stream", "name": "stdout", "text": text}, shown]
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "", "outputs": outputs}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path
