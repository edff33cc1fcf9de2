"""Export: the form's command and link, an export in a process, what is there afterwards."""

from __future__ import annotations

import zipfile
from time import monotonic, sleep

import pytest

from ganlib.settings import results_root
from ganlib.ui.jobs import jobs
from helpers.gallery import CONDITIONAL, UNCONDITIONAL
from helpers.streamlit_app import fine, open_page


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
    assert any(element.label.startswith("Download") for element in at.get("download_button"))
    at = fine(button.click().run())  # once more: it is there already
    end = monotonic() + 300
    while jobs().latest.running:
        assert monotonic() < end
        sleep(0.2)
    assert not jobs().latest.failed
