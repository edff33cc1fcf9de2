"""Full collections of garbage, of which Streamlit makes one after every run of a page, leave out what stays.

With the networks of fifty runs in memory one takes 45 ms, twice as long as the page's own code; without what has
survived one, half a millisecond. The interpreter's lock is held meanwhile, so that every session waits.
"""

from __future__ import annotations

import gc
import time
from typing import Any

LONG = 0.002  # seconds of a collection, after which its survivors are left out of the next ones
COMPLETE = 600.0  # seconds after which one looks at everything again


class _Survivors:
    """A callback of the collector. What dies by its reference count is freed at once all the same; of the rest that was
    left out, cycles that nothing refers to any more wait for the next complete collection.
    """

    def __init__(self) -> None:
        self._start, self._complete = 0.0, time.monotonic()

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        if info["generation"] != 2:
            return
        if phase == "start":
            self._start = time.thread_time()
            return
        if time.thread_time() - self._start > LONG:
            gc.freeze()
        if time.monotonic() - self._complete > COMPLETE:
            self._complete = time.monotonic()
            gc.unfreeze()


def leave_out_survivors() -> None:
    """From now on, in this process; what is imported by now at once."""
    if not any(isinstance(callback, _Survivors) for callback in gc.callbacks):
        gc.callbacks.append(_Survivors())
        gc.freeze()
