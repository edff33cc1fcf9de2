"""Scores: ranking, report, evaluating from the page."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from ganlib.records import read_records
from ganlib.runs import Run
from helpers.browser_page import at_rest, go_to, saved, settled, until
from helpers.gallery import CONDITIONAL, OTHER, UNCONDITIONAL, digits_run


def reason(page: Page, name: str) -> Locator:
    """The row of a run in the table of those that are not ranked."""
    page.get_by_text("not ranked here").click()
    return page.locator("[data-testid=stExpander] [data-testid=stDataFrame] [role=row]").filter(has_text=name)


def test_scores_are_bars_of_one_protocol(tab):
    page = tab("fid")
    expect(page.locator(".js-plotly-plot .barlayer .point")).to_have_count(2)
    labels = page.locator(".st-key-fid_bars .ytick")
    expect(labels).to_have_count(2)
    lower_first = sorted(labels.all(), key=lambda label: label.bounding_box()["y"])
    assert [label.text_content() for label in lower_first] == ["Conditional DCGAN", "SNGAN"]
    expect(reason(page, UNCONDITIONAL)).to_contain_text("Measured under another protocol: ")
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_visible()
    name, content = saved(page, "Table as CSV")
    assert name == "fid.csv"
    assert list(pd.read_csv(io.BytesIO(content)).Run) == [CONDITIONAL, OTHER]


def test_the_report_opens_offline_and_the_table_goes_into_latex(tab, browser, tmp_path):
    page = tab("fid")
    name, content = saved(page, "Report as HTML")
    assert name == "fid.html"
    path = tmp_path / name
    path.write_bytes(content)
    context = browser.new_context(offline=True)
    report = context.new_page()
    asked_for: list[str] = []
    report.on("request", lambda request: asked_for.append(request.url))
    report.goto(path.as_uri())
    expect(report.locator("h1")).to_have_text("FID comparison")
    expect(report.locator(".js-plotly-plot .barlayer .point")).to_have_count(2)
    expect(report.locator("figure")).to_have_count(2)
    expect(report.locator("table").first).to_contain_text(CONDITIONAL)
    expect(report.locator("footer")).to_contain_text("1,000 generated vs 1,437 digits train")
    assert [url for url in asked_for if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()
    name, content = saved(page, "Table as LaTeX")
    assert name == "fid.tex"
    assert rf"{CONDITIONAL} & Conditional DCGAN & 6.5" in content.decode()


@pytest.fixture
def unscored(gallery) -> Iterator[Run]:
    """A run that nobody measured, and the classifier to do so with."""
    judge = digits_run(gallery / "judge", "classifier")
    run = digits_run(gallery / "zz-new")
    yield run
    for made in (judge, run):
        shutil.rmtree(made.path)


def evaluate(page: Page, name: str, count: str) -> Locator:
    """Starts it with the fewest or the most images ("Home", "End"); the sidebar."""
    sidebar = page.locator("[data-testid=stSidebar]")
    field = sidebar.get_by_test_id("stMultiSelect").filter(has_text="Runs to measure")
    picker, chosen = field.get_by_role("combobox"), field.locator("[data-tag]")
    at_rest(page)
    if not picker.is_visible():
        sidebar.get_by_text("Evaluate runs").click()
        expect(picker).to_be_visible()
    for left in reversed(range(chosen.count())):
        picker.press("Backspace")
        expect(chosen).to_have_count(left)
    at_rest(page)
    picker.fill(name)
    page.get_by_role("option", name=name).click()
    expect(chosen).to_have_text([name])
    page.keyboard.press("Escape")
    sidebar.get_by_role("slider").press(count)
    at_rest(page)
    sidebar.get_by_role("button", name="Evaluate", exact=True).click()
    expect(sidebar.get_by_role("button", name="Stop")).to_be_visible()
    return sidebar


def test_a_run_is_evaluated_from_the_page_and_found_there(tab, unscored):
    page = tab("fid")
    sidebar = evaluate(page, "zz-new", "Home")
    go_to(page, "Gallery")  # it goes on while another page is open
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    until(unscored.folder.evaluation.exists)
    go_to(page, "FID comparison")
    expect(sidebar.get_by_text("Measured zz-new.")).to_be_visible()
    (fid,) = (record for record in read_records(unscored.folder.evaluation) if record.metric == "fid")
    assert fid.protocol.n_fake == 1_000
    expect(reason(page, "zz-new")).to_contain_text("Measured under another protocol: ")


def test_a_running_evaluation_can_be_stopped_and_would_go_on_from_there(tab, unscored):
    sidebar = evaluate(tab("fid"), "zz-new", "End")
    until(lambda: list(unscored.path.glob(".features-*")))
    sidebar.get_by_role("button", name="Stop").click()
    expect(sidebar.get_by_text("Evaluated again, it goes on from there.")).to_be_visible()
    expect(sidebar.get_by_role("button", name="Evaluate", exact=True)).to_be_enabled()  # the choice is kept
    assert list(unscored.path.glob(".features-*"))
    assert not unscored.folder.evaluation.exists()


def test_the_table_is_sorted_by_a_click_on_its_head(tab):
    page = tab("fid")
    table = page.locator("[data-testid=stDataFrame]").first
    names = table.locator("table [role=row] [role=gridcell]:first-child")  # what a screen reader finds
    expect(names.first).to_have_text(CONDITIONAL)
    table.evaluate("element => element.scrollIntoView({block: 'center'})")
    head = table.locator(".dvn-scroller")
    for _ in ("rising", "falling"):
        head.click(position={"x": 40, "y": 15})
        settled(page)
    expect(names.first).to_have_text(OTHER)
