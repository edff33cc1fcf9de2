"""Nothing of a page's content jumps while it loads: the cumulative layout shift as web-vitals defines it."""

from __future__ import annotations

import pytest

from benchmarks.page_loading import OBSERVE_SHIFTS
from ganlib.ui.navigation import PAGES
from helpers.browser_page import at_rest

LIMIT = 0.1  # of a good page


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_the_content_jumps_while_a_page_loads(name, contexts, tab):
    contexts["light"].add_init_script(OBSERVE_SHIFTS)
    page = at_rest(tab("" if name == "home" else name))
    assert page.evaluate("contentShift()") < LIMIT, page.evaluate("JSON.stringify(shifts)")
