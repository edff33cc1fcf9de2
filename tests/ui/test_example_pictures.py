"""Where a data set is not at hand, the pictures of the last sheet from training can be worked on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganlib.data import Split
from ganlib.runs import Run
from ganlib.training.snapshots import save_samples
from ganlib.ui.example_pictures import example_pictures
from helpers.gallery import edit_recipe, pictures, pixels
from helpers.streamlit_app import is_one_sentence, open_page, values
from helpers.tiny_models import write_run

LOSS = 12  # levels, on average, that lossy WebP changes smooth pictures by


def gradients(n: int, side: int, channels: int) -> np.ndarray:
    """(n, side, side, channels) uint8, each another."""
    y, x = np.mgrid[:side, :side] / side
    planes = [200 * np.abs(np.sin(i + 3 * x * (c + 1)) * np.cos(i + 2 * y)) for i in range(n) for c in range(channels)]
    return np.stack(planes).reshape(n, channels, side, side).transpose(0, 2, 3, 1).astype(np.uint8)


def trained(folder: Path, model: str, n: int) -> tuple[Run, np.ndarray]:
    """A run of a data set that is not here, with a sheet of n pictures; two domains, half of them of each."""
    write_run(folder, model)
    edit_recipe(folder, data__name="elsewhere")
    run = Run(folder)
    c = run.config
    images = gradients(n, c.image_size, c.channels)
    (folder / "samples").mkdir(exist_ok=True)
    labels = np.arange(n) * 2 // n if model == "cyclegan" else np.zeros(n, np.int64)
    save_samples(run.load(), Split(images, labels, "made"), folder / "samples" / f"{run.images_seen}.webp")
    return run, images


def near(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(float) - b).mean()) < LOSS


@pytest.mark.parametrize("model", ["srgan", "pix2pix", "context_encoder"])
@pytest.mark.parametrize("n", [3, 11, 16])
def test_examples_are_the_pictures_that_inputs_were_made_of(model, n, tmp_path):
    run, images = trained(tmp_path / "run", model, n)
    assert near(example_pictures(run), images)


@pytest.mark.parametrize("n", [6, 16])
def test_examples_of_a_translation_are_of_the_domain(n, tmp_path):
    run, images = trained(tmp_path / "run", "cyclegan", n)
    assert near(example_pictures(run, 0), images[: n // 2])
    assert near(example_pictures(run, 1), images[n // 2 :])


def test_no_sheet_or_half_of_one_has_no_examples(tmp_path):
    run, _ = trained(tmp_path / "run", "srgan", 8)
    (sheet,) = run.folder.samples.iterdir()
    sheet.write_bytes(sheet.read_bytes()[:50])
    assert len(example_pictures(run)) == 0
    sheet.unlink()
    assert len(example_pictures(run)) == 0
    write_run(tmp_path / "dcgan", "dcgan")
    assert len(example_pictures(Run(tmp_path / "dcgan"))) == 0


def test_the_page_offers_examples_in_place_of_test_pictures(use, tmp_path):
    use(tmp_path)
    _, images = trained(tmp_path / "day-night", "cyclegan", 16)
    edit_recipe(tmp_path / "day-night", data__classes=["day", "night"])
    at = open_page("edit", run="day-night", from_="night", picture="2")
    assert not at.warning
    source = at.get("button_group")[-1]
    assert source.value == "Example"
    assert "not on this machine" in source.help
    first = next(html for html in values(at, "html") if 'data-testid="large-image"' in html)
    assert near(pixels(pictures(first)[0]).reshape(images[10].shape), images[10])
    assert "source=Example" in at.code[0].value
    assert "picture=2" in at.code[0].value
    at = open_page("edit", run="day-night", source="Test picture")
    assert is_one_sentence(at.warning[0].value)
