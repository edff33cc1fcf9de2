"""A defence clicks through all experiments, offline, and takes one home as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from ganlib.experiments import read_experiments
from ganlib.settings import EXPERIMENTS
from helpers.browser_page import settled


def test_all_experiments_are_clicked_through(tab):
    experiments, _ = read_experiments(EXPERIMENTS)
    page = tab("experiments")
    page.get_by_role("link", name=experiments[0].title).click()
    for number, experiment in enumerate(experiments, 1):
        expect(page.get_by_text(f"{number} of {len(experiments)}", exact=True)).to_be_visible()
        expect(page.get_by_role("heading", name=experiment.title, exact=True)).to_be_visible()
        settled(page)
        if number < len(experiments):
            page.get_by_role("link", name="Next").click()
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_role("heading", name=experiments[-2].title, exact=True)).to_be_visible()
    page.get_by_role("link", name="All experiments").click()
    expect(page.get_by_role("link", name=experiments[0].title)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_an_opened_experiment(scheme, tab):
    page = tab("experiments?experiment=stylegan2-ada-200", scheme=scheme)
    violations = Axe().run(page).response["violations"]
    serious = {v["id"]: v["nodes"][0]["html"] for v in violations if v["impact"] in ("serious", "critical")}
    assert serious == {}


def test_the_report_of_an_experiment_is_a_file(tab):
    page = tab("experiments?experiment=stylegan2-ada-200")
    with page.expect_download() as download:
        page.get_by_role("button", name="Report as HTML").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert "What one may not" in text
    assert "https://cdn" not in text


def test_experiments_are_presented_one_after_the_other(tab):
    experiments, _ = read_experiments(EXPERIMENTS)
    page = tab("experiments")
    page.get_by_role("link", name=f"Present {len(experiments)} experiments").click()
    expect(page.get_by_text(f"1 of {len(experiments)}")).to_be_visible()
    page.keyboard.press("PageDown")
    expect(page.get_by_role("heading", name=experiments[1].title, exact=True)).to_be_visible()
