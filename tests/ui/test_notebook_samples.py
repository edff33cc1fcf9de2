"""Pictures of notebooks as samples beside their curves."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganlib.logs import read
from ganlib.ui.notebook_samples import MAX_SAMPLES, MAX_SIDE, read_notebook_samples
from helpers.gallery import CONDITIONAL
from helpers.streamlit_app import fine, open_page


def picture(size: tuple[int, int], level: int, kind: str = "PNG") -> dict[str, Any]:
    data = io.BytesIO()
    Image.new("RGB", size, (level, 0, 0)).save(data, kind)
    content = base64.b64encode(data.getvalue()).decode()
    return {"output_type": "display_data", "metadata": {}, "data": {f"image/{kind.lower()}": content}}


def write(path: Path, *pictures: dict[str, Any]) -> Path:
    """A notebook that shows each picture after another epoch."""
    outputs: list[dict[str, Any]] = []
    for epoch, shown in enumerate(pictures, 1):
        text = f"Epoch {epoch}: d_loss: {epoch / 8}, g_loss: {epoch / 4}\n"
        outputs += [{"output_type": "stream", "name": "stdout", "text": text}, shown]
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "", "outputs": outputs}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_pictures_are_converted_and_named_after_their_moment(tmp_path):
    damaged = picture((4, 4), 0)
    damaged["data"]["image/png"] = base64.b64encode(b"\x89PNG\r\n\x1a\nno picture").decode()
    frame = read(write(tmp_path / "a.ipynb", picture((8, 8), 200), damaged, picture((3000, 1500), 9, "JPEG")))
    (samples,) = read_notebook_samples(frame, frame.attrs["notebooks"]).values()
    assert [sample.moment for sample in samples] == ["epoch 1", "epoch 3"]
    first, last = (Image.open(io.BytesIO(sample.content)) for sample in samples)
    assert first.format == "WEBP"
    assert first.convert("RGB").getpixel((0, 0)) == (200, 0, 0)
    assert last.size == (MAX_SIDE, MAX_SIDE // 2)


def test_many_pictures_are_shown_evenly_from_the_first_to_the_last(tmp_path):
    frame = read(write(tmp_path / "a.ipynb", *(picture((2, 2), 0) for _ in range(2 * MAX_SAMPLES - 1))))
    (samples,) = read_notebook_samples(frame, frame.attrs["notebooks"]).values()
    assert [sample.moment for sample in samples] == [f"epoch {epoch}" for epoch in range(1, 2 * MAX_SAMPLES, 2)]


@pytest.mark.parametrize("shown", [1, 3])
def test_a_server_notebook_has_its_pictures_on_the_curves_page(gallery, tmp_path, monkeypatch, shown):
    monkeypatch.setenv("GANLIB_LOGS", str(tmp_path / "logs"))
    write(tmp_path / "logs" / "theirs" / "gan.ipynb", *(picture((8, 8), level) for level in range(shown + 1)))
    at = fine(open_page("curves", runs=["theirs", CONDITIONAL]))
    (slider,) = (element for element in at.select_slider if element.label == "Pictures of theirs")
    assert slider.value == f"epoch {shown + 1}"
