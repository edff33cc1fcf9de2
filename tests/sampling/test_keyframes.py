"""Key frames as text, and what an interpolation says of itself."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import pytest

from ganlib.errors import GanlibError
from ganlib.runs import Run
from ganlib.sampling.keyframes import InterpolationRequest, KeyFrame, parse_key
from ganlib.sampling.request import SavedLatents
from helpers.tiny_models import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return write_run(tmp_path_factory.mktemp("runs") / "noise-cdcgan")


def request(run: Run, *keys: KeyFrame, frames: int = 5, **changes: Any) -> InterpolationRequest:
    return InterpolationRequest(run, keys, frames, **changes)


@pytest.mark.parametrize(
    "key",
    [
        KeyFrame(7, 2),
        KeyFrame(2**32 - 1, 0, (("temperature", 0.5),)),
        KeyFrame(SavedLatents("my dog", 1), 1),
        KeyFrame(SavedLatents("a.safetensors", None), None),
    ],
)
def test_a_key_frame_is_read_as_it_is_written(key, run):
    source, label, options = parse_key(key.text(run), run, run.load().options)
    assert source == (str(key.source) if isinstance(key.source, int) else f"@{key.source.name}")
    assert (label, options) == (key.label, key.options)


@pytest.mark.parametrize("names", [("1", "10", "2"), ("", "b", "c"), ("x=1", "a~b", "0"), ("@", "@a", "@~1")])
def test_a_key_frame_keeps_its_class_whatever_classes_are_called(names, run):
    named = copy(run)
    named.recipe = replace(run.recipe, data=replace(run.recipe.data, classes=names))
    for label in range(3):
        for path in ("lr=0.1/a.safetensors", "~/PROGRA~1/a~2.safetensors"):
            key = KeyFrame(SavedLatents(path, label), label, (("temperature", 0.5),))
            assert parse_key(key.text(named), named, run.load().options) == (f"@{path}", label, key.options)
        assert parse_key(KeyFrame(7, label).text(named), named, run.load().options) == ("7", label, ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a~1-3", "one seed, not 3"),
        ("a,b~1", "one class, not 2"),
        ("zebra~1", "has no class 'zebra'"),
        ("a~1~steps=4", "'steps' cannot differ between key frames"),
        ("a~1~temperature=9", "temperature"),
        ("a~", "No seeds were given"),
        ("a~-3", "whole numbers"),
    ],
)
def test_what_is_no_key_frame_is_said_in_one_sentence(text, reason, run):
    with pytest.raises(GanlibError, match=reason):
        parse_key(text, run, run.load().options)


def test_captions_count_from_key_frame_to_key_frame(run):
    walk = request(run, KeyFrame(7, 2), KeyFrame(8, 0))
    assert walk.captions[0] == "0% from c, seed 7 to a, seed 8"
    assert walk.captions[2].startswith("50% ")
    assert walk.captions[-1].startswith("100% ")
    loop = request(run, KeyFrame(7, 2), KeyFrame(8, 0), closed=True, frames=4)
    assert loop.captions == [
        "0% from c, seed 7 to a, seed 8",
        "50% from c, seed 7 to a, seed 8",
        "0% from a, seed 8 to c, seed 7",
        "50% from a, seed 8 to c, seed 7",
    ]
    assert loop.title == "c, seed 7 to a, seed 8 to c, seed 7"
    assert request(run, *walk.keys * 2, sheet=(2, 3)).captions[-1] == "row 2, column 3"
