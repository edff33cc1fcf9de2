"""Human error rates as bars: our own above those of other tests, which are not ranked."""

from __future__ import annotations

import pandas as pd

from ganlib.figures import human_error_bars


def test_our_rate_stands_first_and_published_ones_keep_their_order():
    rows = [("ours", 0.2, "this test"), ("b", 0.1, "B"), ("a", 0.4, "A"), ("c", 0.3, "C")]
    figure = human_error_bars(pd.DataFrame(rows, columns=["model", "human_error", "source"]), 0.15, 0.3)
    (bars,) = figure.data
    assert list(bars.y) == ["ours", "b", "a", "c"]
    assert figure.layout.yaxis.autorange == "reversed"  # the first on top
    assert [round(x, 6) for x in bars.error_x.array] == [10, 0, 0, 0]
    assert [round(x, 6) for x in bars.error_x.arrayminus] == [5, 0, 0, 0]
    assert len({*bars.marker.color[1:]}) == 1 != len({*bars.marker.color})
