"""Inversion: test pictures and uploads, optimised on the page, saved, edited; the same as the command line's."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ganlib.applications.saved_latents import load_latents
from ganlib.data import load_data
from ganlib.images import captioned_grid, png
from ganlib.runs import Run
from helpers.command_line import read, run_command
from helpers.gallery import CONDITIONAL, SLOW, digits_run, pictures, pixels
from helpers.streamlit_app import fine, is_one_sentence, open_page, set_to, values

STEPS = "3"


def large_images(at: AppTest) -> list[np.ndarray]:
    """The picture, its inversion, and the edited one where there is one."""
    return [pixels(pictures(html)[0]) for html in values(at, "html") if 'data-testid="large-image"' in html]


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def upload(name: str, content: bytes) -> AppTest:
    at = open_page("inversion", run=CONDITIONAL, steps="1", source="Upload", class_="3")
    return fine(at.file_uploader[0].upload(name, content).run())


def test_a_test_picture_is_inverted_edited_saved_and_equal_to_the_commands(own_gallery, tmp_path, capsys):
    at = open_page("inversion", run=CONDITIONAL, picture="4", class_="3", steps=STEPS, edits="sefa-1=2")
    picture, inversion, edited = large_images(at)
    assert np.array_equal(picture, load_data("digits").test.images[4][..., 0])
    assert not np.array_equal(inversion, edited)
    labels = [button.label for button in at.get("download_button")]
    assert labels == ["Inversion as PNG", "Edited picture as PNG", "This picture, for the command line"]
    file, out = tmp_path / "picture.png", tmp_path / "out.png"
    Image.fromarray(picture).save(file)
    assert f"--class 3 --steps {STEPS}" in at.code[1].value.replace('"', "")
    flags = ["--class", "3", "--steps", STEPS, "--edit", "sefa-1=2", "--out", str(out)]
    run_command("invert", CONDITIONAL, file, *flags, capsys=capsys)
    expected = captioned_grid(np.stack([picture, inversion, edited])[..., None], ["picture", "inversion", "edited"], 3)
    assert np.array_equal(read(out), pixels(png(expected)))
    at.text_input(key="latents_name").set_value("four")
    at = fine(next(button for button in at.button if button.label == "Save").click().run())
    assert "The latents are in" in at.success[0].value
    assert load_latents(Run(own_gallery / CONDITIONAL), "four")[1] == 3


@pytest.mark.parametrize("edits", ["", "sefa-1=2"])
def test_the_snippet_gives_the_pixels_of_the_page(edits, own_gallery, tmp_path, monkeypatch):
    at = open_page("inversion", run=CONDITIONAL, picture="4", class_="3", steps=STEPS, edits=edits)
    picture, *_, result = large_images(at)
    snippet = at.code[2].value
    (name,) = re.findall(r"Path\('(.+?)'\)", snippet)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture).save(name)
    namespace: dict[str, Any] = {}
    exec(compile(snippet, "snippet", "exec"), namespace)
    assert np.array_equal(namespace["images"][0, ..., 0], result)


def test_another_test_picture_is_inverted_in_its_turn(own_gallery):
    at = open_page("inversion", run=CONDITIONAL, picture="5", class_="3", steps=STEPS)
    at = set_to(at, "number_input", "picture", 6)
    assert len(large_images(at)) == 2
    assert not at.error


def test_uploads_of_every_kind_are_taken_or_refused_in_a_sentence(gallery):
    turned = Image.new("RGB", (30, 20), "red")
    exif = turned.getexif()
    exif[0x0112] = 6
    taken = {
        "cmyk.jpg": (encoded(Image.new("CMYK", (20, 20)), "JPEG"), ""),
        "deep.png": (encoded(Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 100)), ""),
        "clear.png": (encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 0))), "Its transparent parts are white."),
        "turned.jpg": (encoded(turned, "JPEG", exif=exif), "Its middle square is taken."),
        "moving.gif": (
            encoded(Image.new("L", (8, 8)), "GIF", save_all=True, append_images=[Image.new("L", (8, 8), 255)]),
            "It is an animation; its first frame is taken.",
        ),
    }
    for name, (content, note) in taken.items():
        at = upload(name, content)
        assert not at.error, name
        assert note in " ".join(values(at, "caption")), name
        assert len(large_images(at)) == 2, name
    refused = {
        "text.png": (b"no picture", "text.png is no picture that can be read"),
        "empty.png": (b"", "is no picture that can be read"),
        "huge.png": (encoded(Image.new("1", (10_000, 10_000))), "it has 100 megapixels, more than 64"),
    }
    for name, (content, sentence) in refused.items():
        at = upload(name, content)
        assert len(at.error) == 1, name
        assert sentence in at.error[0].value
        assert is_one_sentence(at.error[0].value)


@pytest.mark.parametrize("link", [{"picture": "99999"}, {"steps": "0"}, {"source": "web"}, {"edits": "sunny=1"}])
def test_what_a_link_asks_in_vain_is_a_sentence(link, gallery):
    at = open_page("inversion", **({"run": CONDITIONAL, "class_": "3", "steps": "1"} | link))
    assert len(at.warning) == 1
    assert is_one_sentence(at.warning[0].value)


def test_without_the_data_set_an_upload_is_asked_for(able):
    at = open_page("inversion", run=SLOW)
    assert "No test picture can be chosen" in " ".join(values(at, "caption"))
    assert len(at.info) == 1
    assert "Upload a picture" in at.info[0].value


def test_a_model_that_inverts_nothing_says_so_in_place_of_a_command(own_gallery):
    digits_run(own_gallery / "pixels", "pixelcnn")
    at = open_page("inversion", run="pixels", picture="4", class_="3")
    (sentence,) = [element.value for element in (*at.warning, *at.error, *at.info)]
    assert "no picture can be inverted; choose another run" in sentence
