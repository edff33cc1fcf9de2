"""Where the generator looked: an image as bright as one position's attention, for models that have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ganlib.sampling.request import SampleRequest
from ganlib.ui import attention
from helpers.tiny_models import write_run


def test_brightness_is_attention_and_the_position_is_framed():
    image = np.full((16, 16, 3), 200, np.uint8)
    weights = np.zeros((4, 4), np.float32)
    weights[0, 3], weights[2, 1] = 0.5, 0.25
    picture = attention.attention_picture(image, weights, (3, 3))
    assert picture.shape == (512, 512, 3)
    assert picture[64, 448].tolist() == [200] * 3  # the centre of the cell that counts most
    assert picture[320, 192].tolist() == [round(200 * (0.2 + 0.8 / 2))] * 3
    assert picture[64, 64].tolist() == [40] * 3
    assert picture[384, 384].tolist() == [255] * 3  # the frame's corner
    assert picture[448, 448].tolist() == [40] * 3  # inside the frame


def show(path: str) -> None:
    from ganlib.runs import find_run
    from ganlib.sampling.request import SampleRequest
    from ganlib.ui import attention

    run = find_run(path)
    attention.draw_attention(SampleRequest(run, (1,) if run.conditional else (), (3,)))


@pytest.mark.parametrize(("name", "sizes"), [("sagan", [8, 16]), ("biggan", [8])])
def test_a_position_is_chosen_in_a_layer(name, sizes, tmp_path):
    write_run(tmp_path / "r", name, image_size=32, attention=tuple(sizes))
    at = AppTest.from_function(show, kwargs={"path": str(tmp_path / "r")}, default_timeout=60).run()
    assert not at.exception
    at.toggle[0].set_value(True).run()
    assert not at.exception
    assert [slider.value for slider in at.slider] == [4, 4]
    assert "γ of this layer is" in at.caption[0].value
    before = at.get("html")[0].value
    at.slider[0].set_value(0).run()
    assert at.get("html")[0].value != before
    if len(sizes) > 1:
        at.segmented_control[0].set_value(16).run()
        assert at.slider[0].max == 15


@pytest.mark.parametrize(("name", "changes"), [("dcgan", {}), ("sagan", {"attention": ()})])
def test_a_model_without_attention_offers_nothing(name, changes, tmp_path):
    write_run(tmp_path / "r", name, **changes)
    at = AppTest.from_function(show, kwargs={"path": str(tmp_path / "r")}, default_timeout=60).run()
    assert not at.exception
    assert not at.toggle


def test_maps_are_those_of_the_requests_image(tmp_path):
    run = write_run(tmp_path / "r", "sagan")
    maps: Any = attention.attention_maps(SampleRequest(run, (1,), (3,)))
    assert maps[8].shape == (64, 64)
    np.testing.assert_allclose(maps[8].sum(1), 1, rtol=1e-5)
