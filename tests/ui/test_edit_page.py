"""Edit a picture: holes, enlargement, translation and drawings, each the same as ganlib's own functions."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from ganlib.applications.inpainting import Inpainting, InpaintingConfig
from ganlib.applications.superresolution import enlarge
from ganlib.applications.translation import change_map, degraded_input, from_input, translate
from ganlib.applications.variation import augments, vary
from ganlib.data import Split, load_data
from ganlib.images import from_uint8, to_uint8
from ganlib.nn.degradations import shrink
from ganlib.nn.masks import draw_masks
from ganlib.runs import Run
from ganlib.training.snapshots import save_samples
from helpers.command_line import run_command
from helpers.gallery import CONDITIONAL, UNCONDITIONAL, digits_run, edit_recipe, pictures, pixels
from helpers.record_entries import entry, write_entries
from helpers.streamlit_app import cards, fine, from_link, is_one_sentence, open_page, set_to, values
from helpers.tiny_models import write_run

EDITORS = ("srgan", "pix2pix", "context_encoder", "lapgan", "dagan")


@pytest.fixture
def editors(use, tmp_path: Path) -> Path:
    """One untrained run of each kind, of the shipped digits; the domains of CycleGAN are of no data set at hand."""
    root = use(tmp_path)
    for name in EDITORS:
        digits_run(root / name, name, image_size=16)
    write_run(root / "cyclegan", "cyclegan")
    edit_recipe(root / "cyclegan", data__classes=["day", "night"])
    return root


def shown(at: AppTest) -> list[np.ndarray]:
    return [pixels(pictures(html)[0]) for html in values(at, "html") if 'data-testid="large-image"' in html]


def digit(number: int) -> np.ndarray:
    """(16, 16, 1) uint8 of the test set."""
    return np.array(load_data("digits").test.images[number])


def test_a_hole_is_filled_as_ganlib_fills_it(gallery):
    at = open_page("edit", run=UNCONDITIONAL, picture="3", hole="Box", hole_seed="2", results="2", steps="2")
    assert not at.warning
    picture, holed, *results = shown(at)
    image = digit(3)
    mask = draw_masks(["box"], 1, 16, torch.Generator().manual_seed(2))
    assert np.array_equal(picture, image[..., 0])
    assert (holed[mask[0, 0].numpy() > 0] == 128).all()
    model = Run(gallery / UNCONDITIONAL).load()
    expected = Inpainting(model, from_uint8(image[None]), mask, None, InpaintingConfig(results=2, steps=2)).finish()
    assert {r.tobytes() for r in results} == {r[..., 0].tobytes() for r in expected}
    assert "standard deviation" in " ".join(values(at, "caption"))
    assert "--mask box --seed 2 --results 2 --steps 2" in at.code[1].value
    assert "hole=Box" in at.code[0].value


def test_a_conditional_run_takes_the_class_of_the_test_picture(gallery):
    at = open_page("edit", run=CONDITIONAL, picture="3", results="1", steps="1")
    label = int(load_data("digits").test.labels[3])
    assert f"--class {label} " in at.code[1].value
    generated = open_page("edit", run=CONDITIONAL, source="Generated", seed="7", results="1", steps="1")
    assert not generated.error
    assert f"{CONDITIONAL}_7.png" in generated.code[1].value


def test_a_small_picture_is_enlarged_beside_filters_and_measured(editors):
    at = open_page("edit", run="srgan", picture="5")
    image = digit(5)
    small = to_uint8(shrink(from_uint8(image[None]), 2))[0]
    nearest, bicubic, lanczos, result, wanted = shown(at)
    assert np.array_equal(nearest[::2, ::2], small[..., 0])
    assert (bicubic != lanczos).any()
    assert np.array_equal(result, enlarge(Run(editors / "srgan").load(), small)[0][..., 0])
    assert np.array_equal(wanted, image[..., 0])
    assert sum(" dB, SSIM " in text for text in values(at, "caption")) == 4


def test_a_lapgan_enlarges_from_each_of_its_sizes(editors):
    at = open_page("edit", task="Enlarge", run="lapgan", picture="5", side="4")
    nearest, _, _, one, other, _ = shown(at)
    assert np.array_equal(nearest[::4, ::4].repeat(4, 0).repeat(4, 1), nearest)
    assert one.shape == (16, 16)
    assert (one != other).any()


def test_a_picture_is_enlarged_as_of_its_own_class_until_another_is_chosen(editors):
    own = [str(label) for label in load_data("digits").test.labels]
    first, second = 5, next(i for i in range(6, len(own)) if own[i] != own[5])
    other = next(name for name in map(str, range(10)) if name not in (own[first], own[second]))
    at = open_page("edit", task="Enlarge", run="lapgan", picture=str(first))
    assert f"--class {own[first]} --results 2 " in at.code[1].value
    at = set_to(at, "number_input", "picture", second)
    assert f"--class {own[second]} " in at.code[1].value
    at = set_to(at, "segmented_control", "class", other)
    assert f"--class {other} " in at.code[1].value
    again = from_link("edit", at.code[0].value)
    assert f"--class {other} " in again.code[1].value
    assert all(np.array_equal(a, b) for a, b in zip(shown(again), shown(at), strict=True))
    at = set_to(at, "number_input", "picture", first)
    assert f"--class {own[first]} " in at.code[1].value


@pytest.mark.parametrize("method", ["latents", "reencoding"])
def test_the_way_to_fill_a_hole_is_in_the_link_and_the_command(method, use, tmp_path, capsys):
    root = use(tmp_path / "gallery")
    digits_run(root / "bigan", "bigan", image_size=16)
    link = {"results": "2"} | ({"steps": "2"} if method == "latents" else {})
    at = open_page("edit", run="bigan", picture="3", method=method, **link)
    assert f"--method {method} --results 2" in at.code[1].value
    again = from_link("edit", at.code[0].value)
    assert not again.warning
    assert again.segmented_control(key="method").value == method
    Image.fromarray(digit(3)[..., 0]).save(tmp_path / "digits_test_3.png")
    words = shlex.split(at.code[1].value)[3:]
    words[words.index("digits_test_3.png")] = str(tmp_path / "digits_test_3.png")
    run_command(*words[:-1], tmp_path / "out", "--device", "cpu", capsys=capsys)
    filled = {pixels(path.read_bytes()).tobytes() for path in (tmp_path / "out").glob("*.png")}
    assert {result.tobytes() for result in shown(at)[2:]} == filled


def test_a_class_that_was_chosen_for_a_hole_is_in_the_link(use, tmp_path):
    root = use(tmp_path)
    digits_run(root / "ddpm", "ddpm", image_size=16)
    digits_run(root / "dcgan", "dcgan", image_size=16)  # its pictures are of no class
    at = open_page("edit", run="ddpm", source="Generated", seed="7", class_="4", results="1")
    assert "ddpm dcgan_7.png --mask centre --class 4 --results 1 " in at.code[1].value
    assert "--class 4 " in from_link("edit", at.code[0].value).code[1].value


def test_names_of_files_are_quoted_for_the_shell(editors):
    buffer = io.BytesIO()
    Image.new("L", (16, 16), 90).save(buffer, "PNG")
    for name in ('a"b.png', "$(id).png", "own picture.png"):
        at = open_page("edit", run="srgan", source="Upload")
        at = fine(at.file_uploader[0].upload(name, buffer.getvalue()).run())
        assert shlex.split(at.code[0].value)[3:6] == ["apply", "srgan", name]


def test_uploads_of_any_shape_are_enlarged_as_they_are(editors):
    at = open_page("edit", run="srgan", source="Upload")
    assert "enlarged as it is" in at.info[0].value
    buffer = io.BytesIO()
    Image.new("RGB", (20, 12), "red").save(buffer, "PNG")
    at = fine(at.file_uploader[0].upload("wide.png", buffer.getvalue()).run())
    assert not at.error
    assert shown(at)[-1].shape == (24, 40)
    assert "Its colours are left out." in " ".join(values(at, "caption"))


def test_a_drawing_becomes_a_picture(editors):
    at = open_page("edit", run="pix2pix", picture="2")
    model = Run(editors / "pix2pix").load()
    lines = degraded_input(model, digit(2))  # type: ignore[arg-type]
    drawing, result, picture = shown(at)
    assert np.array_equal(drawing, lines[..., 0])
    assert np.array_equal(result, from_input(model, lines)[..., 0])  # type: ignore[arg-type]
    assert np.array_equal(picture, digit(2)[..., 0])
    assert "Result against picture: PSNR" in " ".join(values(at, "caption"))


def test_a_scene_is_translated_and_back(editors):
    at = open_page("edit", run="cyclegan", source="Upload", from_="night")
    buffer = io.BytesIO()
    pixel = np.random.default_rng(0).integers(0, 256, (16, 16), np.uint8)
    Image.fromarray(pixel).save(buffer, "PNG")
    at = fine(at.file_uploader[0].upload("own.png", buffer.getvalue()).run())
    model = Run(editors / "cyclegan").load()
    there = translate(model, pixel[None, ..., None], 1)  # type: ignore[arg-type]
    back = translate(model, there, 0)  # type: ignore[arg-type]
    picture, translated, changed, again, _ = shown(at)
    assert np.array_equal(picture, pixel)
    assert np.array_equal(translated, there[0, ..., 0])
    assert np.array_equal(changed, change_map(pixel[..., None], there[0])[..., 0])
    assert np.array_equal(again, back[0, ..., 0])
    assert "--from night" in at.code[0].value


def test_the_distance_of_the_domains_is_that_of_the_direction(editors):
    run = Run(editors / "cyclegan")
    scores = {("day to night", "source_fid"): 40.0, ("day to night", "target_fid"): 30.0}
    scores |= {("night to day", "source_fid"): 20.0, ("night to day", "target_fid"): 10.0}
    entries = [
        entry({"task": task}, metric=metric, value=value, interval=None, weights_hash=run.weights_hash)
        for (task, metric), value in scores.items()
    ]
    write_entries(run.folder.path, *entries)
    (run.folder.path / "samples").mkdir()
    inputs = Split(np.full((16, 16, 16, 1), 100, np.uint8), np.arange(16) // 8, "made")
    save_samples(run.load(), inputs, run.folder.path / "samples" / "64.webp")
    for day, sentence in (("day", "FID 40 before, 30 after"), ("night", "FID 20 before, 10 after")):
        captions = " ".join(values(open_page("edit", run="cyclegan", from_=day), "caption"))
        assert captions.count("FID ") == 1
        assert sentence in captions


def test_the_task_follows_the_linked_run_and_the_runs_the_task(editors):
    at = open_page("edit", run="pix2pix")
    assert at.get("button_group")[0].value == "Draw or colour"
    at = open_page("edit")
    assert at.selectbox(key="run").value == "context_encoder"  # learned before what was never trained for it
    assert len(shown(at)) == 3


@pytest.mark.parametrize("link", [{"task": "Fly"}, {"hole": "Round"}, {"results": "99"}, {"picture": "99999"}])
def test_what_a_link_asks_in_vain_is_a_sentence(link, gallery):
    at = open_page("edit", **({"run": UNCONDITIONAL, "steps": "1", "results": "1"} | link))
    assert len(at.warning) == 1
    assert is_one_sentence(at.warning[0].value)
    assert not at.error


def test_an_empty_drawing_is_a_sentence(gallery):
    at = open_page("edit", run=UNCONDITIONAL, hole="Drawn", steps="1")
    assert "Draw the hole on the picture" in at.info[0].value
    assert not at.error


def test_cards_of_image_to_image_runs_lead_here(editors):
    at = open_page("gallery")
    links = {card["subtitle"]: [link["to"] for link in card["links"]] for card in cards(at)}
    assert any("edit/srgan" in to for to in links.values())
    assert any("superresolution x2" in subtitle for subtitle in links)
    at = set_to(at, "button_group", "family", "image to image")
    assert len(cards(at)) == 5


def test_a_picture_has_variations_of_its_class(editors):
    at = open_page("edit", run="dagan", task="Vary", picture="5", noise="3")
    assert not at.warning
    picture, *results = shown(at)
    dagan = Run(editors / "dagan").load()
    assert augments(dagan)
    expected = vary(dagan, digit(5), range(3, 11))
    assert np.array_equal(picture, digit(5)[..., 0])
    assert np.array_equal(np.stack(results), expected[..., 0])
    assert "ganlib apply dagan digits_test_5.png --results" in at.code[1].value
    assert "--results 8 --seed 3" in at.code[1].value
    for value in ("-1", "x"):
        assert is_one_sentence(open_page("edit", run="dagan", task="Vary", noise=value).warning[0].value)
