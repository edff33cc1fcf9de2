"""What shards say of a picture's class: a number, a name or both; and whether they all say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ganlib.errors import GanlibError, shortened
from ganlib.files import parse_json

NUMBERS = ("label", "cls", "class_id", "class")  # keys of a sample's JSON and columns of a table
NAMES = ("class", "class_name", "label", "cls")


class Label(NamedTuple):
    number: int | None
    name: str | None


UNLABELLED = Label(None, None)


def read_label(cls: bytes | None, about: bytes | None) -> Label:
    """Of a sample's ``.cls``, a number or a name, and its ``.json``; ValueError where one of them is damaged."""
    values = parse_json(about) if about else {}
    values = values if isinstance(values, dict) else {}
    numbers = (number_of(values.get(key)) for key in NUMBERS)
    number = next((value for value in numbers if value is not None), None)
    name = next((value for key in NAMES if isinstance(value := values.get(key), str) and value), None)
    if cls is not None:
        text = cls.decode().strip()
        if text.lstrip("-").isdecimal():
            number = number_of(int(text))
        else:
            name = text or name
    return Label(number, name)


def number_of(value: Any) -> int | None:
    """None for what is none, and for the negative numbers of unlabelled test sets."""
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def number_classes(labels: Mapping[Label, str], title: str) -> tuple[tuple[str, ...], dict[Label, int]]:
    """Every label that occurs, with the first picture that has it -> class names, and each label's class, -1 = none.

    GanlibError where pictures lack a label or shards contradict each other.
    """
    if set(labels) <= {UNLABELLED}:
        return (), {UNLABELLED: -1}
    if UNLABELLED in labels:
        raise GanlibError(
            f"{labels[UNLABELLED]} of {title} has no label, and others have; label all pictures, or none of them."
        )
    by_number = [label for label in labels if label.number is not None]
    by_name = [label for label in labels if label.number is None]
    if by_number and by_name:
        raise GanlibError(
            f"{title} has classes by name in {labels[by_name[0]]} and by number in {labels[by_number[0]]}; write both "
            "in the same way."
        )
    if by_name:
        classes = tuple(sorted({str(label.name) for label in by_name}))
        return classes, {label: classes.index(str(label.name)) for label in by_name}
    return _by_number(labels, title)


def _by_number(labels: Mapping[Label, str], title: str) -> tuple[tuple[str, ...], dict[Label, int]]:
    names: dict[int, Label] = {}
    numbers: dict[str, Label] = {}
    for label in labels:
        assert label.number is not None
        if label.name is None:
            names.setdefault(label.number, label)
            continue
        other = names.get(label.number)
        if other is not None and other.name not in (None, label.name):
            raise _contradiction(labels, other, label, title)
        names[label.number] = label
        if (other := numbers.setdefault(label.name, label)).number != label.number:
            raise _contradiction(labels, other, label, title)
    order = sorted(names)
    classes = tuple(names[number].name or str(number) for number in order)
    if len(set(classes)) < len(classes):
        raise GanlibError(f"{title} names some of its classes and numbers others alike; name all of them.")
    return classes, {label: order.index(label.number) for label in labels if label.number is not None}


def _contradiction(labels: Mapping[Label, str], a: Label, b: Label, title: str) -> GanlibError:
    return GanlibError(
        f"The shards of {title} have different classes: number {a.number} is {shortened(str(a.name))} in {labels[a]}, "
        f"number {b.number} is {shortened(str(b.name))} in {labels[b]}; write them with one list of classes."
    )
