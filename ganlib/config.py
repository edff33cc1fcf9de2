"""Dataclass configs: one declaration feeds JSON, the command line and the dashboard's forms."""

from __future__ import annotations

import argparse
from dataclasses import Field, asdict, dataclass, field, fields
from functools import cache
from sys import float_info
from types import NoneType, UnionType
from typing import Any, Literal, Self, Union, cast, get_args, get_origin, get_type_hints

from ganlib.errors import GanlibError, shortened
from ganlib.naming import nearest_names


def option(default: Any, help: str, *, min: float | None = None, max: float | None = None) -> Any:
    """A dataclass field with its help text and inclusive bounds."""
    return field(default=default, metadata={"help": help, "min": min, "max": max})


def check_bounds(name: str, value: Any, low: float | None, high: float | None, *, given: object) -> None:
    """GanlibError, quoting what was ``given``, unless low <= value <= high; None = no bound."""
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = [f"{word} {x:.10g}" for word, x in [("at least", low), ("at most", high)] if x is not None]
        raise GanlibError(f"{name} must be {' and '.join(bounds)}, not {shortened(given)}.")


@dataclass(frozen=True)
class Config:
    """Base of all configs: checked on construction, equal to its JSON form."""

    def __post_init__(self) -> None:
        hints = _hints(type(self))  # type: ignore[arg-type]  # mypy takes the instances' hash for the class's
        for f in fields(self):
            value: Any = getattr(self, f.name)
            hint = hints[f.name]
            kind, choices = unwrap(hint)
            if value is None and NoneType in get_args(hint):
                continue
            many = get_origin(hint) is tuple
            low, high = f.metadata.get("min"), f.metadata.get("max")
            items: tuple[Any, ...] = value if many and isinstance(value, tuple) else (value,)
            for item in items:
                if (
                    isinstance(value, tuple) != many
                    or isinstance(item, bool) != (kind is bool)
                    or not isinstance(item, (float, int) if kind is float else kind)
                ):
                    what = "values" if many else "a value"
                    raise GanlibError(f"{f.name} must be {what} of type {kind.__name__}, not {shortened(value)}.")
                if kind is float and not abs(cast(float, item)) <= float_info.max:  # nor an integer beyond it
                    raise GanlibError(f"{f.name} must be a finite number, not {shortened(item)}.")
                if choices and item not in choices:
                    names = ", ".join(map(str, choices))
                    raise GanlibError(f"{f.name} must be one of {names}, not {shortened(item)}.")
                check_bounds(f.name, item, low, high, given=item)

    def to_dict(self) -> dict[str, Any]:
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        names = [f.name for f in fields(cls)]
        for name in values:
            if name not in names:
                close = nearest_names(name[:80], names) or names
                raise GanlibError(f"{cls.__name__} has no field {shortened(name)}; try {', '.join(close)}.")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@cache
def _hints(config: type[Config]) -> dict[str, Any]:
    """Evaluated once: a queue checks hundreds of configs."""
    return get_type_hints(config)


def unwrap(hint: Any) -> tuple[type, tuple[Any, ...]]:
    """A field's annotation -> (type of one value, its choices): int | None -> int, tuple[int, ...] -> int."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(a for a in get_args(hint) if a is not NoneType)
    if get_origin(hint) is tuple:
        hint = get_args(hint)[0]
    if get_origin(hint) is Literal:
        return type(get_args(hint)[0]), get_args(hint)
    return hint, ()


def add_arguments(parser: argparse._ActionsContainer, config: type[Config]) -> None:
    """One flag per field. Flags not given leave nothing behind, so that they can override a recipe."""
    hints = _hints(config)  # type: ignore[arg-type]
    for f in fields(config):
        kind, choices = unwrap(hints[f.name])
        keywords: dict[str, Any] = {
            "dest": f.name,
            "default": argparse.SUPPRESS,
            "help": f"{f.metadata['help']}{_limits(f)}".replace("%", "%%"),
        }
        if kind is bool:
            keywords["action"] = argparse.BooleanOptionalAction
        else:
            keywords |= {"type": kind, "choices": choices or None}
            if not choices:
                keywords["metavar"] = kind.__name__.upper()
            if get_origin(hints[f.name]) is tuple:
                keywords["nargs"] = "*"
        parser.add_argument(f"--{f.name.replace('_', '-')}", **keywords)


def _limits(f: Field[Any]) -> str:
    """A field's default and range: " (default: 0.5; 0 to 1)", " (default: fid kid)", or "" where it has neither."""
    texts = [_default(f.default), _range(f.metadata["min"], f.metadata["max"])]
    said = "; ".join(filter(None, texts))
    return f" ({said})" if said else ""


def _default(value: Any) -> str:
    """(None) -> "", for what is then left out or found by itself; (("fid", "kid")) -> "default: fid kid"."""
    if value is None or value == "":
        return ""
    if isinstance(value, tuple):
        text = " ".join(map(str, value)) or "none"
    else:
        text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return f"default: {text}"


def _range(low: float | None, high: float | None) -> str:
    """(0, 1) -> "0 to 1"; a highest value that only keeps counts exact is none that anybody comes near."""
    if high is not None and high >= 2**53:
        high = None
    if low is not None and high is not None:
        return f"{low:.10g} to {high:.10g}"
    words = [f"{word} {x:.10g}" for word, x in [("at least", low), ("at most", high)] if x is not None]
    return "".join(words)


def flags(config: Config, than: Config | None = None) -> list[str]:
    """The command line that ``add_arguments`` reads this config from: the fields that are not at their default, or
    not as another config of its kind has them.
    """
    words = []
    for f in fields(config):
        value = getattr(config, f.name)
        if value == (f.default if than is None else getattr(than, f.name)):
            continue
        name = f.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        else:
            words += [f"--{name}", *map(str, value if isinstance(value, tuple) else (value,))]
    return words


def given(args: argparse.Namespace, config: type[Config]) -> dict[str, Any]:
    """The fields of ``config`` that the command line set."""
    names = {f.name for f in fields(config)}
    return {k: v for k, v in vars(args).items() if k in names}
