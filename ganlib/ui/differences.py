"""The recipes of runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ganlib.logs import RECIPE, differing
from ganlib.ui.catalog import all_recipes, runs
from ganlib.ui.links import check_link_list, linked_multiselect
from ganlib.ui.names import chart_labels
from ganlib.ui.report import PageReport

DEFAULT_RUNS = 3


def pick_side_by_side(names: list[str]) -> list[str]:
    """Runs to compare side by side."""
    check_link_list("side", names)
    own = chart_labels(runs(lambda run: run.name in names))
    return linked_multiselect(
        "Runs side by side", {name: own.get(name, name) for name in names}, names[:DEFAULT_RUNS], key="side"
    )


def draw_differences(report: PageReport, names: Sequence[str]) -> None:
    """The recipes of runs side by side, and only what differs; nothing for fewer than two."""
    table = all_recipes()
    selected = [name for name in names if name in table.index]
    if len(selected) < 2:
        return
    relevant = [key for key in table.columns if key.split(".")[0] in RECIPE]
    differences = differing(table.loc[selected, relevant]).T
    if differences.empty:
        st.caption("The recipes of these runs are the same but for when and with which versions they were trained.")
        return
    # Text, for a column may hold numbers and words; a key that a run lacks is blank.
    cells = differences.map(lambda value: "" if pd.isna(value) else str(value)).rename_axis(columns=None)
    cells.insert(0, "setting", cells.index)
    alt = f"Table of the settings in which {', '.join(selected)} differ."
    report.table(cells, heading="Configuration differences", alt=alt)
