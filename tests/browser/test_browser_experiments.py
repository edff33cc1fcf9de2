"""A defence clicks through all experiments, offline, and takes one home as a file."""

from __future__ import annotations

import re
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


def test_a_link_within_the_page_has_an_address_that_can_be_reloaded_and_left(tab):
    experiments, _ = read_experiments(EXPERIMENTS)
    first, second = experiments[:2]
    page = tab("experiments", fresh=True)
    page.get_by_role("link", name=first.title).click()
    expect(page).to_have_url(re.compile(f"experiment={first.name}$"))
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(f"experiment={second.name}$"))
    expect(page.get_by_role("heading", name=second.title, exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=second.title, exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name=first.title, exact=True)).to_be_visible()
    page.get_by_role("link", name="All experiments").click()
    expect(page).to_have_url(re.compile("experiments$"))
    expect(page.get_by_role("link", name=second.title)).to_be_visible()


def test_experiments_are_presented_one_after_the_other(tab):
    experiments, _ = read_experiments(EXPERIMENTS)
    page = tab("experiments")
    page.get_by_role("link", name=f"Present {len(experiments)} experiments").click()
    expect(page.get_by_text(f"1 of {len(experiments)}")).to_be_visible()
    page.keyboard.press("PageDown")
    expect(page.get_by_role("heading", name=experiments[1].title, exact=True)).to_be_visible()
