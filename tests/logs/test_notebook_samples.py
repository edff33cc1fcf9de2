"""Pictures of notebooks as samples: chosen, converted, named."""

from __future__ import annotations

import base64
import io

from PIL import Image

from ganlib.logs import notebook_samples, read
from ganlib.logs.notebook_samples import MAX_SAMPLES, MAX_SIDE
from helpers.notebooks import notebook_picture, write_notebook


def test_pictures_are_converted_and_named_after_their_moment(tmp_path):
    damaged = notebook_picture((4, 4), 0)
    damaged["data"]["image/png"] = base64.b64encode(b"\x89PNG\r\n\x1a\nno picture").decode()
    frame = read(
        write_notebook(
            tmp_path / "a.ipynb", notebook_picture((8, 8), 200), damaged, notebook_picture((3000, 1500), 9, "JPEG")
        )
    )
    (samples,) = notebook_samples(frame.attrs["notebooks"], frame.attrs["step_units"]).values()
    assert [sample.moment for sample in samples] == ["epoch 1", "epoch 3"]
    first, last = (Image.open(io.BytesIO(sample.content)) for sample in samples)
    assert first.format == "WEBP"
    assert first.convert("RGB").getpixel((0, 0)) == (200, 0, 0)
    assert last.size == (MAX_SIDE, MAX_SIDE // 2)


def test_many_pictures_are_shown_evenly_from_the_first_to_the_last(tmp_path):
    pictures = [notebook_picture((2, 2), 0)] * (2 * MAX_SAMPLES - 1)
    frame = read(write_notebook(tmp_path / "a.ipynb", *pictures))
    (samples,) = notebook_samples(frame.attrs["notebooks"], frame.attrs["step_units"]).values()
    assert [sample.moment for sample in samples] == [f"epoch {epoch}" for epoch in range(1, 2 * MAX_SAMPLES, 2)]
