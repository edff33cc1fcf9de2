"""A stored comparison on the page: one sentence, four numbers, four figures; the details by section; files."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from ganlib.config import flags
from ganlib.errors import GanlibError
from ganlib.figures.comparison import (
    PICTURES,
    SECTIONS,
    Chart,
    comparison_charts,
    of_latents,
    readable_components,
    readable_tests,
)
from ganlib.twosample.config import ComparisonConfig
from ganlib.twosample.result import Comparison
from ganlib.twosample.verdict import best_classifier
from ganlib.ui import markup
from ganlib.ui.downloads import DownloadFile, draw_files, to_csv, to_latex
from ganlib.ui.links import draw_link
from ganlib.ui.markup import plain
from ganlib.ui.two_sample_form import LABELS
from ganlib.ui.two_sample_results import RESULT, Stored, is_outdated

LEADING = 4  # figures above the sections
LEAD_HEIGHT = 370
PROTOCOL = "Protocol"


def draw_lead(comparison: Comparison, stored: Stored) -> list[Chart]:
    """The sentence, the numbers and the first figures; the other ones are returned."""
    st.html(markup.lead(str(comparison.facts.get("verdict", "")), testid="verdict"))
    st.html(markup.numbers(key_numbers(comparison)))
    for sentence in comparison.giveaways:
        st.caption(f":material/info: {plain(sentence)}")
    if is_outdated(stored):
        st.caption(f":material/history: {plain('Measured of weights that no run has any more: compare again.')}")
    charts = comparison_charts(comparison.frames, comparison.facts)
    for left in range(0, min(len(charts), LEADING), 2):
        for column, chart in zip(st.columns(2, gap="medium"), charts[left : left + 2], strict=False):
            with column:
                _draw_chart(chart, height=LEAD_HEIGHT)
    return charts[LEADING:]


def key_numbers(comparison: Comparison) -> list[tuple[str, str, str]]:
    """(value, what it is, explanation) of the best classifier, its power, the components, the copies."""
    return [*_auc_numbers(comparison), _components_number(comparison), _copies_number(comparison)]


def _auc_numbers(comparison: Comparison) -> list[tuple[str, str, str]]:
    chosen = best_classifier(comparison)
    if chosen is None:
        untrained = "No classifier was trained to tell them apart."
        return [("–", "AUC", untrained), ("–", "images suffice", untrained)]
    best = chosen.test
    name = f"{best['test']}, {best['subject']}"
    auc = (f"{best['value']:.3f}", "AUC of the best classifier", f"{name}, on held-out images; 0.5 is guessing.")
    if chosen.differs and pd.notna(best["sufficient"]):
        help = f"So many {chosen.units} tell the sides apart in 95 of 100 cases."
        return [auc, (f"{int(best['sufficient']):,}", f"{chosen.units} a side suffice", help)]
    return [auc, (f"{chosen.detectable:.3f}", "AUC would have shown", "With as many images, in 95 of 100 cases.")]


def _components_number(comparison: Comparison) -> tuple[str, str, str]:
    frame = comparison.frames.get("components", pd.DataFrame({"comparison": []}))
    rows = frame[frame["comparison"] == "between"]
    if rows.empty:
        return "–", "components differ", "No features were tested."
    first = rows.iloc[0]
    help = f"t-test of {first['components']:,} components of {first['network']}; {first['t']:.1%} without correction."
    return f"{first['t_controlled']:.1%}", "components differ (BY)", help


def _copies_number(comparison: Comparison) -> tuple[str, str, str]:
    copies = comparison.facts.get("memorisation")
    if not copies:
        return "–", "copies", "Copies of training images were not looked for."
    subject, most = max(copies.items(), key=lambda item: item[1]["copies"])
    help = f"Among {most['training_images']:,} training images, in {subject}; {most['fewest']:,} would have shown."
    return f"{most['copies']:,} of {most['n']:,}", "are copies", help


def draw_sections(comparison: Comparison, charts: Sequence[Chart]) -> None:
    """A tab for each section that was measured, and the protocol."""
    measured = [name for name in SECTIONS if _has_content(comparison, name, charts)]
    tabs = st.tabs([*(LABELS[name] for name in measured), PROTOCOL])
    for name, tab in zip(measured, tabs, strict=False):
        with tab:
            _draw_section(comparison, name, [chart for chart in charts if chart.section == name])
    with tabs[-1]:
        _draw_protocol(comparison)


def _has_content(comparison: Comparison, name: str, charts: Sequence[Chart]) -> bool:
    tests = bool((comparison.tests["section"] == name).any())
    return tests or any(chart.section == name for chart in charts) or _components(comparison, name) is not None


def _draw_section(comparison: Comparison, name: str, charts: Sequence[Chart]) -> None:
    tests = comparison.tests[comparison.tests["section"] == name]
    if len(tests):
        small = st.column_config.NumberColumn(format="%.3g")
        alt = f"Tests: {LABELS[name]}"
        st.dataframe(
            readable_tests(tests), hide_index=True, placeholder="–", column_config={"p": small, "value": small}, alt=alt
        )
    components = _components(comparison, name)
    if components is not None:
        st.caption("Components whose equality is rejected at 5 %; BY: false discoveries controlled.")
        st.dataframe(
            readable_components(components), hide_index=True, placeholder="–", alt="Components rejected, in percent"
        )
    for left in range(0, len(charts), 2):
        for column, chart in zip(st.columns(2, gap="medium"), charts[left : left + 2], strict=False):
            with column:
                _draw_chart(chart)
    if name == "latents" and "density" in comparison.frames:
        st.caption("Along the principal axes of the codes: share and number of points between -1.5 and 1.5.")
        st.dataframe(comparison.frames["density"], hide_index=True, placeholder="–", alt="Density of the codes")
    _draw_pictures(comparison, SECTIONS[name])


def _components(comparison: Comparison, name: str) -> pd.DataFrame | None:
    """Rows of the component tests that belong to a section."""
    frame = comparison.frames.get("components")
    if frame is None or name not in ("features", "latents"):
        return None
    rows = frame[of_latents(frame) == (name == "latents")]
    return rows if len(rows) else None


def _draw_pictures(comparison: Comparison, names: Sequence[str]) -> None:
    shown = [name for name in names if name in comparison.pictures]
    for left in range(0, len(shown), 2):
        for column, name in zip(st.columns(2, gap="medium"), shown[left : left + 2], strict=False):
            with column:
                st.caption(plain(PICTURES[name]))
                st.html(markup.picture(comparison.pictures[name], PICTURES[name]))


def _draw_chart(chart: Chart, height: int | None = None) -> None:
    st.markdown(f"**{plain(chart.heading)}**")
    figure = chart.figure.update_layout(height=height) if height else chart.figure
    st.plotly_chart(figure, alt=chart.alt, key=f"chart_{chart.heading}", config={"displayModeBar": False})


def _draw_protocol(comparison: Comparison) -> None:
    for sentence in comparison.warnings:
        st.warning(plain(sentence))
    protocol = comparison.protocol
    sides = [{"side": side} | _flat(protocol[side]) for side in ("real", "synthetic")]
    st.dataframe(pd.DataFrame(sides), hide_index=True, placeholder="–", alt="The two sides")
    seconds = {"section": list(comparison.seconds), "seconds": [round(s, 1) for s in comparison.seconds.values()]}
    st.dataframe(
        pd.DataFrame(seconds), hide_index=True, placeholder="–", alt="Seconds of each section", width="content"
    )
    st.json({**protocol, "provenance": comparison.provenance}, expanded=False)


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}


def draw_downloads(comparison: Comparison, stored: Stored) -> None:
    """The report as it was written, tables as CSV and LaTeX."""
    name, report = stored.folder.name, stored.folder / "report.html"
    files: list[DownloadFile] = []
    if report.is_file():
        files.append(("Report as HTML", report.read_bytes, f"{name}.html", "text/html", "description"))
    for frame, title, readable in (
        ("tests", "Tests", readable_tests),
        ("components", "Components", readable_components),
    ):
        if frame in comparison.frames:
            table = readable(comparison.frames[frame])
            csv, tex = partial(to_csv, table), partial(to_latex, table)
            files.append((f"{title} as CSV", csv, f"{name}-{frame}.csv", "text/csv", "download"))
            files.append((f"{title} as LaTeX", tex, f"{name}-{frame}.tex", "text/x-tex", "function"))
    draw_files(files)


def draw_permalink(comparison: Comparison, name: str) -> None:
    draw_link({RESULT: name}, repeat_command(comparison), opens="this comparison")


def repeat_command(comparison: Comparison) -> str | None:
    """The line that repeats it; None where its config is of another version."""
    protocol = comparison.protocol
    try:
        config = ComparisonConfig.from_dict(protocol["config"])
    except (GanlibError, KeyError, TypeError):
        return None
    sides = [protocol[side].get("run") or Path(protocol[side]["name"]).name for side in ("real", "synthetic")]
    words = ["python", "-m", "ganlib", "compare", *sides, *flags(config)]
    for side in ("real", "synthetic"):
        options = [f"{key}={value}" for key, value in protocol[side].get("options", {}).items()]
        words += [f"--{side}-option", *options] if options else []
    return shlex.join(words)


def draw_preview() -> None:
    """Before the first comparison: what will be tested."""
    sentence = "Nothing has been compared here yet: choose two sides on the left."
    st.html(markup.lead(sentence, testid="verdict"))
    rows = [(label, ABOUT[name]) for name, label in LABELS.items()]
    st.dataframe(
        pd.DataFrame(rows, columns=["Section", "Question"]), hide_index=True, placeholder="–", alt="What is tested"
    )


ABOUT = {
    "classifier": "Can a classifier tell the sides apart, and with how many images?",
    "features": "Which features of ImageNet's networks differ between the sides?",
    "memorisation": "Are synthetic images copies of those that the model was trained on?",
    "latents": "Do the codes of a model that encodes differ, and does moving their mean help?",
    "training": "Does a classifier that was trained on synthetic images do well on real ones?",
}
