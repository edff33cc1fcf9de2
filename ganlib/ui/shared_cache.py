"""What all sessions read alike: computed by the first that asks, while the others wait for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import RLock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def shared_cache(maxsize: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """``lru_cache`` in which no value is computed twice at the same time, as fifty sessions that open at once would."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        cached, lock = lru_cache(maxsize)(function), RLock()

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            with lock:
                return cached(*args, **kwargs)  # type: ignore[arg-type]  # lru_cache wants what can be hashed

        return wrapper

    return decorate
