"""A table of names that refuses duplicates and explains misses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ganlib.errors import GanlibError, shortened
from ganlib.naming import nearest_names

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps names to entries: ``@REGISTRY.register("name")``, ``REGISTRY["name"]``, iteration by name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        def add(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is already registered")
            self._entries[name] = entry
            return entry

        return add

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            close = nearest_names(name[:80], self._entries) or sorted(self._entries)
            raise GanlibError(f"There is no {self.kind} {shortened(name)}; try {', '.join(close)}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))
