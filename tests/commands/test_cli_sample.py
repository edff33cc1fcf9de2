"""sample: grids, files, folders, and what cannot be met."""

from __future__ import annotations

import io
import json
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ganlib.__main__ import main
from ganlib.images import read_metadata
from ganlib.runs import Run
from helpers.command_line import cells, read, run_command, run_refused_command
from helpers.gallery import CONDITIONAL, OTHER, UNCONDITIONAL, direct
from helpers.tiny_models import files_of, write_run


def test_one_class_is_a_grid_of_eight_columns(gallery, capsys):
    text = run_command("sample", CONDITIONAL, "--classes", "3", "--seeds", "5-14", "--out", "g.png", capsys=capsys)
    assert text == f"10 images of {CONDITIONAL} in g.png\n"
    found = cells("g.png")
    assert found.shape[:2] == (2, 8)
    expected = direct(gallery, CONDITIONAL, range(5, 15), [3] * 10)
    assert np.array_equal(found.reshape(16, 16, 16)[:10], expected)
    assert (found.reshape(16, 16, 16)[10:] == 255).all()


def test_several_classes_are_rows_with_a_column_for_each_seed(gallery, capsys):
    run_command("sample", OTHER, "--classes", "7,2,0", "--seeds", "0,9-10", "--out", "g.png", capsys=capsys)
    expected = direct(gallery, OTHER, [0, 9, 10] * 3, np.repeat([7, 2, 0], 3))
    assert np.array_equal(cells("g.png"), expected.reshape(3, 3, 16, 16))


def test_many_seeds_of_several_classes_are_nearly_a_square_in_which_each_class_begins_a_row(gallery, capsys):
    run_command("sample", OTHER, "--classes", "7,2", "--seeds", "0-12", "--out", "g.png", capsys=capsys)
    found = cells("g.png")
    assert found.shape[:2] == (4, 8)
    expected = direct(gallery, OTHER, [*range(13)] * 2, np.repeat([7, 2], 13))
    for block, images in enumerate((expected[:13], expected[13:])):
        rows = found[2 * block : 2 * block + 2].reshape(16, 16, 16)
        assert np.array_equal(rows[:13], images)
        assert (rows[13:] == 255).all()
    run_command("sample", UNCONDITIONAL, "--seeds", "0-14", "--columns", "3", capsys=capsys)
    assert cells("grid.png").shape[:2] == (5, 3)


def test_captions_stand_below_enlarged_images(gallery, capsys):
    run_command("sample", CONDITIONAL, "--classes", "1", "--seeds", "0-1", "--captions", capsys=capsys)
    picture = read("grid.png")
    assert picture.shape == (96 + 14, 2 * 96 + 2)
    expected = direct(gallery, CONDITIONAL, [0, 1], [1, 1]).reshape(2, 16, 16)
    assert np.array_equal(picture[:96, :96], expected[0].repeat(6, 0).repeat(6, 1))
    assert (picture[96:, :96] < 128).any()


def test_a_png_says_how_to_draw_it_again(gallery, tmp_path, capsys):
    run_command("sample", CONDITIONAL, "--classes", "1,8", "--seeds", "3-5", "--out", "g.png", capsys=capsys)
    first = cells("g.png")
    metadata = read_metadata("g.png")
    assert metadata is not None
    assert (metadata["classes"], metadata["seeds"]) == (["1", "8"], [3, 4, 5])
    run_command(*shlex.split(metadata["command"])[3:], capsys=capsys)
    assert np.array_equal(cells("grid.png"), first)
    run_command("sample", CONDITIONAL, "--classes", "1,8", "--seeds", "3-5", "--out", "folder", capsys=capsys)
    metadata = read_metadata(f"folder/{CONDITIONAL}_8_4.png")
    assert metadata is not None
    assert (metadata["classes"], metadata["seeds"]) == (["8"], [4])


