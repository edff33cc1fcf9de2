"""experiments, experiment: the table of verdicts, one comparison, its trainings."""

from __future__ import annotations

import csv
import io
import shutil

import pytest

from ganlib.__main__ import main
from helpers.command_line import run_command, run_refused_command
from helpers.gallery import CONDITIONAL

CLAIM = """
[[claims]]
statement = "Wider is better."
measure = { scalar = "loss/D", statistic = "end" }
first = "wide"
relation = "<"
second = "narrow"
"""
TRAINED = f"""\
title = "Width"
question = "Does width help?"
source = "GAN methods"
reported = "It does."

[recipe]
model = "dcgan"
data = "digits"
images = 64
evaluate = []
halve = false
seeds = [0, 1]
fields = {{ width = 4, z_dim = 8, batch_size = 16, log_every = 1 }}

[variants.narrow]

[variants.wide]
fields = {{ width = 8 }}
{CLAIM}"""
EXISTING = f"""\
title = "Of the gallery"
question = "Is it?"
source = "Artworks"
reported = "It is."

[variants.wide]
runs = ["{CONDITIONAL}"]

[variants.narrow]
runs = ["absent"]
{CLAIM}"""


@pytest.fixture
def definitions(gallery, tmp_path):
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / "width.toml").write_text(TRAINED)
    (folder / "existing.toml").write_text(EXISTING)
    (folder / "broken.toml").write_text("title = 3")
    return folder


def test_the_table_has_a_verdict_for_each_and_a_sentence_for_what_is_broken(definitions, capsys):
    assert main(["experiments", "--definitions", str(definitions), "--format", "csv"]) == 0
    printed = capsys.readouterr()
    assert printed.err == f"ganlib: {definitions / 'broken.toml'}: it needs title, a text.\n"
    rows = list(csv.reader(io.StringIO(printed.out)))
    assert rows[0] == ["experiment", "source", "verdict", "answer"]
    assert [row[:3] for row in rows[1:]] == [["existing", "Artworks", "open"], ["width", "GAN methods", "open"]]
    assert rows[1][3] == "Runs are missing: absent (not trained yet); train them with ganlib queue."


def test_an_unknown_experiment_and_an_empty_folder_are_a_sentence(gallery, tmp_path, capsys):
    assert "no experiment 'nothing'" in run_refused_command("experiment", "nothing", capsys=capsys)
    assert "has no experiments" in run_refused_command("experiments", "--definitions", tmp_path, capsys=capsys)


def test_entries_are_printed_for_a_queue_file(definitions, capsys):
    text = run_command("experiment", definitions / "width.toml", "--entries", capsys=capsys)
    assert text.count("[[run]]") == 4
    assert run_command("experiment", definitions / "existing.toml", "--entries", capsys=capsys) == ""


@pytest.mark.slow
def test_run_trains_what_is_missing_and_judges_it_also_when_archived(definitions, tmp_path, capsys, monkeypatch):
    command = ["experiment", definitions / "width.toml", "--run", "--workers", "2", "--device", "cpu"]
    text = run_command(*command, "--runs", tmp_path / "runs", capsys=capsys)
    assert "width-wide-s1: train" in text
    assert "Runs are missing" not in text
    assert "2 trainings each" in " ".join(text.split())

    assert main(["experiments", "--archive", "--definitions", str(definitions), "--runs", str(tmp_path / "runs")]) == 0
    capsys.readouterr()
    archive = definitions / "runs"
    names = {f"width-{variant}-s{seed}" for variant in ("narrow", "wide") for seed in (0, 1)}
    assert {path.name for path in archive.iterdir()} == names
    assert list(archive.glob("*/weights.safetensors")) == []
    assert {path.parents[1].name for path in archive.glob("*/samples/*")} == {"width-narrow-s0", "width-wide-s0"}
    monkeypatch.setenv("GANLIB_RUNS", str(archive))
    again = run_command(*command, "--runs", tmp_path / "others", capsys=capsys)
    assert again.startswith("Width (GAN methods)\n")
    assert text.endswith(again)

    monkeypatch.delenv("GANLIB_RUNS")
    shutil.rmtree(archive)
    (definitions / "width.toml").write_text(TRAINED + "\n[variants.untrained]\nfields = { width = 16 }\n")
    assert main(["experiments", "--archive", "--definitions", str(definitions), "--runs", str(tmp_path / "runs")]) == 0
    assert not archive.exists()  # of an experiment that is not whole
