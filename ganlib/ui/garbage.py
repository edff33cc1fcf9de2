"""Full collections of garbage, of which Streamlit makes one after every run of a page, leave out what stays.

With the networks of fifty runs in memory one takes 45 ms, twice as long as the page's own code; without what has
survived one, half a millisecond. The interpreter's lock is held meanwhile, so that every session waits. Once a minute
one looks at everything, and what is free goes back to the system: glibc keeps, for each of many threads, what tensors
of changing sizes leave between them, some 300 MB in five minutes of twelve sessions.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from contextlib import suppress
from threading import Thread
from typing import Any

LONG = 0.002  # seconds of a collection, after which its survivors are left out of the next ones
COMPLETE = 60.0  # seconds between collections that look at everything


class _Survivors:
    """A callback of the collector. What dies by its reference count is freed at once all the same; of the rest that was
    left out, cycles that nothing refers to any more wait for the next complete collection.
    """

    def __init__(self) -> None:
        self._start = 0.0

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        if info["generation"] != 2:
            return
        if phase == "start":
            self._start = time.thread_time()
        elif time.thread_time() - self._start > LONG:
            gc.freeze()


def leave_out_survivors() -> None:
    """From now on, in this process; what is imported by now at once."""
    if not any(isinstance(callback, _Survivors) for callback in gc.callbacks):
        gc.callbacks.append(_Survivors())
        gc.freeze()
        Thread(target=_collect_every_minute, name="garbage", daemon=True).start()


def _collect_every_minute() -> None:
    while True:
        time.sleep(COMPLETE)
        collect_everything()


def collect_everything() -> None:
    """Also what was left out; free memory goes back to the system, where the allocator is glibc's."""
    gc.unfreeze()
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL("libc.so.6").malloc_trim(0)