def test_slow_work_reports_its_progress(gallery, monkeypatch, capsys):
    monkeypatch.setenv("GANLIB_PROGRESS", "0")
    assert main(["sample", UNCONDITIONAL, "--seeds", "0-127", "--out", "g.zip"]) == 0
    assert "128 images   50%" in capsys.readouterr().err


def test_without_arguments_all_classes_are_drawn_with_eight_seeds_into_grid_png(gallery, tmp_path, capsys):
    run_command("sample", CONDITIONAL, capsys=capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["grid.png"]
    assert cells("grid.png").shape[:2] == (10, 8)


def test_an_unconditional_run_needs_seeds_alone(gallery, capsys):
    run_command("sample", UNCONDITIONAL, "--seeds", "0-15", capsys=capsys)
    expected = direct(gallery, UNCONDITIONAL, range(16))
    assert np.array_equal(cells("grid.png"), expected.reshape(2, 8, 16, 16))


def test_a_single_picture_has_no_frame(gallery, capsys):
    run_command("sample", UNCONDITIONAL, "--seeds", "4294967295", capsys=capsys)
    assert np.array_equal(read("grid.png"), direct(gallery, UNCONDITIONAL, [2**32 - 1])[0])


def test_png_zip_and_folder_hold_the_same_pixels(gallery, tmp_path, capsys):
    request = ["sample", OTHER, "--classes", "1,8", "--seeds", "3-5"]
    names = [f"{OTHER}_{c}_{s}.png" for c in (1, 8) for s in (3, 4, 5)]
    for out in ("g.png", "g.zip", "deep/folder"):
        run_command(*request, "--out", out, capsys=capsys)
    by_grid = cells("g.png").reshape(6, 16, 16)
    assert sorted(p.name for p in Path("deep/folder").iterdir()) == sorted(names)
    assert np.array_equal(np.stack([read(Path("deep/folder", name)) for name in names]), by_grid)
    with zipfile.ZipFile("g.zip") as archive:
        assert archive.namelist() == ["provenance.json", *names]
        assert np.array_equal(np.stack([read(io.BytesIO(archive.read(name))) for name in names]), by_grid)
        how = json.loads(archive.read("provenance.json"))
    assert (how["run"], how["classes"], how["seeds"]) == (OTHER, ["1", "8"], [3, 4, 5])
    assert how["weights_sha256_12"] == Run(gallery / OTHER).weights_hash


def test_a_seed_is_one_picture_alone_and_among_many(gallery, capsys):
    run_command("sample", CONDITIONAL, "--classes", "4", "--seeds", "0-99", "--out", "many", capsys=capsys)
    run_command("sample", CONDITIONAL, "--classes", "4", "--seeds", "77", "--out", "one.png", capsys=capsys)
    among, alone = read(f"many/{CONDITIONAL}_4_77.png"), read("one.png")
    assert np.abs(among.astype(int) - alone).max() <= 1


def test_an_option_reaches_the_model(gallery, capsys):
    run_command("sample", CONDITIONAL, "--classes", "1", "--seeds", "0-7", "--option", "temperature=0.5", capsys=capsys)
    assert np.array_equal(cells("grid.png")[0], direct(gallery, CONDITIONAL, range(8), [1] * 8, temperature=0.5))


def test_a_run_is_taken_by_its_path_too(gallery, tmp_path, capsys):
    run = write_run(tmp_path / "elsewhere" / "noise")
    run_command("sample", run.path, "--classes", "b", "--seeds", "1", "--out", "one.png", capsys=capsys)
    assert np.array_equal(read("one.png"), direct(tmp_path / "elsewhere", "noise", [1], [1])[0])


def test_a_seed_asked_for_twice_is_drawn_and_kept_twice(gallery, capsys):
    run_command("sample", UNCONDITIONAL, "--seeds", "5,5", "--out", "twice", capsys=capsys)
    first, second = sorted(Path("twice").iterdir())
    assert np.array_equal(read(first), read(second))


def test_a_class_name_cannot_lead_out_of_the_folder(gallery, tmp_path, capsys):
    run = write_run(tmp_path / "foreign")
    recipe = json.loads(run.folder.config.read_text())
    recipe["data"]["classes"] = ["../../escaped", "/absolute", "c"]
    run.folder.config.write_text(json.dumps(recipe))
    run_command("sample", run.path, "--seeds", "0", "--out", "out", capsys=capsys)
    assert len(list((tmp_path / "out").iterdir())) == 3
    assert not list(tmp_path.parent.glob("**/escaped*"))


def test_what_stood_at_out_before_is_replaced_whole(gallery, capsys):
    Path("grid.png").write_bytes(b"old" * 100_000)
    run_command("sample", UNCONDITIONAL, "--seeds", "0", capsys=capsys)
    assert read("grid.png").shape == (16, 16)


BAD_REQUESTS = {
    "unknown run": (["nothing"], "no run 'nothing'"),
    "no name": ([""], "no run ''"),
    "unknown class": ([CONDITIONAL, "--classes", "zebra"], "no class 'zebra'"),
    "class number": ([CONDITIONAL, "--classes", "10"], "no class '10'"),
    "one of two classes": ([CONDITIONAL, "--classes", "1,zebra"], "no class 'zebra'"),
    "no class at all": ([CONDITIONAL, "--classes", ","], "class"),
    "classes of an unconditional run": ([UNCONDITIONAL, "--classes", "1"], "unconditional"),
    "seed in words": ([CONDITIONAL, "--seeds", "abc"], "whole numbers"),
    "negative seed": ([CONDITIONAL, "--seeds=-1"], "whole numbers"),
    "seed 2^32": ([CONDITIONAL, "--seeds", str(2**32)], "4294967295"),
    "seed 2^63": ([CONDITIONAL, "--seeds", str(2**63)], "4294967295"),
    "seed of 5000 digits": ([CONDITIONAL, "--seeds", "9" * 5000], "whole numbers"),
    "seeds backwards": ([CONDITIONAL, "--seeds", "5-3"], "go up"),
    "no seeds": ([CONDITIONAL, "--seeds", ""], "at least one seed"),
    "too many seeds": ([CONDITIONAL, "--seeds", "0-4294967295"], "split the request"),
    "unknown option": ([CONDITIONAL, "--option", "truncation=0.5"], "it has temperature"),
    "option without value": ([CONDITIONAL, "--option", "temperature"], "NAME=VALUE"),
    "option in words": ([CONDITIONAL, "--option", "temperature=hot"], "must be a number"),
    "option beyond its bounds": ([CONDITIONAL, "--option", "temperature=2"], "at most 1.5"),
    "option not a number": ([CONDITIONAL, "--option", "temperature=nan"], "finite"),
    "no columns": ([CONDITIONAL, "--columns", "0"], "at least 1"),
    "unknown device": ([CONDITIONAL, "--device", "abacus"], "no device 'abacus'"),
}


@pytest.mark.parametrize("out", ["out.png", "out.zip", "out"])
@pytest.mark.parametrize(("arguments", "says"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_request_that_cannot_be_met_writes_nothing(arguments, says, out, gallery, tmp_path, capsys):
    assert says in run_refused_command("sample", *arguments, "--out", out, capsys=capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["file/out.png", "file/out", "folder.png"])
def test_a_place_that_cannot_be_written_is_one_sentence(out, gallery, tmp_path, capsys):
    Path("file").write_text("not a folder")
    Path("folder.png").mkdir()
    before = files_of(tmp_path)
    error = run_refused_command("sample", UNCONDITIONAL, "--out", out, capsys=capsys)
    assert out.split("/")[0] in error
    assert files_of(tmp_path) == before


def test_a_run_that_makes_no_pictures_says_so(gallery, tmp_path, capsys):
    run = write_run(tmp_path / "judge", "classifier")
    assert "draws nothing from seeds" in run_refused_command("sample", run.path, capsys=capsys)
