"""FID comparison: runs are measured from the page."""

from __future__ import annotations

import pytest

from ganlib.ui.jobs import PERCENT, jobs
from helpers.browser_page import until
from helpers.gallery import (
    CONDITIONAL,
    OTHER,
)
from helpers.streamlit_app import fine, open_page, texts


@pytest.mark.slow
def test_runs_are_evaluated_from_the_page_and_a_failure_is_one_sentence(own_gallery):
    jobs.clear()
    at = open_page("fid")
    (runs,) = (box for box in at.multiselect if box.label == "Runs to measure")
    assert runs.value == []  # all have scores
    (start,) = (button for button in at.button if button.label == "Evaluate")
    assert start.disabled
    at = fine(runs.set_value([OTHER]).run())
    (start,) = (button for button in at.button if button.label == "Evaluate")
    at = fine(start.click().run())
    assert [button.label for button in at.button if button.label == "Stop"]
    until(lambda: not jobs().latest.running)
    at = fine(at.run())
    (error,) = at.error
    assert error.value.startswith("No run is a classifier of digits at 16x16, with which to measure digits-sngan;")
    jobs.clear()


@pytest.mark.slow
def test_of_several_runs_each_failure_is_said_and_the_choice_is_kept(own_gallery):
    jobs.clear()
    at = open_page("fid")
    (runs,) = (box for box in at.multiselect if box.label == "Runs to measure")
    at = fine(runs.set_value([OTHER, CONDITIONAL]).run())
    (start,) = (button for button in at.button if button.label == "Evaluate")
    at = fine(start.click().run())
    until(lambda: not jobs().latest.running)
    at = fine(at.run())
    (error,) = at.error
    assert all(f"with which to measure {name};" in error.value for name in (OTHER, CONDITIONAL))
    assert "Not evaluated" not in error.value
    assert "other runs were measured" not in texts(at)
    (runs,) = (box for box in at.multiselect if box.label == "Runs to measure")
    assert runs.value == [OTHER, CONDITIONAL]
    jobs.clear()


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("gan  generated  8,000 of 10,000   80%", "80"),
        ("gan  walked  64 of 5,000    1%  0:30 left", "1"),
        ("gan  class agreement (embedded, n=5,000) 99.4% ± 0.5%", None),
    ],
)
def test_results_in_percent_are_no_progress(line, percent):
    found = PERCENT.search(line)
    assert (found and found[1]) == percent


def test_a_run_without_a_score_is_what_is_offered_to_measure(own_gallery):
    (own_gallery / OTHER / "evaluation.json").unlink()
    (runs,) = (box for box in open_page("fid").multiselect if box.label == "Runs to measure")
    assert runs.value == [OTHER]
