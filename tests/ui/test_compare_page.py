"""Real vs synthetic: choosing sides, starting a comparison, a stored one with its files and its link."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep
from urllib.parse import parse_qs, urlsplit

import pytest

from ganlib.__main__ import main
from ganlib.twosample.result import comparisons, read_comparison
from ganlib.ui.jobs import jobs
from helpers.gallery import CONDITIONAL, OTHER
from helpers.image_files import picture
from helpers.streamlit_app import charts, fine, is_one_sentence, open_page, texts, values


@pytest.fixture(scope="module")
def compared(shared, tmp_path_factory) -> Path:
    """A gallery with one comparison of an untrained small classifier's sections."""
    from helpers.gallery import copy_of

    root = copy_of(shared, tmp_path_factory.mktemp("compared"))
    arguments = ["digits#test", str(root / CONDITIONAL), "--n", "60", "--networks", "efficientnet_lite0"]
    assert main(["compare", *arguments, "--device", "cpu"]) == 0
    return root


@pytest.fixture
def no_jobs():
    jobs.clear()
    yield
    if (job := jobs().latest) is not None:
        job.stop()
    jobs.clear()


def until_finished() -> None:
    end = monotonic() + 400
    while jobs().latest.running:
        assert monotonic() < end
        sleep(0.2)


def start(at):
    (button,) = (button for button in at.button if button.label == "Compare")
    return button


def test_a_stored_comparison_is_shown_at_once(compared, use):
    use(compared)
    at = open_page("compare")
    (folder,) = comparisons(compared / CONDITIONAL)
    comparison = read_comparison(folder)
    html = "".join(element.proto.body for element in at.get("html"))
    assert comparison.facts["verdict"] in html
    assert [tab.label for tab in at.tabs] == ["Classifiers", "Feature tests", "Copies of training images", "Protocol"]
    assert len(charts(at)) >= 4
    assert [element.label for element in at.get("download_button")] == [
        "Report as HTML",
        *("Tests as CSV", "Tests as LaTeX", "Components as CSV", "Components as LaTeX"),
    ]
    assert "JPEG" not in texts(at)
    assert comparison.giveaways[0].split(":")[0] in " ".join(c.value.replace("\\", "") for c in at.caption)


def test_the_link_opens_the_same_comparison(compared, use):
    use(compared)
    at = open_page("compare")
    link, command = (code.value for code in at.code)
    (result,) = parse_qs(urlsplit(link).query)["result"]
    assert result.startswith(f"{CONDITIONAL}/digits-test-")
    assert command == (f"python -m ganlib compare 'digits#test' {CONDITIONAL} --n 60 --networks efficientnet_lite0")
    again = open_page("compare", result=result)
    assert not again.warning
    wrong = open_page("compare", result="gone/away")
    assert "no such comparison is stored here" in wrong.warning[0].value


def test_weights_that_changed_are_said_and_a_damaged_result_hides_no_other(compared, use, tmp_path):
    from helpers.gallery import copy_of

    root = use(copy_of(compared, tmp_path / "gallery"))
    (root / CONDITIONAL / "weights.safetensors").write_bytes(
        (root / CONDITIONAL / "snapshots").glob("*").__next__().read_bytes()
    )
    damaged = root / OTHER / "comparisons" / "half"
    damaged.mkdir(parents=True)
    (damaged / "comparison.json").write_text('{"frames": []')
    at = open_page("compare")
    (warning,) = at.warning
    assert is_one_sentence(warning.value)
    assert "no readable comparison" in warning.value
    assert any("weights that no run has" in caption.value for caption in at.caption)


def test_two_sides_are_compared_in_a_process_and_the_result_opens(own_gallery, no_jobs):
    at = open_page("compare", synthetic=OTHER, real="digits", sections="classifier")
    assert "Nothing has been compared here yet" in "".join(element.proto.body for element in at.get("html"))
    at.select_slider(key="n").set_value(250)
    at = fine(at.run())
    at = fine(start(at).click().run())
    assert [button.label for button in at.button if button.label == "Stop"]
    until_finished()
    at = fine(at.run())
    (folder,) = comparisons(own_gallery / OTHER)
    assert at.query_params["result"] == f"{OTHER}/{folder.name}"
    assert any(message.value.startswith("Compared digits") for message in at.success)
    assert "Classifiers" in [tab.label for tab in at.tabs]


def test_the_sections_of_a_link_are_those_of_the_form(own_gallery, no_jobs):
    at = open_page("compare", synthetic=OTHER, sections=["latents", "classifier"])
    assert not at.warning
    assert set(at.multiselect(key="sections").value) == {"latents", "classifier"}
    at = fine(at.multiselect(key="sections").set_value(["memorisation"]).run())
    assert at.query_params["sections"] == "memorisation"
    (warning,) = open_page("compare", sections="Classifiers").warning
    assert "asks for sections “Classifiers”" in warning.value


def test_a_stopped_comparison_stores_nothing(own_gallery, no_jobs):
    at = open_page("compare", synthetic=OTHER, sections="classifier")
    at = fine(start(at).click().run())
    jobs().latest.stop()
    at = fine(at.run())
    assert "nothing was stored" in at.info[0].value
    assert comparisons(own_gallery / OTHER) == []


def test_what_cannot_be_compared_is_one_sentence(own_gallery, no_jobs):
    at = open_page("compare", synthetic=OTHER, real="digits", real_part="nine-hundred")
    at = fine(start(at).click().run())
    until_finished()
    at = fine(at.run())
    (error,) = at.error
    assert is_one_sentence(error.value)
    assert error.value.startswith("digits has no part 'nine-hundred'; there are train, test, 0, 1")


def test_equal_sides_cannot_be_started(own_gallery, no_jobs):
    at = open_page("compare", synthetic="digits", real="digits")
    assert start(at).disabled
    assert any("Both sides are the same" in caption.value for caption in at.caption)


def test_uploads_are_a_side_of_their_own(own_gallery, no_jobs):
    at = open_page("compare", synthetic=OTHER, real="upload", sections="classifier")
    assert start(at).disabled
    files = [(f"{i}.png", picture(i, (16, 16), "L"), "image/png") for i in range(30)]
    at = fine(at.get("file_uploader")[0].set_value(files).run())
    at = fine(start(at).click().run())
    until_finished()
    at = fine(at.run())
    assert values(at, "error") == []
    (folder,) = comparisons(own_gallery / OTHER)
    assert read_comparison(folder).protocol["real"]["n"] == 30
