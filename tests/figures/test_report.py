"""Reports: what a file holds, and that it needs nothing else."""

from __future__ import annotations

import re

import pandas as pd
import plotly.graph_objects as go
import pytest

from ganlib.figures.report import Report, latex
from ganlib.ui.downloads import to_csv

TABLE = pd.DataFrame({"Run": ["a_b & c", "d%"], "FID∞": [1.23456, float("nan")], "Images": [12000, 5]})


def test_a_page_holds_figures_tables_and_text_and_plotlys_script_once() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))
    report = Report("Runs <1>")
    report.add(figure, "One", alt='up & "away"')
    report.add(figure, "Two")
    report.add(TABLE, "Three")
    page = report.html("by us & you")
    assert "<h1>Runs &lt;1&gt;</h1>" in page
    assert page.count("<figure") == 2
    assert 'aria-label="up &amp; &quot;away&quot;"' in page
    assert page.count("plotly.js v") == 1
    assert '<td class="number">1.235</td><td class="number">12,000</td>' in page
    assert '<td class="number">–</td>' in page
    assert '<th class="text">Run</th>' in page
    assert "a_b &amp; c" in page
    assert "by us &amp; you" in page
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="http', page)


def test_a_figure_may_be_made_when_the_file_is_written() -> None:
    calls = []
    report = Report("Later")
    report.add(lambda: calls.append(1) or go.Figure(go.Bar(x=[1], y=[2])), alt="bars")
    assert not calls
    assert 'aria-label="bars"' in report.html()
    assert calls == [1]


def test_a_table_for_latex_is_escaped_and_aligned() -> None:
    assert latex(TABLE) == (
        "\\begin{tabular}{lrr}\n\\toprule\n"
        "Run & FID$\\infty$ & Images \\\\\n\\midrule\n"
        "a\\_b \\& c & 1.235 & 12000 \\\\\n"
        "d\\% & -- & 5 \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )


@pytest.mark.parametrize(
    ("value", "text"), [(1.5, "1.500"), (20.0, "20.00"), (0.25, "0.2500"), (999.96, "1000"), (12345.6, "12346")]
)
def test_numbers_for_latex_have_four_digits_with_the_zeros_at_the_end(value: float, text: str) -> None:
    assert f" {text} " in latex(pd.DataFrame({"Run": ["a"], "FID": [value]}))


def test_a_spreadsheet_has_six_digits() -> None:
    table = pd.DataFrame({"FID": [2.4600000000000004, 12345.678]})
    assert to_csv(table) == b"FID\n2.46\n12345.7\n"
