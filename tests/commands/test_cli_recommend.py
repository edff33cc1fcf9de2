"""recommend: the best run of each data set, or why there is none."""

from __future__ import annotations

from ganlib.__main__ import main
from helpers.command_line import run_command, run_refused_command
from helpers.gallery import CONDITIONAL, OTHER, archive_in_place, copy_of


def test_each_data_set_has_its_best_run_and_its_smallest(gallery, capsys):
    text = run_command("recommend", capsys=capsys)
    assert text.startswith("digits  (embedded digits-classifier · 1,000 generated vs 1,437 digits train)")
    assert f"Best by FID: {CONDITIONAL} (6.5 ± 1), ahead of {OTHER} (8.25 ± 1)" in text
    assert f"Smallest within 10% of the best FID: {CONDITIONAL}, the best itself." in text
    assert run_command("recommend", "digits", capsys=capsys) == text


def test_an_archived_run_is_not_recommended(gallery, monkeypatch, tmp_path, capsys):
    root = copy_of(gallery, tmp_path / "gallery")
    archive_in_place(root / CONDITIONAL)
    monkeypatch.setenv("GANLIB_GALLERY", str(root))
    text = run_command("recommend", "digits", capsys=capsys)
    assert f"Best by FID: {OTHER} (8.25 ± 1), the only run that is measured." in text
    assert CONDITIONAL not in text


def test_a_run_whose_scores_cannot_be_read_is_named(own_gallery, capsys):
    (own_gallery / CONDITIONAL / "evaluation.json").write_text('{"broken')
    assert main(["recommend", "digits"]) == 0
    out, err = capsys.readouterr()
    assert f"Best by FID: {OTHER} " in out
    assert f"{CONDITIONAL}/evaluation.json is damaged" in err


def test_a_data_set_without_scores_is_a_sentence(gallery, monkeypatch, tmp_path, capsys):
    assert "No run of 'digit' has weights and an FID; there are scores of digits." in run_refused_command(
        "recommend", "digit", capsys=capsys
    )
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "nothing"))
    assert "No run with weights has an FID yet" in run_refused_command("recommend", capsys=capsys)
