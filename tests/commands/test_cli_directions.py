"""Directions of a run: found, drawn, saved, applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlib.applications import catalogue
from helpers.command_line import run_command, run_refused_command
from helpers.gallery import CONDITIONAL


@pytest.fixture(autouse=True)
def few_seeds(monkeypatch, tmp_path):
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalogue, "FOUND_ON", range(1_000, 1_064))
    monkeypatch.setattr(catalogue, "MEASURED_ON", range(6))


def test_the_commands_find_save_draw_and_apply(gallery, tmp_path: Path, capsys) -> None:
    strips, edited = tmp_path / "strips.png", tmp_path / "edited"
    text = run_command("directions", CONDITIONAL, "--count", "2", "--out", str(strips), capsys=capsys)
    assert "sefa-1" in text
    assert f"2 directions at 5 strengths in {strips}" in text
    run_command(
        "sample",
        CONDITIONAL,
        "--classes",
        "3",
        "--seeds",
        "5",
        "--edit",
        "sefa-2=1.5",
        "--out",
        str(edited),
        capsys=capsys,
    )
    assert len(list(edited.glob("*.png"))) == 1
    assert "--save takes one of sefa-1" in run_refused_command("directions", CONDITIONAL, "--save", "x", capsys=capsys)
    assert "is a range like 0-3" in run_refused_command("directions", CONDITIONAL, "--layers", "x", capsys=capsys)


def test_a_method_that_finds_nothing_says_so(gallery, monkeypatch, capsys) -> None:
    monkeypatch.setattr("ganlib.commands.directions.measured_directions", lambda *_, **__: {})
    text = run_refused_command("directions", CONDITIONAL, "--save", "sefa-1=x", capsys=capsys)
    assert f"sefa finds no direction in {CONDITIONAL}" in text
