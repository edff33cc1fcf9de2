"""Parts of a side have the classes of the whole, however they lie."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.twosample.context import part_of


@pytest.mark.parametrize(("n", "limit"), [(10_000, 5_000), (10_000, 2_000), (4_000, 2_000), (1_000, 300)])
def test_a_part_has_all_classes_whether_they_take_turns_or_lie_one_after_the_other(n, limit):
    rows = part_of(n, limit)
    assert len(set(rows.tolist())) == limit
    deviation = (limit * 0.1 * 0.9 * (1 - limit / n)) ** 0.5  # of a class, by the hypergeometric distribution
    for labels in (np.arange(n) % 10, np.arange(n) * 10 // n):
        assert np.abs(np.bincount(labels[rows], minlength=10) - limit / 10).max() <= 3.5 * deviation


def test_a_side_within_the_limit_is_taken_whole():
    assert part_of(5, 5).tolist() == part_of(5, None).tolist() == [0, 1, 2, 3, 4]
