"""Several data sets as one: the set that an image is from, its domain, is its class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ganlib.data.sets import (
    DATA_SETS,
    SPLITS,
    Contents,
    DataRequest,
    Item,
    Source,
    SplitName,
    check_name,
    display_name,
    register_data_set,
    select_items,
)
from ganlib.errors import GanlibError

SEPARATOR, CLASS = "+", "#"


@dataclass(frozen=True)
class Domain:
    """A data set, or one class of it."""

    source: Source
    class_name: str  # "": all of them

    @property
    def name(self) -> str:
        return f"{self.source.name}{CLASS}{self.class_name}" if self.class_name else self.source.name

    @property
    def label(self) -> str:
        return self.class_name or self.source.name.rpartition(":")[2]

    def rows(self, contents: Contents) -> dict[SplitName, NDArray[np.int64]]:
        """Of the data set's rows those of the class."""
        if not self.class_name:
            return {split: np.arange(len(contents.labels[split])) for split in SPLITS}
        if self.class_name not in contents.classes:
            known = ", ".join(contents.classes[:10]) or "none"
            raise GanlibError(f"{self.source.name} has no class {self.class_name!r}; there are {known}.")
        number = contents.classes.index(self.class_name)
        return {split: np.flatnonzero(contents.labels[split] == number) for split in SPLITS}


def _check(argument: str) -> None:
    parts = _parts(argument)
    for name, _ in parts:
        check_name(name)
    _require_different(CLASS.join(filter(None, part)) for part in parts)


def _describe(argument: str) -> str:
    names = ((display_name(name), class_name) for name, class_name in _parts(argument))
    return f" {SEPARATOR} ".join(f"{name} ({class_name})" if class_name else name for name, class_name in names)


@register_data_set(
    "mixture",
    "several sets as one, each a class: mixture:SET+SET; SET#CLASS takes one class of a set",
    size=None,
    channels=None,
    num_classes=None,
    display_name="Mixture",
    argument="SETS",
    check=_check,
    describe=_describe,
)
def mixture(request: DataRequest) -> Source:
    domains = [_domain(*part, request) for part in _parts(request.argument or "")]
    _require_different(domain.name for domain in domains)
    return Source(
        f"mixture:{SEPARATOR.join(domain.name for domain in domains)}",
        " ".join(f"{domain.source.identity} {domain.class_name}" for domain in domains),
        all(domain.source.flip for domain in domains),
        partial(_default_shape, domains),
        partial(_contents, domains),
    )


def _parts(argument: str) -> list[tuple[str, str]]:
    """(name of a set, that of one of its classes or "") of each; GanlibError where they are no two sets."""
    texts = argument.split(SEPARATOR)
    parts = [(name, class_name) for name, _, class_name in (text.partition(CLASS) for text in texts)]
    if any(name.partition(":")[0] in ("", "mixture") for name, _ in parts):
        raise GanlibError(
            "A mixture names its sets like mixture:SET+SET; a set may be folder:PATH without a '+' in it."
        )
    if len(parts) < 2:
        raise GanlibError("A mixture takes two sets or more; write it as mixture:SET+SET.")
    return parts


def _require_different(names: Iterable[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise GanlibError(f"{repeated[0]} is in the mixture twice; name each set once.")


def _domain(name: str, class_name: str, request: DataRequest) -> Domain:
    key, _, argument = name.partition(":")
    return Domain(DATA_SETS[key].locate(DataRequest(argument or None, request.roots)), class_name)


def _default_shape(domains: list[Domain]) -> tuple[int, int]:
    """The smallest size, so that no image is enlarged, and colour where any has it."""
    shapes = [s.default if isinstance(s.default, tuple) else s.default() for s in (d.source for d in domains)]
    return min(size for size, _ in shapes), max(channels for _, channels in shapes)


def _contents(domains: list[Domain]) -> Contents:
    parts = [domain.source.contents() for domain in domains]
    rows = [domain.rows(contents) for domain, contents in zip(domains, parts, strict=True)]
    labels = {
        split: np.repeat(np.arange(len(domains), dtype=np.int64), [len(own[split]) for own in rows]) for split in SPLITS
    }
    notes = tuple(note for contents in parts for note in contents.notes)
    return Contents(_class_names(domains), labels, _items(domains, parts, rows), notes)


def _class_names(domains: list[Domain]) -> tuple[str, ...]:
    """Short ones, unless two would be called the same."""
    labels = [domain.label for domain in domains]
    unique = len(set(labels)) == len(labels)
    return tuple(labels if unique else [domain.name for domain in domains])


def _items(
    domains: list[Domain], parts: list[Contents], rows: list[dict[SplitName, NDArray[np.int64]]]
) -> Iterator[Item]:
    """One set after the other, numbered on."""
    before = dict.fromkeys(SPLITS, 0)
    for domain, contents, own in zip(domains, parts, rows, strict=True):
        for item in select_items(contents.items, own, before):
            yield item._replace(name=f"{domain.source.name}/{item.name}")
        before = {split: before[split] + len(own[split]) for split in SPLITS}
