"""train and the shell around it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ganlib.__main__ import main
from ganlib.runs import Run, find_run, read_tensors
from helpers.command_line import read, run_command, run_refused_command
from helpers.gallery import CONDITIONAL, OTHER, PROJECT
from helpers.image_files import PETS, picture, tree, write
from helpers.tiny_models import files_of, write_run

BAD_TRAININGS = {
    "unknown model": (["stylegan9", "--data", "digits", "--images", "64"], "no model 'stylegan9'"),
    "no model": (["--data", "digits", "--images", "64"], "Name a model"),
    "no budget": (["dcgan", "--data", "digits"], "--images N or --max-minutes M"),
    "unknown data": (["dcgan", "--data", "dogots", "--images", "64"], "dogots"),
    "size no power of two": (["dcgan", "--data", "digits", "--image-size", "24", "--images", "64"], "24"),
    "field beyond its bounds": (["dcgan", "--z-dim", "0", "--images", "64"], "z_dim must be at least 1"),
    "one image a step": (["dcgan", "--batch-size", "1", "--images", "64"], "batch_size must be at least 2"),
    "no phase": (["dcgan", "--phases", "X*", "--width", "4", "--images", "64"], "it has D, G"),
    "unlabelled images for a classifier": (
        ["classifier", "--width", "4", "--labels", "100", "--images", "64"],
        "ResNet-9 learns from the class of each image, and --labels 100 leaves 1,338 of 1,438 without",
    ),
    "unlabelled images for classes": (
        ["cdcgan", "--width", "4", "--only", "50", "--labels", "30", "--images", "64"],
        "--labels 30 leaves 20 of 50 without; leave it out, or train on fewer images by --only",
    ),
    "no pairs": (["dagan", "--width", "4", "--only", "10", "--images", "64"], "No class has two images"),
    "half a pair": (["dagan", "--batch-size", "63", "--images", "64"], "a multiple of 2, not 63"),
    "bagan without its GAN": (
        ["bagan", "--width", "4", "--images", "100000"],
        "with 100,000 its GAN would never begin",
    ),
    "unknown device": (["dcgan", "--images", "64", "--device", "abacus"], "no device 'abacus'"),
    "like an unknown run": (["--like", "nothing", "--images", "64"], "no run 'nothing'"),
    "resume an unknown run": (["--resume", "nothing"], "no run 'nothing'"),
}


@pytest.mark.parametrize(("arguments", "says"), BAD_TRAININGS.values(), ids=BAD_TRAININGS.keys())
def test_a_training_that_cannot_start_writes_nothing(arguments, says, gallery, tmp_path, capsys):
    out = [] if "--resume" in arguments else ["--out", "new"]
    assert says.replace("it has", "has") in run_refused_command("train", *arguments, *out, capsys=capsys)
    assert list(tmp_path.iterdir()) == []


def test_labels_of_a_data_set_without_any_are_refused_before_a_run_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(Path("flat"), tree(*(f"{i}.png" for i in range(10))))
    training = ["train", "dcgan", "--width", "4", "--data", "folder:flat", "--image-size", "16", "--labels", "2"]
    error = run_refused_command(*training, "--images", "64", "--out", "new", capsys=capsys)
    assert "no labels to choose from; leave --labels out" in error
    assert not Path("new").exists()


def test_training_never_overwrites_a_run(own_gallery, capsys):
    before = files_of(own_gallery)
    error = run_refused_command("train", "dcgan", "--images", "64", "--out", own_gallery / CONDITIONAL, capsys=capsys)
    assert "is a run already; --resume it or choose another --out" in error
    assert files_of(own_gallery) == before


CHANGES = [
    *(["--width", "16"], ["--batch-size", "16"], ["--seed", "3"], ["--data", "folder:other"]),
    *(["--like", OTHER], ["--start", OTHER], ["--out", "elsewhere"], ["--note", "Longer."]),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c[0])
def test_a_resumed_run_keeps_its_recipe(change, own_gallery, capsys):
    write(Path("other"), PETS)
    before = files_of(own_gallery)
    error = run_refused_command("train", "--resume", CONDITIONAL, *change, "--images", "2000", capsys=capsys)
    assert f"{change[0].strip('-').replace('-', '_')} cannot change" in error
    assert "use --like for a new run." in error
    assert files_of(own_gallery) == before


def test_another_model_cannot_be_named_for_a_resumed_run(own_gallery, capsys):
    error = run_refused_command("train", "dcgan", "--resume", CONDITIONAL, "--images", "2000", capsys=capsys)
    assert "so the model cannot change" in error


def test_a_resumed_run_finds_its_folder_of_pictures_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pets = write(tmp_path / "sets" / "pets", PETS)
    fields = ["--width", "4", "--image-size", "16", "--batch-size", "4", "--device", "cpu"]
    run_command("train", "dcgan", "--data", f"folder:{pets}", *fields, "--images", "8", "--out", "run", capsys=capsys)
    more = ["train", "--resume", "run", "--device", "cpu", "--images"]
    error = run_refused_command(*more, "12", capsys=capsys)
    assert "cannot go on without folder:pets" in error
    assert "--data-root or GANLIB_DATA" in error
    assert "12 images" in run_command(*more, "12", "--data-root", pets.parent, capsys=capsys)
    assert "16 images" in run_command(*more, "16", "--data", f"folder:{pets}", capsys=capsys)


@pytest.mark.parametrize("change", ["promote", "halve"])
def test_resuming_a_finished_run_does_not_undo_what_was_done_to_its_weights(change, own_gallery, capsys):
    run = Run(own_gallery / CONDITIONAL)
    if change == "promote":
        run.promote(run.folder.snapshot_images()[0])
    else:
        run.store({k: v.half() if v.is_floating_point() else v for k, v in read_tensors(run.folder.weights).items()})
    before = run.weights_hash
    assert "which resuming would undo" in run_refused_command("train", "--resume", CONDITIONAL, capsys=capsys)
    assert Run(run.path).weights_hash == before


def test_a_run_is_made_resumed_and_repeated(gallery, tmp_path, capsys):
    common = ["--images", "64", "--device", "cpu"]
    sizes = ["--width", "4", "--z-dim", "8", "--batch-size", "16", "--precision", "fp32"]
    assert "64 images" in run_command("train", "dcgan", *sizes, *common, "--out", "first", capsys=capsys)
    assert "96 images" in run_command("train", "--resume", "first", "--images", "96", "--device", "cpu", capsys=capsys)
    assert Run(Path("first")).images_seen == 96
    run_command("train", "--like", "first", *common, "--seed", "5", "--out", "second", capsys=capsys)
    first, second = Run(Path("first")).recipe, Run(Path("second")).recipe
    assert first.config == second.config
    assert first.training | {"images": 64, "seed": 5} == second.training
    assert sorted(p.name for p in tmp_path.iterdir()) == ["first", "second"]


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


@pytest.mark.slow
def test_a_process_of_its_own_makes_the_same_pixels(gallery, tmp_path, capsys):
    request = ["sample", OTHER, "--classes", "3", "--seeds", "0-7", "--device", "cpu"]
    done = in_a_process(*request, "--out", "there.png", cwd=tmp_path, gallery=gallery)
    assert (done.returncode, done.stderr) == (0, "")
    run_command(*request, "--out", "here.png", capsys=capsys)
    assert np.array_equal(read("there.png"), read("here.png"))


@pytest.mark.slow
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
    start = find_run(str(first))
    trained = {"images": 16, "seconds": start.training_seconds}
    assert recipe["start"] == {"run": "first", "weights": start.weights_hash, **trained}
    main(["train", "--start", str(second), "--phases", "*/8", "--images", "8", "--out", str(tmp_path / "third")])
    third = find_run(str(tmp_path / "third"))
    assert (third.images_seen, third.total_images) == (8, 40)
    assert third.total_seconds == pytest.approx(third.training_seconds + find_run(str(second)).total_seconds, abs=0.1)


def test_weights_that_do_not_fit_are_no_start(tmp_path, capsys):
    run = write_run(tmp_path / "run", "cdcgan", num_classes=10)
    code = ["train", "--start", str(run.path), "--data", "digits", "--width", "8", "--images", "8"]
    assert main([*code, "--out", str(tmp_path / "other")]) == 1
    assert "do not fit networks of other sizes" in capsys.readouterr().err
    both = ["train", "--start", str(run.path), "--like", str(run.path), "--images", "8"]
    assert main(both) == 1
    assert "leave one out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "data", "size"),
    [("--like", "one", 32), ("--start", "one", 32), ("--start", "two", 32), ("--like", "two", 16)],
)
def test_the_size_is_that_of_the_run_whose_weights_or_data_are_taken(flag, data, size, tmp_path):
    """A network for images of any size would else train on others in silence."""
    for name in ("one", "two"):
        files = tree("train/a/1.png", "train/a/2.png", "test/a/1.png", "test/a/2.png")
        write(tmp_path / name, files)
    small = ["--width", "4", "--blocks", "1", "--d-width", "4", "--feature", "0", "--batch-size", "2", "--scale", "2"]
    first = ["train", "srgan", "--data", f"folder:{tmp_path / 'one'}", "--image-size", "32", *small, "--images", "2"]
    assert main([*first, "--out", str(tmp_path / "first")]) == 0
    again = ["train", flag, str(tmp_path / "first"), "--data", f"folder:{tmp_path / data}", "--images", "2"]
    assert main([*again, "--out", str(tmp_path / "second")]) == 0
    assert find_run(str(tmp_path / "second")).config.image_size == size


@pytest.mark.parametrize(
    "data",
    [["folder:sets/pets"], ["folder:sets/pets.tar"], ["subset:folder:sets/pets@2"], ["folder:sets/pets", "2"]],
    ids=["folder", "archive", "subset", "imbalance"],
)
def test_the_size_stays_however_the_data_or_a_part_of_them_are_named(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(Path("sets/pets"), {f"a/{i}.png": picture(i, (32, 32)) for i in range(4)})
    with tarfile.open("sets/pets.tar", "w") as tar:
        tar.add("sets/pets", "pets")
    fields = ["--width", "4", "--image-size", "16", "--batch-size", "2", "--images", "2", "--device", "cpu"]
    run_command("train", "dcgan", "--data", "folder:sets/pets", *fields, "--out", "first", capsys=capsys)
    named = ["--data", data[0], *(["--imbalance", data[1]] if data[1:] else [])]
    again = ["train", "--like", "first", *named, "--images", "2", "--device", "cpu", "--out", "second"]
    run_command(*again, capsys=capsys)
    assert find_run("second").config.image_size == 16


def test_a_note_reaches_the_runs_recipe(tmp_path, capsys):
    out = tmp_path / "noted"
    main(["train", "fcgan", "--data", "digits", "--images", "128", "--note", "A short run.", "--out", str(out)])
    assert find_run(str(out)).note == "A short run."


def test_a_new_run_gets_a_name_that_no_root_has(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "gallery"))
    (tmp_path / "gallery" / "digits-dcgan").mkdir(parents=True)
    arguments = ["train", "dcgan", "--data", "digits", "--width", "4", "--images", "16", "--device", "cpu"]
    for name in ("digits-dcgan-2", "digits-dcgan-3"):
        assert f"runs/{name}: finished" in run_command(*arguments, capsys=capsys)


@pytest.mark.parametrize("flag", ["--like", "--start"])
def test_mixed_precision_of_another_machine_is_not_emulated_here(flag, gallery, monkeypatch, capsys):
    common = ["--data", "digits", "--images", "8", "--batch-size", "8", "--device", "cpu"]
    run_command("train", "dcgan", "--width", "4", *common, "--precision", "bf16", "--out", "first", capsys=capsys)
    for helps, given, expected in [
        (False, [], "fp32"),
        (True, [], "bf16"),
        (False, ["--precision", "bf16"], "bf16"),
    ]:
        monkeypatch.setattr("ganlib.training.config.bf16_helps", lambda device, helps=helps: helps)
        out = f"second-{helps}-{len(given)}"
        run_command("train", flag, "first", *common, *given, "--out", out, capsys=capsys)
        assert Run(Path(out)).training["precision"] == expected
