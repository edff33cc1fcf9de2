"""Notebooks that print losses and show pictures."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image


def notebook_picture(size: tuple[int, int], level: int, kind: str = "PNG") -> dict[str, Any]:
    data = io.BytesIO()
    Image.new("RGB", size, (level, 0, 0)).save(data, kind)
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
