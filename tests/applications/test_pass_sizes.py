"""A pass is as large as more images make each cheaper."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ganlib.applications.pass_sizes import REPEATED, PassSizes

SIZES = (4, 16, 64)


def measured(seconds: Callable[[int], float], sizes: tuple[int, ...] = SIZES) -> PassSizes:
    result = PassSizes(64)
    for noise in (3.0, 1.0, 1.2):  # of other work
        for size in sizes:
            result.add("group", size, noise * seconds(size))
    return result


@pytest.mark.parametrize(
    ("seconds", "limit"),
    [
        (lambda n: 0.003 * n, 4),  # each image costs the same
        (lambda n: 0.01 + 0.0001 * n, 64),  # the pass costs, not the image
        (lambda n: 0.005 + 0.003 * n, 16),
        (lambda n: 0.002 * n * (1.5 if n > 16 else 1), 4),  # a large pass leaves the cache
    ],
)
def test_the_smallest_size_that_no_larger_one_beats(seconds: Callable[[int], float], limit: int) -> None:
    assert measured(seconds).limit("group") == limit


def test_without_a_larger_pass_to_compare_with_there_is_no_limit() -> None:
    sizes = measured(lambda n: 0.003 * n, (16,))
    assert (sizes.limit("group"), sizes.limit("another")) == (64, 64)
    sizes.add("group", 64, 64 * 0.003)
    assert sizes.limit("group") == 64  # once is not enough


def test_a_large_pass_is_tried_again_now_and_then() -> None:
    sizes = measured(lambda n: 0.003 * n)
    assert {sizes.limit("group") for _ in range(REPEATED)} == {4, 64}


def test_fewer_images_than_a_batch_count_as_a_batch() -> None:
    sizes = measured(lambda n: 0.003 * max(n, 4), (1, 64))
    assert sizes.limit("group") == 4
