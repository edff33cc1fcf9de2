"""Configs: bounds and types, JSON and command line, what is said about mistakes."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, fields
from math import inf, nan
from typing import Any, Literal

import pytest

from ganlib.config import Config, add_arguments, flags, given, option
from ganlib.errors import GanlibError
from ganlib.models import MODELS, Option
from ganlib.registry import Registry
from ganlib.training import TrainingConfig


@dataclass(frozen=True)
class Everything(Config):
    count: int = option(3, "between 1 and 9", min=1, max=9)
    rate: float = option(0.5, "at least 0, 100% free", min=0.0)
    free: float = option(0.0, "any number")
    fast: bool = option(True, "a switch")
    name: str = option("a", "any text")
    kind: Literal["x", "y"] = option("x", "one of two")
    size: Literal[1, 2] = option(1, "one of two numbers")
    maybe: int | None = option(None, "may be left open", min=0)
    widths: tuple[int, ...] = option((1, 2), "several", min=1)


def parse(config: type[Config], *argv: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_arguments(parser, config)
    return given(parser.parse_args(argv), config)


def test_values_within_the_bounds_are_kept():
    assert Everything(count=1, rate=0, maybe=0, widths=(5,)).to_dict() == {
        "count": 1,
        "rate": 0,
        "free": 0.0,
        "fast": True,
        "name": "a",
        "kind": "x",
        "size": 1,
        "maybe": 0,
        "widths": [5],
    }


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("count", 0, "count must be at least 1 and at most 9, not 0."),
        ("count", 10, "count must be at least 1 and at most 9, not 10."),
        ("rate", -0.1, "rate must be at least 0, not -0.1."),
        ("widths", (1, 0), "widths must be at least 1, not 0."),
        ("maybe", -1, "maybe must be at least 0, not -1."),
        ("kind", "z", "kind must be one of x, y, not 'z'."),
        ("size", 3, "size must be one of 1, 2, not 3."),
        ("count", True, "count must be a value of type int, not True."),
        ("count", 3.0, "count must be a value of type int, not 3.0."),
        ("count", "3", "count must be a value of type int, not '3'."),
        ("rate", "fast", "rate must be a value of type float, not 'fast'."),
        ("rate", False, "rate must be a value of type float, not False."),
        ("fast", 1, "fast must be a value of type bool, not 1."),
        ("name", 5, "name must be a value of type str, not 5."),
        ("size", True, "size must be a value of type int, not True."),
    ],
)
def test_a_wrong_value_is_refused_in_a_sentence(field, value, sentence):
    with pytest.raises(GanlibError) as error:
        Everything(**{field: value})
    assert str(error.value) == sentence


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("field", ["rate", "free"])
def test_numbers_that_json_cannot_hold_are_refused(field, value):
    with pytest.raises(GanlibError, match=f"{field} must be"):
        Everything(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [("count", None), ("count", [4]), ("count", {}), ("widths", 4), ("widths", None), ("name", ["a"]), ("rate", [])],
)
def test_a_value_of_another_structure_is_refused(field, value):
    """As a damaged config.json may have it."""
    with pytest.raises(GanlibError, match=f"{field} must be"):
        Everything.from_dict({field: value})


def test_an_unknown_field_gets_a_suggestion():
    with pytest.raises(GanlibError, match="Everything has no field 'widht'; try widths"):
        Everything.from_dict({"widht": 3})


def test_an_unknown_field_unlike_any_other_gets_the_whole_list():
    with pytest.raises(GanlibError, match=r"try count, rate, free, fast, name, kind, size, maybe, widths\."):
        Everything.from_dict({"qqqq": 3})


def test_json_gives_an_equal_config_back():
    config = Everything(count=7, fast=False, kind="y", maybe=3, widths=(4, 5, 6))
    assert Everything.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    "changes", [{}, {"count": 7, "fast": False}, {"kind": "y", "maybe": 3, "widths": (4, 5)}, {"widths": ()}]
)
def test_flags_are_read_back(changes):
    config = Everything(**changes)
    assert Everything.from_dict(parse(Everything, *flags(config))) == config


def test_flags_not_given_leave_nothing_behind():
    assert parse(Everything) == {}


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        (["--count", "4"], "count", 4),
        (["--rate", "1e-3"], "rate", 1e-3),
        (["--free", "-2.5"], "free", -2.5),
        (["--no-fast"], "fast", False),
        (["--fast"], "fast", True),
        (["--kind", "y"], "kind", "y"),
        (["--size", "2"], "size", 2),
        (["--maybe", "5"], "maybe", 5),
        (["--widths", "4", "5", "6"], "widths", (4, 5, 6)),
        (["--widths"], "widths", ()),
    ],
)
def test_flags_become_fields(argv, field, value):
    values = parse(Everything, *argv)
    assert set(values) == {field}
    assert getattr(Everything.from_dict(values), field) == value


@pytest.mark.parametrize("argv", [["--kind", "z"], ["--size", "3"], ["--count", "many"]])
def test_the_command_line_refuses_what_the_config_would(argv, capsys):
    with pytest.raises(SystemExit):
        parse(Everything, *argv)
    assert argv[0] in capsys.readouterr().err


def test_help_names_every_field_its_meaning_default_and_range():
    parser = argparse.ArgumentParser()
    add_arguments(parser, Everything)
    text = " ".join(parser.format_help().split())
    assert "at least 0, 100% free (default: 0.5; at least 0)" in text
    assert "between 1 and 9 (default: 3; 1 to 9)" in text
    assert "any number (default: 0.0)" in text
    assert "may be left open (at least 0)" in text
    assert "several (default: 1 2; at least 1)" in text
    assert all(f"--{f.name.replace('_', '-')}" in text for f in fields(Everything))


@pytest.mark.parametrize(
    "config", [TrainingConfig, *(MODELS[name].Config for name in MODELS)], ids=lambda c: c.__name__
)
def test_every_config_describes_all_its_fields_and_does_not_clash_with_trainings(config):
    for f in fields(config):
        assert f.metadata["help"]
    if config is not TrainingConfig:
        assert not {f.name for f in fields(config)} & {f.name for f in fields(TrainingConfig)}


@pytest.mark.parametrize("name", list(MODELS))
def test_an_architectures_recipe_names_training_fields(name):
    TrainingConfig.from_dict(MODELS[name].training_defaults)


# Options: the knobs of generate, parsed from a user's text.

PSI = Option("psi", 1.0, "truncation", min=0.0, max=2.0)
STEPS = Option("steps", 50, "steps", kind="int", min=1, max=1000)
MODE = Option("mode", "a", "mode", kind="choice", choices=("a", "b"))
MIX = Option("mix", 0, "style seed", kind="seed")
OPEN = Option("open", 0.0, "without bounds")
BELOW = Option("below", 0.0, "with one bound", max=1.0)


@pytest.mark.parametrize(
    ("knob", "text", "value"),
    [
        (PSI, "0.5", 0.5),
        (PSI, 2, 2.0),
        (STEPS, "7", 7),
        (MODE, "b", "b"),
        (MIX, "4294967295", 2**32 - 1),
        (OPEN, "-3", -3.0),
    ],
)
def test_an_option_is_parsed_to_its_type(knob, text, value):
    assert knob.parse(text) == value
    assert type(knob.parse(text)) is type(value)


@pytest.mark.parametrize(
    ("knob", "text"),
    [
        (PSI, "2.1"),
        (PSI, "-1"),
        (PSI, "nan"),
        (PSI, "much"),
        (STEPS, "0"),
        (STEPS, "2.5"),
        (MODE, "c"),
        (MIX, "-1"),
        (MIX, str(2**32)),
        (MIX, "1.5"),
        (OPEN, "nan"),
        (OPEN, "inf"),
        (BELOW, "2"),
    ],
)
def test_an_option_outside_its_range_is_refused_in_a_sentence(knob, text):
    with pytest.raises(GanlibError, match=rf"^Option {knob.name} must .*\.$"):
        knob.parse(text)


# Registries.


def test_a_registry_refuses_duplicates_and_explains_misses():
    table: Registry[int] = Registry("thing")
    table.register("alpha")(1)
    table.register("beta")(2)
    assert list(table) == ["alpha", "beta"]
    assert "alpha" in table
    assert table["beta"] == 2
    with pytest.raises(ValueError, match="thing 'alpha' is already registered"):
        table.register("alpha")(3)
    with pytest.raises(GanlibError, match=r"There is no thing 'alpa'; try alpha\."):
        table["alpa"]
    with pytest.raises(GanlibError, match=r"try alpha, beta\."):
        table["xyz"]
