"""Models in memory: bounded in bytes, loaded once, found again while somebody holds them."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from ganlib.errors import GanlibError
from ganlib.models import Trainable
from ganlib.ui.model_cache import ModelCache
from helpers.tiny_models import build

SIZE = sum(tensor.nbytes for tensor in build("cdcgan").state_dict().values())


class Loader:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Trainable:
        self.calls += 1
        return build("cdcgan")


def test_the_least_recently_used_goes_where_the_bytes_do_not_suffice():
    cache, loaders = ModelCache(lambda: 2 * SIZE), {key: Loader() for key in "abc"}
    for key in "abacabc":
        cache.get(key, loaders[key])
        gc.collect()
        assert cache.size <= 2 * SIZE
    assert {key: loader.calls for key, loader in loaders.items()} == {"a": 1, "b": 2, "c": 2}
    assert [key in cache for key in "abc"] == [False, True, True]


def test_one_that_is_larger_than_all_room_stays_until_the_next():
    cache = ModelCache(lambda: 0)
    cache.get("a", Loader())
    assert "a" in cache
    cache.get("b", Loader())
    gc.collect()
    assert ("a" in cache, "b" in cache, cache.size) == (False, True, SIZE)


def test_one_that_a_session_still_holds_is_not_loaded_twice():
    cache, load = ModelCache(lambda: 0), Loader()
    held = cache.get("a", load)
    cache.get("b", Loader())
    assert cache.get("a", load) is held
    assert load.calls == 1


def test_sessions_that_ask_at_the_same_time_wait_for_one_loading():
    cache, started, go_on = ModelCache(lambda: 10 * SIZE), Event(), Event()
    calls = []

    def load() -> Trainable:
        calls.append(1)
        started.set()
        assert go_on.wait(30)
        return build("cdcgan")

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(cache.get, "a", load) for _ in range(8)]
        assert started.wait(30)
        cache.get("b", Loader())  # does not wait for the other
        go_on.set()
        models = {id(future.result(30)) for future in waiting}
    assert (len(models), len(calls)) == (1, 1)


def test_what_cannot_be_loaded_is_tried_again():
    cache = ModelCache(lambda: SIZE)

    def fail() -> Trainable:
        raise GanlibError("It is damaged.")

    for _ in range(2):
        with pytest.raises(GanlibError, match="damaged"):
            cache.get("a", fail)
    assert cache.get("a", Loader()) is cache.get("a", fail)


def test_the_limit_is_a_setting(monkeypatch):
    monkeypatch.setenv("GANLIB_MODEL_MEMORY", "0")
    cache = ModelCache()
    for key in "ab":
        cache.get(key, Loader())
    assert cache.size == SIZE
    monkeypatch.setenv("GANLIB_MODEL_MEMORY", "much")
    with pytest.raises(GanlibError, match="GANLIB_MODEL_MEMORY must be a number of megabytes, not 'much'"):
        cache.get("c", Loader())
