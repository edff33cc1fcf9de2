"""Sessions that ask for the same at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ganlib.ui.shared_cache import shared_cache


def test_one_computes_and_the_others_wait():
    calls = []

    @shared_cache(maxsize=2)
    def slow(key: str) -> list[str]:
        calls.append(key)
        time.sleep(0.2)
        return [key]

    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(slow, "aaaaaaaa"))
    assert calls == ["a"]
    assert len({id(value) for value in values}) == 1
    assert [slow(key) for key in "bca"] == [["b"], ["c"], ["a"]]
    assert calls == ["a", "b", "c", "a"]  # no more than two are kept


def test_it_may_ask_itself_and_an_error_is_not_kept():
    @shared_cache(maxsize=8)
    def factorial(n: int) -> int:
        if n < 0:
            raise ValueError(n)
        return n * factorial(n - 1) if n else 1

    assert factorial(5) == 120
    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            factorial(-1)
