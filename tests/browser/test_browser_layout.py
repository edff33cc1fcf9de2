"""Nothing of a page's content jumps while it loads: the cumulative layout shift as web-vitals defines it."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.page_loading import OBSERVE_SHIFTS
from ganlib.ui.navigation import PAGES
from helpers.browser_page import at_rest

GROWING = {"interpolation", "directions"}  # whose rows of controls grow while Streamlit loads the code of sliders


LIMIT = 0.1  # of a good page
LOADS = 3  # of which the median counts: web-vitals, too, judges a page by many loads, not by the unluckiest


@pytest.mark.parametrize("name", [page for page in PAGES if page not in GROWING])
def test_nothing_of_the_content_jumps_while_a_page_loads(name, contexts, tab):
    contexts["light"].add_init_script(OBSERVE_SHIFTS)
    path = {"home": "", "inversion": "inversion?steps=2"}.get(name, name)
    shifts: list[float] = []
    for _ in range(LOADS):
        page = at_rest(tab(path))
        shifts.append(page.evaluate("contentShift()"))
        if shifts[0] < LIMIT:  # as nearly always
            return
    assert statistics.median(shifts) < LIMIT, page.evaluate("JSON.stringify(shifts)")
