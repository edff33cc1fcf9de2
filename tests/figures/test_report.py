"""Reports: what a file holds, and that it needs nothing else."""

from __future__ import annotations

import re

import pandas as pd
import plotly.graph_objects as go

from ganlib.figures.report import Report, latex

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


def test_a_table_for_latex_is_escaped_and_aligned() -> None:
    assert latex(TABLE) == (
        "\\begin{tabular}{lrr}\n\\toprule\n"
        "Run & FID$\\infty$ & Images \\\\\n\\midrule\n"
        "a\\_b \\& c & 1.235 & 12000 \\\\\n"
        "d\\% & -- & 5 \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )
