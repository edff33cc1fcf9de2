"""Real or generated?: a test from the first image to the saved score, alone and among several people."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ganlib.records import read_records
from ganlib.runs import Run
from ganlib.ui import guessing
from helpers.gallery import CONDITIONAL, copy_of
from helpers.streamlit_app import fine, open_page


@pytest.fixture(autouse=True)
def nobody(gallery):
    guessing._deal.clear()


def answer(at: AppTest, generated: bool) -> AppTest:
    return fine(at.button(key=f"answer_{generated}").click().run())


def play(at: AppTest, n: int, generated: bool = True) -> AppTest:
    for _ in range(n):
        at = answer(at, generated)
    return fine(at.run())


def texts(at: AppTest) -> str:
    return " ".join(str(element.value) for kind in ("subheader", "markdown", "caption") for element in at.get(kind))


def test_half_of_the_answers_of_one_who_always_says_generated_are_wrong(use, shared, tmp_path):
    root = use(copy_of(shared, tmp_path / "gallery"))
    at = open_page("guessing", run=CONDITIONAL, n="10")
    assert at.get("progress")
    at = play(at, 10)
    assert at.subheader[0].value == "You were wrong about 5 of 10 images, 50%."
    assert "1 person" in texts(at)
    assert "Wilson" in texts(at)
    at = fine(at.button(key="save").click().run())
    assert f"Saved as a score of {CONDITIONAL}" in texts(at)
    record = read_records(Run(root / CONDITIONAL).folder.evaluation)[-1]
    assert (record.metric, record.value) == ("human_error", 0.5)


def test_a_score_that_cannot_be_saved_is_a_sentence(use, shared, tmp_path):
    root = use(copy_of(shared, tmp_path / "gallery"))
    at = play(open_page("guessing", run=CONDITIONAL, n="10"), 10)
    Run(root / CONDITIONAL).folder.evaluation.write_text("[]")
    at = at.button(key="save").click().run()
    assert "it holds no list of records" in at.error[0].value
    assert at.button(key="save")


def test_several_people_of_one_link_are_counted_together():
    first = play(open_page("guessing", run=CONDITIONAL, n="10"), 10)
    assert "1 person" in texts(first)
    second = open_page("guessing", run=CONDITIONAL, n="10")
    second = answer(second, False)
    assert "1 person, 1 still judging" in texts(fine(first.run()))
    second = play(second, 9, generated=False)
    assert "2 people" in texts(second)
    assert "Wilson" in texts(second)  # both were wrong as often: people do not scatter


def test_another_test_has_other_images_and_the_same_number_the_same():
    images = [open_page("guessing", run=CONDITIONAL, n="10", test=t).get("html")[0].value for t in "012"]
    assert len(set(images)) == 3
    again = open_page("guessing", run=CONDITIONAL, n="10", test="1").get("html")[0].value
    assert again == images[1]


@pytest.mark.parametrize("number", ["5000000000", str(2**32), "one", "-1"])
def test_a_test_that_does_not_exist_is_a_sentence(number):
    at = open_page("guessing", run=CONDITIONAL, n="10", test=number)
    (warning,) = at.warning
    assert "asks for test" in warning.value
    assert "it goes from 0 to 4,294,967,295" in warning.value
    assert (
        open_page("guessing", run=CONDITIONAL, n="10", test=str(2**32 - 1)).number_input(key="test").value == 2**32 - 1
    )


def test_a_run_whose_data_are_elsewhere_is_a_sentence(use, shared, tmp_path, monkeypatch):
    root = use(copy_of(shared, tmp_path / "gallery"))
    config = root / CONDITIONAL / "config.json"
    config.write_text(config.read_text().replace('"digits"', '"cifar10-jpeg"'))
    monkeypatch.setenv("GANLIB_DATA", str(tmp_path / "nowhere"))
    at = open_page("guessing", run=CONDITIONAL)
    assert not at.error
    assert "cifar10" in at.info[0].value
