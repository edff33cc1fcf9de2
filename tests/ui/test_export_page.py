"""Export: the form's command and link, an export in a process, what is there afterwards."""

from __future__ import annotations

import io
import zipfile
from time import monotonic, sleep

import pytest

from ganlib.applications.export import ExportConfig, export
from ganlib.errors import GanlibError
from ganlib.runs import find_run
from ganlib.settings import results_root
from ganlib.ui.exported import card_and_manifest
from ganlib.ui.exporting import parse_counts
from ganlib.ui.jobs import jobs
from helpers.gallery import CONDITIONAL, UNCONDITIONAL
from helpers.streamlit_app import fine, from_link, open_page, set_to
from helpers.tiny_models import CPU


@pytest.fixture
def no_jobs():
    jobs.clear()
    yield
    if (job := jobs().latest) is not None:
        job.stop()
    jobs.clear()


def body(at) -> str:
    return "".join(element.proto.body for element in at.get("html"))


def test_the_form_says_what_it_will_write(gallery):
    at = open_page("export", run=CONDITIONAL, images="50", confidence="0.5", format="webdataset")
    html = body(at)
    assert "500" in html
    assert html.count("<img") == 32
    link, command = (code.value for code in at.code)
    assert "confidence=0.5" in link
    arguments = "--images 50 --format webdataset --min-confidence 0.5"
    assert command.startswith(f"python -m ganlib export {CONDITIONAL} {arguments}")
    at = open_page("export", run=UNCONDITIONAL)
    assert not [slider for slider in at.slider if slider.key == "confidence"]


def test_counts_seed_and_shard_are_bound_to_the_link(gallery):
    counts = "5 0 7 0 0 0 0 0 0 20"
    at = open_page("export", run=CONDITIONAL, images=counts, first_seed="9", shard="50", format="webdataset")
    assert ">32<" in body(at)  # images in all
    assert ">3<" in body(at)  # classes
    link, command = (code.value for code in at.code)
    assert f"--counts {counts} --format webdataset --first-seed 9 --shard 50" in command
    again = from_link("export", link)
    assert [code.value for code in again.code] == [link, command]
    assert "first_seed=9" in link
    at = set_to(open_page("export", run=CONDITIONAL), "text_input", "images", "1 2")
    assert "one for each of 10 classes" in at.error[0].value
    at = open_page("export", run=CONDITIONAL, images="many")
    assert "The link asks for images" in at.warning[0].value
    assert at.text_input(key="images").value == "100"


@pytest.mark.parametrize(
    ("text", "classes", "fields"),
    [
        ("100", 10, {"images": 100}),
        ("1,000", 10, {"images": 1000}),  # as links had it
        ("10,000", 2, {"images": 10_000}),
        ("5 6", 2, {"counts": (5, 6)}),
        ("5, 6,7", 3, {"counts": (5, 6, 7)}),
        ("1,000 0", 2, {"counts": (1000, 0)}),
    ],
)
def test_counts_are_one_number_or_one_a_class(text, classes, fields):
    assert parse_counts(text, classes) == fields


@pytest.mark.parametrize("text", ["", "x", "1 2", "0 0 0", "-1", "0", "99999999999"])
def test_other_counts_are_a_sentence(text):
    with pytest.raises(GanlibError):
        parse_counts(text, 3)


@pytest.mark.parametrize("form", ["folder", "webdataset"])
def test_a_folder_shows_its_card_and_gives_what_lies_beside_the_images(own_gallery, form):
    path = results_root() / "exports" / "set"
    config = ExportConfig.from_dict({"images": 3, "format": form})
    export(find_run(str(own_gallery / CONDITIONAL)), path, config, CPU)
    at = open_page("export")
    (card,) = (code.value for code in at.code if code.value.startswith("# 30 generated images"))
    assert (path / "README.md").read_text().rstrip().endswith(card)
    assert any(str(path.resolve()) in caption.value.replace("\\", "") for caption in at.caption)
    assert [button.label for button in at.get("download_button")] == ["Card, manifest and report, ZIP"]
    with zipfile.ZipFile(io.BytesIO(card_and_manifest(path))) as archive:
        assert {"README.md", "manifest.csv", "memorisation_neighbours.csv"} <= set(archive.namelist())
        assert archive.read("manifest.csv") == (path / "manifest.csv").read_bytes()
    (path / "README.md").unlink()
    at = open_page("export")
    assert any("30 images so far, of" in text.value for text in at.markdown)


def test_a_damaged_export_is_a_sentence(own_gallery):
    path = results_root() / "exports" / "set.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PK no ZIP")
    (path.parent / "gone.zip").symlink_to("/nowhere")
    at = open_page("export")
    assert "is no readable export" in at.warning[0].value
    assert "gone.zip cannot be read" in at.warning[1].value


def test_an_export_is_made_in_a_process_and_can_be_downloaded(own_gallery, no_jobs):
    at = open_page("export", run=CONDITIONAL, images="10")
    (button,) = (button for button in at.button if button.label == "Export")
    at = fine(button.click().run())
    end = monotonic() + 300
    while jobs().latest.running:
        assert monotonic() < end
        sleep(0.2)
    at = fine(at.run())
    assert at.success[0].value.startswith("Exported")
    (path,) = (results_root() / "exports").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == 100
        card = archive.read("README.md").decode().rstrip()
        assert b"<!doctype html>" in archive.read("memorisation.html")
    assert any(code.value.startswith("# 100 generated") and card.endswith(code.value) for code in at.code)
    assert [element.label[:8] for element in at.get("download_button")] == ["Download"]  # once
    at = fine(button.click().run())  # once more: it is there already
    end = monotonic() + 300
    while jobs().latest.running:
        assert monotonic() < end
        sleep(0.2)
    assert not jobs().latest.failed
