"""Real vs synthetic: a comparison is started, followed, and opens; its files are saved; its link opens it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from ganlib.runs import Run
from ganlib.twosample.result import comparisons
from helpers.browser_page import asked, at_rest, saved, until
from helpers.gallery import CONDITIONAL

MINUTES = 5  # three networks' weights are read, on a machine that may be busy


@pytest.fixture
def run(gallery) -> Iterator[Run]:
    run = Run(gallery / CONDITIONAL)
    evaluation = run.folder.evaluation.read_bytes()
    yield run
    for folder in comparisons(run.path):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    run.folder.evaluation.write_bytes(evaluation)


def test_two_sides_are_compared_and_the_result_is_shared(tab, run):
    page = tab(f"compare?synthetic={CONDITIONAL}&real=digits&sections=classifier")
    sidebar = page.locator("[data-testid=stSidebar]")
    expect(page.get_by_test_id("verdict")).to_contain_text("Nothing has been compared here yet")
    at_rest(page)
    sidebar.get_by_role("slider").press("Home")  # the fewest images
    at_rest(page)
    sidebar.get_by_role("button", name="Compare", exact=True).click()
    expect(sidebar.get_by_role("button", name="Stop")).to_be_visible()
    until(lambda: comparisons(run.path), 60 * MINUTES)
    expect(page.get_by_test_id("verdict")).to_contain_text("told apart", timeout=60_000 * MINUTES)
    at_rest(page)
    (folder,) = comparisons(run.path)
    assert asked(page)["result"] == [f"{CONDITIONAL}/{folder.name}"]
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    name, report = saved(page, "Report as HTML")
    assert name == f"{folder.name}.html"
    assert b"told apart" in report
    _, tests = saved(page, "Tests as CSV")
    assert tests.startswith(b"test,on,measure,value")
    shared = tab(f"compare?result={CONDITIONAL}/{folder.name}")
    expect(shared.get_by_test_id("verdict")).to_contain_text("told apart")
    shared.get_by_role("tab", name="Protocol").click()
    expect(shared.get_by_role("tabpanel", name="Protocol")).to_be_visible()
