"""python -m ganlib: what it makes, and that every refusal is one sentence that leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from gallery import (
    BROKEN,
    CONDITIONAL,
    IMAGES,
    MISFITS,
    OTHER,
    PROJECT,
    RUNS,
    UNCONDITIONAL,
    add_broken_runs,
    copy_of,
    small_gallery,
)
from ganlib.__main__ import main
from ganlib.models import MODELS, GenerativeModel
from ganlib.runs import Run, find_run
from ganlib.sampling import sample
from tiny import files_of, write_run


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    return small_gallery(tmp_path_factory.getbasetemp())


@pytest.fixture
def gallery(shared, tmp_path, monkeypatch) -> Path:
    """The shared gallery as the only root, and an empty folder to work in."""
    monkeypatch.setenv("GANLIB_GALLERY", str(shared))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    monkeypatch.chdir(tmp_path)
    return shared


@pytest.fixture
def own_gallery(gallery, tmp_path_factory, monkeypatch) -> Path:
    """A copy that a test may change."""
    root = copy_of(gallery, tmp_path_factory.mktemp("own"))
    monkeypatch.setenv("GANLIB_GALLERY", str(root))
    return root


def works(*arguments: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints."""
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


def refused(*arguments: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence in which the command ends."""
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert code == 1
    assert out == ""
    assert err.startswith("ganlib: ")
    assert err.endswith(".\n")
    assert err.count("\n") == 1
    assert len(err) < 600
    return err


def direct(gallery: Path, name: str, seeds: Any, labels: Any = None, **options: Any) -> np.ndarray:
    model = Run(gallery / name).load()
    assert isinstance(model, GenerativeModel)
    return sample(model, seeds, labels, **options)[..., 0]


def read(path: Any) -> np.ndarray:
    return np.asarray(Image.open(path))


def cells(path: Any, size: int = 16, gap: int = 2) -> np.ndarray:
    """(rows, columns, H, W): the pictures of a grid, after checking what lies between them."""
    whole = read(path)
    rows, columns = ((n + gap) // (size + gap) for n in whole.shape)
    assert whole.shape == (rows * (size + gap) - gap, columns * (size + gap) - gap)
    padded = np.pad(whole, ((0, gap), (0, gap)), constant_values=255)
    blocks = padded.reshape(rows, size + gap, columns, size + gap).transpose(0, 2, 1, 3)
    assert (blocks[:, :, size:] == 255).all()
    assert (blocks[:, :, :, size:] == 255).all()
    return blocks[:, :, :size, :size]


# sample


def test_one_class_is_a_grid_of_eight_columns(gallery, capsys):
    text = works("sample", CONDITIONAL, "--classes", "3", "--seeds", "5-14", "--out", "g.png", capsys=capsys)
    assert text == f"10 images of {CONDITIONAL} in g.png\n"
    found = cells("g.png")
    assert found.shape[:2] == (2, 8)
    expected = direct(gallery, CONDITIONAL, range(5, 15), [3] * 10)
    assert np.array_equal(found.reshape(16, 16, 16)[:10], expected)
    assert (found.reshape(16, 16, 16)[10:] == 255).all()


def test_several_classes_are_rows_with_a_column_for_each_seed(gallery, capsys):
    works("sample", OTHER, "--classes", "7,2,0", "--seeds", "0,9-10", "--out", "g.png", capsys=capsys)
    expected = direct(gallery, OTHER, [0, 9, 10] * 3, np.repeat([7, 2, 0], 3))
    assert np.array_equal(cells("g.png"), expected.reshape(3, 3, 16, 16))


def test_without_arguments_all_classes_are_drawn_with_eight_seeds_into_grid_png(gallery, tmp_path, capsys):
    works("sample", CONDITIONAL, capsys=capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["grid.png"]
    assert cells("grid.png").shape[:2] == (10, 8)


def test_an_unconditional_run_needs_seeds_alone(gallery, capsys):
    works("sample", UNCONDITIONAL, "--seeds", "0-15", capsys=capsys)
    expected = direct(gallery, UNCONDITIONAL, range(16))
    assert np.array_equal(cells("grid.png"), expected.reshape(2, 8, 16, 16))


def test_a_single_picture_has_no_frame(gallery, capsys):
    works("sample", UNCONDITIONAL, "--seeds", "4294967295", capsys=capsys)
    assert np.array_equal(read("grid.png"), direct(gallery, UNCONDITIONAL, [2**32 - 1])[0])


def test_png_zip_and_folder_hold_the_same_pixels(gallery, tmp_path, capsys):
    request = ["sample", OTHER, "--classes", "1,8", "--seeds", "3-5"]
    names = [f"{OTHER}_{c}_{s}.png" for c in (1, 8) for s in (3, 4, 5)]
    for out in ("g.png", "g.zip", "deep/folder"):
        works(*request, "--out", out, capsys=capsys)
    by_grid = cells("g.png").reshape(6, 16, 16)
    assert sorted(p.name for p in Path("deep/folder").iterdir()) == sorted(names)
    assert np.array_equal(np.stack([read(Path("deep/folder", name)) for name in names]), by_grid)
    with zipfile.ZipFile("g.zip") as archive:
        assert archive.namelist() == ["how.json", *names]
        assert np.array_equal(np.stack([read(io.BytesIO(archive.read(name))) for name in names]), by_grid)
        how = json.loads(archive.read("how.json"))
    assert (how["run"], how["classes"], how["seeds"]) == (OTHER, ["1", "8"], [3, 4, 5])
    assert how["weights_sha256_12"] == Run(gallery / OTHER).weights_hash


def test_a_seed_is_one_picture_alone_and_among_many(gallery, capsys):
    works("sample", CONDITIONAL, "--classes", "4", "--seeds", "0-99", "--out", "many", capsys=capsys)
    works("sample", CONDITIONAL, "--classes", "4", "--seeds", "77", "--out", "one.png", capsys=capsys)
    among, alone = read(f"many/{CONDITIONAL}_4_77.png"), read("one.png")
    assert np.abs(among.astype(int) - alone).max() <= 1


def test_an_option_reaches_the_model(gallery, capsys):
    works("sample", CONDITIONAL, "--classes", "1", "--seeds", "0-7", "--option", "temperature=0.5", capsys=capsys)
    assert np.array_equal(cells("grid.png")[0], direct(gallery, CONDITIONAL, range(8), [1] * 8, temperature=0.5))


def test_a_run_is_taken_by_its_path_too(gallery, tmp_path, capsys):
    run = write_run(tmp_path / "elsewhere" / "noise")
    works("sample", run.path, "--classes", "b", "--seeds", "1", "--out", "one.png", capsys=capsys)
    assert np.array_equal(read("one.png"), direct(tmp_path / "elsewhere", "noise", [1], [1])[0])


def test_a_seed_asked_for_twice_is_drawn_and_kept_twice(gallery, capsys):
    works("sample", UNCONDITIONAL, "--seeds", "5,5", "--out", "twice", capsys=capsys)
    first, second = sorted(Path("twice").iterdir())
    assert np.array_equal(read(first), read(second))


def test_a_class_name_cannot_lead_out_of_the_folder(gallery, tmp_path, capsys):
    run = write_run(tmp_path / "foreign")
    recipe = json.loads(run.folder.config.read_text())
    recipe["data"]["classes"] = ["../../escaped", "/absolute", "c"]
    run.folder.config.write_text(json.dumps(recipe))
    works("sample", run.path, "--seeds", "0", "--out", "out", capsys=capsys)
    assert len(list((tmp_path / "out").iterdir())) == 3
    assert not list(tmp_path.parent.glob("**/escaped*"))


def test_what_stood_at_out_before_is_replaced_whole(gallery, capsys):
    Path("grid.png").write_bytes(b"old" * 100_000)
    works("sample", UNCONDITIONAL, "--seeds", "0", capsys=capsys)
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
    "unknown device": ([CONDITIONAL, "--device", "abacus"], "no device 'abacus'"),
}


@pytest.mark.parametrize("out", ["out.png", "out.zip", "out"])
@pytest.mark.parametrize(("arguments", "says"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_request_that_cannot_be_met_writes_nothing(arguments, says, out, gallery, tmp_path, capsys):
    assert says in refused("sample", *arguments, "--out", out, capsys=capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["file/out.png", "file/out", "folder.png"])
def test_a_place_that_cannot_be_written_is_one_sentence(out, gallery, tmp_path, capsys):
    Path("file").write_text("not a folder")
    Path("folder.png").mkdir()
    before = files_of(tmp_path)
    error = refused("sample", UNCONDITIONAL, "--out", out, capsys=capsys)
    assert out.split("/")[0] in error
    assert files_of(tmp_path) == before


def test_a_run_that_makes_no_pictures_says_so(gallery, tmp_path, capsys):
    run = write_run(tmp_path / "judge", "classifier")
    assert "makes no pictures" in refused("sample", run.path, capsys=capsys)


# list


def test_list_shows_models_runs_and_data_sets(gallery, capsys):
    text = works("list", capsys=capsys)
    for word in ("models", "runs", "data", *MODELS, *RUNS, "digits", "cifar10", "mnist", "celeba", "folder:"):
        assert word in text


@pytest.mark.parametrize(("what", "words"), [("models", list(MODELS)), ("runs", list(RUNS)), ("data", ["digits"])])
def test_list_shows_one_section_alone(what, words, gallery, capsys):
    text = works("list", what, capsys=capsys)
    for word in words:
        assert re.search(rf"^  {word}\s", text, re.MULTILINE)
    if what == "runs":
        assert text.count(f"{IMAGES} images") == len(RUNS)


def test_list_shows_the_snapshots_of_a_run(gallery, capsys):
    text = works("list", CONDITIONAL, capsys=capsys)
    assert f"{IMAGES} images seen" in text
    assert f"snapshots: 0, 320, 640, {IMAGES}" in text


def test_list_without_runs_is_no_error(gallery, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "nothing"))
    assert works("list", "runs", capsys=capsys) == ""


# Damaged runs.


@pytest.fixture
def damaged(gallery, tmp_path_factory, monkeypatch) -> Path:
    root = copy_of(gallery, tmp_path_factory.mktemp("damaged"))
    add_broken_runs(root)
    monkeypatch.setenv("GANLIB_GALLERY", str(root))
    return root


def test_list_names_each_broken_run_in_a_line_and_still_shows_the_others(damaged, capsys):
    lines = works("list", "runs", capsys=capsys).splitlines()
    named = {name for name in BROKEN if name != "config-refused"}  # that takes building the model
    assert len([line for line in lines if line.startswith("  ! ")]) == len(named)
    for name in named:
        assert len([line for line in lines if line.startswith("  ! ") and f"/{name}" in line]) == 1
    for name in RUNS:
        assert len([line for line in lines if line.startswith(f"  {name} ")]) == 1


@pytest.mark.parametrize(
    "command", [["sample"], ["evaluate"], ["list"], ["promote"], ["halve"], ["train", "--resume"]], ids=" ".join
)
def test_no_command_takes_a_broken_run_or_changes_it(command, damaged, tmp_path, capsys):
    before = files_of(damaged)
    for name in BROKEN | MISFITS:
        if command == ["list"] and name in (*MISFITS, "config-refused"):
            continue  # it builds no model
        refused(*command, name, *(["0"] if command == ["promote"] else []), capsys=capsys)
    assert files_of(damaged) == before
    assert list(tmp_path.iterdir()) == []


def test_a_broken_run_or_record_hides_no_other_score(damaged, capsys):
    (damaged / CONDITIONAL / "evaluation.json").write_text("{")
    assert main(["list", "scores"]) == 0
    out, err = capsys.readouterr()
    assert re.search(rf"^\| {OTHER} .* 8\.25 ± 1\.00 ", out, re.MULTILINE)
    assert f"{CONDITIONAL}/evaluation.json is damaged" in err
    works("list", capsys=capsys)


# promote


def test_promote_makes_a_snapshot_the_weights_and_says_to_evaluate_again(own_gallery, capsys):
    run = Run(own_gallery / OTHER)
    before, weights = run.weights_hash, direct(own_gallery, OTHER, range(4), [0] * 4)
    text = works("promote", OTHER, "320", capsys=capsys)
    assert "320 images" in text
    assert "evaluate it again" in text
    promoted = Run(own_gallery / OTHER)
    assert promoted.images_seen == 320
    assert promoted.weights_hash != before
    assert not np.array_equal(direct(own_gallery, OTHER, range(4), [0] * 4), weights)
    works("promote", OTHER, IMAGES, capsys=capsys)
    assert np.array_equal(direct(own_gallery, OTHER, range(4), [0] * 4), weights)


@pytest.mark.parametrize(("name", "snapshot"), [(OTHER, 5), (OTHER, -1), ("nothing", 0)])
def test_promoting_what_is_not_there_changes_nothing(name, snapshot, own_gallery, capsys):
    before = files_of(own_gallery)
    error = refused("promote", name, "--", snapshot, capsys=capsys)
    assert f"no snapshot at {snapshot} images; it has: 0, 320, 640, {IMAGES}" in error or "no run 'nothing'" in error
    assert files_of(own_gallery) == before


# halve


def change(run: Run, how: Callable[[str, Tensor], Tensor]) -> None:
    run.store({k: how(k, v) for k, v in load_file(run.folder.weights).items()})


@pytest.mark.parametrize("name", RUNS)
def test_halve_stores_float16_that_draws_the_same(name, own_gallery, capsys):
    run = Run(own_gallery / name)
    before, size = files_of(own_gallery), run.folder.weights.stat().st_size
    tensors, metadata = load_file(run.folder.weights), run.metadata
    labels = [i % 10 for i in range(64)] if name != UNCONDITIONAL else None
    drawn = direct(own_gallery, name, range(64), labels).astype(int)
    text = works("halve", name, capsys=capsys)
    says = r"largest difference (\d) levels?, mean (\d\.\d\d), (\d\.\d) MB -> (\d\.\d) MB; evaluate it again\n"
    found = re.fullmatch(f"{re.escape(str(run.path))}: {says}", text)
    difference = np.abs(direct(own_gallery, name, range(64), labels) - drawn)
    assert found
    assert found[1] == str(difference.max())
    assert found[2] == f"{difference.mean():.2f}"
    assert run.folder.weights.stat().st_size < 0.6 * size
    half = load_file(run.folder.weights)
    assert {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}.keys() == half.keys()
    for k, v in half.items():
        assert v.dtype == (torch.float16 if tensors[k].is_floating_point() else torch.int64)
        assert torch.equal(v, tensors[k].to(v.dtype))
    assert Run(run.path).metadata == metadata
    after = files_of(own_gallery)
    assert {k for k in after if after[k] != before.get(k)} == {f"{name}/weights.safetensors"}
    assert works("halve", name, capsys=capsys) == f"{run.path}: halved already\n"
    assert files_of(own_gallery) == after


def test_a_halved_run_is_promoted_and_trained_on_as_before(own_gallery, capsys):
    path = own_gallery / CONDITIONAL
    works("halve", CONDITIONAL, capsys=capsys)
    assert "320 images" in works("promote", CONDITIONAL, "320", capsys=capsys)
    works("halve", CONDITIONAL, capsys=capsys)  # G is of float32 again
    works("train", "--resume", CONDITIONAL, "--images", IMAGES + 64, "--device", "cpu", capsys=capsys)
    assert {v.dtype for v in load_file(path / "weights.safetensors").values()} == {torch.float32, torch.int64}


def test_what_float16_cannot_hold_is_not_halved(own_gallery, capsys):
    run = Run(own_gallery / UNCONDITIONAL)
    change(run, lambda name, v: v + 1e5 if name == "D.net.0.bias" else v)
    before = files_of(own_gallery)
    error = refused("halve", UNCONDITIONAL, capsys=capsys)
    assert f"{UNCONDITIONAL} cannot be halved: D.net.0.bias holds values beyond those of float16" in error
    assert files_of(own_gallery) == before


def test_what_would_look_different_is_not_halved(own_gallery, capsys):
    run = Run(own_gallery / UNCONDITIONAL)
    # A shade of grey, made by large weights of numbers that float16 takes for 0.
    grey = {"G.net.4.weight": 0.0, "G.net.4.bias": 2.9e-8, "G.net.6.weight": 6e4}
    change(run, lambda name, v: torch.full_like(v, grey[name]) if name in grey else v)
    before = files_of(own_gallery)
    error = refused("halve", UNCONDITIONAL, capsys=capsys)
    assert re.search(r"would visibly change \(largest difference \d+ levels, mean \d+\.\d+; allowed are 8", error)
    assert "ship it as it is" in error
    assert files_of(own_gallery) == before


def test_one_run_that_cannot_be_halved_costs_no_other(own_gallery, capsys):
    change(Run(own_gallery / UNCONDITIONAL), lambda name, v: v * 1e9 if name == "G.net.0.weight" else v)
    assert main(["halve", UNCONDITIONAL, OTHER]) == 1
    out, err = capsys.readouterr()
    assert OTHER in out
    assert f"Not halved, for the reasons above: {UNCONDITIONAL}." in err


def test_halving_a_classifier_tells_what_else_to_measure_again(gallery, tmp_path, capsys):
    run = write_run(tmp_path / "judge", "classifier")
    (run.path / "references").mkdir()
    text = works("halve", run.path, capsys=capsys)
    assert re.search(r"judge: \d\.\d MB -> \d\.\d MB; evaluate it and what was measured with it again\n", text)


# train

BAD_TRAININGS = {
    "unknown model": (["stylegan9", "--data", "digits", "--images", "64"], "no model 'stylegan9'"),
    "no model": (["--data", "digits", "--images", "64"], "Name a model"),
    "no budget": (["dcgan", "--data", "digits"], "--images N or --max-minutes M"),
    "unknown data": (["dcgan", "--data", "dogots", "--images", "64"], "dogots"),
    "size no power of two": (["dcgan", "--data", "digits", "--image-size", "24", "--images", "64"], "24"),
    "field beyond its bounds": (["dcgan", "--z-dim", "0", "--images", "64"], "z_dim must be at least 1"),
    "one image a step": (["dcgan", "--batch-size", "1", "--images", "64"], "batch_size must be at least 2"),
    "no phase": (["dcgan", "--phases", "X*", "--width", "4", "--images", "64"], "it has D, G"),
    "unknown device": (["dcgan", "--images", "64", "--device", "abacus"], "no device 'abacus'"),
    "like an unknown run": (["--like", "nothing", "--images", "64"], "no run 'nothing'"),
    "resume an unknown run": (["--resume", "nothing"], "no run 'nothing'"),
}


@pytest.mark.parametrize(("arguments", "says"), BAD_TRAININGS.values(), ids=BAD_TRAININGS.keys())
def test_a_training_that_cannot_start_writes_nothing(arguments, says, gallery, tmp_path, capsys):
    out = [] if "--resume" in arguments else ["--out", "new"]
    assert says.replace("it has", "has") in refused("train", *arguments, *out, capsys=capsys)
    assert list(tmp_path.iterdir()) == []


def test_training_never_overwrites_a_run(own_gallery, capsys):
    before = files_of(own_gallery)
    error = refused("train", "dcgan", "--images", "64", "--out", own_gallery / CONDITIONAL, capsys=capsys)
    assert "is a run already; --resume it or choose another --out" in error
    assert files_of(own_gallery) == before


@pytest.mark.parametrize("change", [["--width", "16"], ["--batch-size", "16"], ["--seed", "3"]], ids=lambda c: c[0])
def test_a_resumed_run_keeps_its_recipe(change, own_gallery, capsys):
    before = files_of(own_gallery)
    assert "--like" in refused("train", "--resume", CONDITIONAL, *change, capsys=capsys)
    assert files_of(own_gallery) == before


def test_a_run_is_made_resumed_and_repeated(gallery, tmp_path, capsys):
    common = ["--images", "64", "--device", "cpu"]
    sizes = ["--width", "4", "--z-dim", "8", "--batch-size", "16", "--precision", "fp32"]
    assert "64 images" in works("train", "dcgan", *sizes, *common, "--out", "first", capsys=capsys)
    assert "96 images" in works("train", "--resume", "first", "--images", "96", "--device", "cpu", capsys=capsys)
    assert Run(Path("first")).images_seen == 96
    works("train", "--like", "first", *common, "--seed", "5", "--out", "second", capsys=capsys)
    first, second = Run(Path("first")).recipe, Run(Path("second")).recipe
    assert first["config"] == second["config"]
    assert first["training"] | {"images": 64, "seed": 5} == second["training"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["first", "second"]


# The shell around it.


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["sample"],
        ["sample", CONDITIONAL, "--colour"],
        ["train", "dcgan", "--g-width", "8"],
        ["promote", OTHER, "x"],
        ["halve"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_does_not_parse_shows_the_usage(arguments, gallery, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: python -m ganlib")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["list", "train", "sample", "evaluate", "promote", "halve"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: python -m ganlib {command}" in capsys.readouterr().out


def test_the_flags_of_an_architecture_appear_with_its_name(capsys):
    with pytest.raises(SystemExit):
        main(["train", "sngan", "--help"])
    assert "--g-width" in capsys.readouterr().out


def in_a_process(*arguments: str, cwd: Path, gallery: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "GANLIB_GALLERY": str(gallery)}
    command = [sys.executable, "-m", "ganlib", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


def test_a_process_of_its_own_makes_the_same_pixels(gallery, tmp_path, capsys):
    request = ["sample", OTHER, "--classes", "3", "--seeds", "0-7", "--device", "cpu"]
    done = in_a_process(*request, "--out", "there.png", cwd=tmp_path, gallery=gallery)
    assert (done.returncode, done.stderr) == (0, "")
    works(*request, "--out", "here.png", capsys=capsys)
    assert np.array_equal(read("there.png"), read("here.png"))


def test_a_refusal_is_an_exit_code_without_a_traceback(gallery, tmp_path):
    done = in_a_process("sample", "nothing", cwd=tmp_path, gallery=gallery)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"ganlib: There is no run 'nothing'; .*\.\n", done.stderr)


def test_one_level_is_retrained_alone_from_a_finished_run(tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    small = ["--g-width", "4", "--d-width", "4", "--hidden", "8", "--batch-size", "8", "--coarsest", "4"]
    main(["train", "lapgan", "--data", "digits", *small, "--images", "16", "--out", str(first)])
    main(["train", "--start", str(first), "--phases", "*/8", "--images", "16", "--out", str(second)])
    before, after = (load_file(folder / "weights.safetensors") for folder in (first, second))
    changed = {key.split(".")[1] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"1"}  # of the levels 4, 8 and 16
    recipe = json.loads((second / "config.json").read_text())
    assert recipe["start"] == {"run": "first", "weights": find_run(str(first)).weights_hash}


def test_weights_that_do_not_fit_are_no_start(tmp_path, capsys):
    run = write_run(tmp_path / "run", "cdcgan", num_classes=10)
    code = ["train", "--start", str(run.path), "--data", "digits", "--width", "8", "--images", "8"]
    assert main([*code, "--out", str(tmp_path / "other")]) == 1
    assert "do not fit networks of other sizes" in capsys.readouterr().err
    both = ["train", "--start", str(run.path), "--like", str(run.path), "--images", "8"]
    assert main(both) == 1
    assert "leave one out" in capsys.readouterr().err


def test_a_note_reaches_the_runs_recipe(tmp_path, capsys):
    out = tmp_path / "noted"
    main(["train", "fcgan", "--data", "digits", "--images", "128", "--note", "A short run.", "--out", str(out)])
    assert find_run(str(out)).note == "A short run."
