"""Run folders: what is written is read back, and what is broken says so in one sentence and harms nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.models import MODELS
from ganlib.run_folder import RunError, RunFolder
from ganlib.runs import Run, find_run, scan
from helpers.tiny_models import build, files_of, write_run


def edit(run: Run, change: Any) -> None:
    recipe = json.loads(run.folder.config.read_text())
    change(recipe)
    run.folder.config.write_text(json.dumps(recipe))


def is_one_sentence(error: GanlibError) -> bool:
    text = str(error)
    return text.endswith(".") and "\n" not in text and "Traceback" not in text and len(text) < 500


# Whole runs.


def test_a_run_knows_what_it_is(tmp_path):
    run = write_run(tmp_path / "digits-cdcgan")
    assert (run.name, run.model_name, run.model_class) == ("digits-cdcgan", "cdcgan", MODELS["cdcgan"])
    assert (run.classes, run.data_name) == (("a", "b", "c"), "noise")
    assert (run.images_seen, run.training_seconds) == (64, 1.5)
    assert "promoted" not in run.metadata


def test_reading_a_run_writes_nothing(tmp_path):
    run = write_run(tmp_path / "run")
    before = files_of(tmp_path)
    scan([tmp_path])
    found = find_run("run", [tmp_path])
    found.load()
    assert found.weights_hash
    assert found.metadata
    assert files_of(tmp_path) == before
    assert found.path == run.path


def test_the_hash_follows_the_weights(tmp_path):
    run = write_run(tmp_path / "run")
    copy = Run(shutil.copytree(run.path, tmp_path / "copy"))
    first = run.weights_hash
    assert len(first) == 12
    assert copy.weights_hash == first
    model = build("cdcgan")
    with torch.no_grad():
        next(model.parameters()).add_(1e-3)
    run.folder.write_weights(model, model, 64, 1.5)
    assert run.weights_hash != first
    assert copy.weights_hash == first


def test_scan_finds_runs_by_name_in_every_root(tmp_path):
    for name in ("b/two", "a/one", "a/three"):
        write_run(tmp_path / name)
    (tmp_path / "a/notes").mkdir()
    (tmp_path / "a/README.md").write_text("not a run")
    runs, broken = scan([tmp_path / "a", tmp_path / "b", tmp_path / "absent"])
    assert [r.name for r in runs] == ["one", "three", "two"]
    assert broken == []


def test_a_run_is_found_by_name_or_path_and_a_miss_is_explained(tmp_path):
    run = write_run(tmp_path / "one")
    write_run(tmp_path / "two")
    assert find_run("one", [tmp_path]).path == run.path
    assert find_run(str(run.path), []).path == run.path
    with pytest.raises(RunError, match=r"no run 'three'; `python -m ganlib list runs` shows all 2\."):
        find_run("three", [tmp_path])
    with pytest.raises(
        RunError, match=r"no run 'tow'; the nearest are two; `python -m ganlib list runs` shows all 2\."
    ):
        find_run("tow", [tmp_path])
    for name in ("", "x" * 5000, "nul\0", "../one/config.json"):
        with pytest.raises(RunError, match="There is no run"):
            find_run(name, [tmp_path])
    with pytest.raises(RunError, match=rf"no runs are in {tmp_path / 'absent'}: train one .* GANLIB_RUNS\.") as error:
        find_run("one", [tmp_path / "absent"])
    assert is_one_sentence(error.value)


def test_a_command_line_calls_a_run_outside_the_roots_by_its_path(tmp_path, monkeypatch):
    inside, outside = write_run(tmp_path / "root/one"), write_run(tmp_path / "elsewhere/one")
    roots = [tmp_path / "root"]
    monkeypatch.chdir(outside.path)
    for name in (".", "../one", str(outside.path), "../../elsewhere/one/"):
        run = find_run(name, roots)
        assert (run.name, run.argument) == ("one", str(outside.path))
        assert run.path.resolve() == outside.path.resolve()
    for name in ("one", "../../root/one", str(inside.path)):
        run = find_run(name, roots)
        assert (run.path, run.name, run.argument) == (inside.path, "one", "one")


def test_two_runs_of_one_folder_name_get_two_names_and_are_found_by_them(tmp_path):
    for root in ("gallery", "mine"):
        write_run(tmp_path / root / "one")
    roots = [tmp_path / "gallery", tmp_path / "mine"]
    runs, _ = scan(roots)
    assert [run.name for run in runs] == ["one", "mine/one"]
    assert [find_run(run.name, roots).path for run in runs] == [run.path for run in runs]


# Snapshots.


def with_snapshot(path: Path, images: int = 32) -> Run:
    run = write_run(path)
    model = build("cdcgan")
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(0.5)
    run.folder.write_snapshot(model, images)
    return run


def test_a_snapshot_replaces_what_is_averaged_and_keeps_the_rest(tmp_path):
    run = with_snapshot(tmp_path / "run")
    assert run.folder.snapshot_images() == [32]
    last, early = run.load(), run.load(snapshot=32)
    for k, p in last.named_parameters():
        torch.testing.assert_close(early.get_parameter(k), p * (0.5 if k.startswith("G.") else 1.0))


def test_promote_makes_a_snapshot_the_weights(tmp_path):
    run = with_snapshot(tmp_path / "run")
    before, hash_before = files_of(tmp_path), run.weights_hash
    early = run.load(snapshot=32).state_dict()
    run.promote(32)
    assert all(torch.equal(v, early[k]) for k, v in run.load().state_dict().items())
    assert run.weights_hash != hash_before
    assert (run.images_seen, run.training_seconds) == (32, 0.75)
    assert run.metadata["promoted"] == "true"
    after = files_of(tmp_path)
    assert {k for k in after if after[k] != before.get(k)} == {"run/weights.safetensors"}


def test_a_later_snapshot_promoted_after_an_earlier_one_has_its_own_seconds(tmp_path):
    run = with_snapshot(tmp_path / "run", 16)
    run.folder.write_snapshot(build("cdcgan"), 48)
    seconds = run.training_seconds / run.images_seen
    run.folder.write_snapshot(build("cdcgan"), 0)
    for images in (16, 48, 0, 16):
        run.promote(images)
        assert run.images_seen == images
        assert run.training_seconds == pytest.approx(images * seconds)


def test_an_absent_snapshot_is_explained_and_nothing_is_written(tmp_path):
    run = with_snapshot(tmp_path / "run")
    before = files_of(tmp_path)
    with pytest.raises(RunError, match=r"run has no snapshot at 33 images; it has: 32\."):
        run.promote(33)
    assert files_of(tmp_path) == before


def test_a_snapshot_that_does_not_fit_is_not_promoted(tmp_path):
    run = with_snapshot(tmp_path / "run")
    run.folder.write_snapshot(build("cdcgan", width=8), 48)
    (run.folder.snapshots / "50.safetensors").write_bytes((run.folder.snapshots / "32.safetensors").read_bytes()[:100])
    before = files_of(tmp_path)
    for images in (48, 50):
        with pytest.raises(RunError) as error:
            run.promote(images)
        assert is_one_sentence(error.value)
    assert files_of(tmp_path) == before


# Weights of half the size.


def half_of(run: Run) -> dict[str, torch.Tensor]:
    return {k: v.half() if v.is_floating_point() else v for k, v in load_file(run.folder.weights).items()}


@pytest.mark.parametrize("name", list(MODELS))
def test_float16_weights_load_as_a_float32_model(name, tmp_path):
    run = write_run(tmp_path / "run", name)
    expected, hash_before = half_of(run), run.weights_hash
    run.store(expected)
    found = Run(run.path).load().state_dict()
    assert {v.dtype for v in found.values()} <= {torch.float32, torch.int64, torch.bool, torch.uint8}
    assert all(torch.equal(v, expected[k].to(v.dtype)) for k, v in found.items())
    assert (run.images_seen, run.training_seconds) == (64, 1.5)
    assert run.weights_hash != hash_before


def test_a_snapshot_is_promoted_into_float16_weights(tmp_path):
    run = with_snapshot(tmp_path / "run")
    run.store(half_of(run))
    half, early = run.load().state_dict(), run.load(snapshot=32).state_dict()
    run.promote(32)
    found = run.load().state_dict()
    assert all(torch.equal(v, early[k]) for k, v in found.items())
    assert all(torch.equal(v, half[k]) for k, v in found.items() if k.startswith("D."))
    assert (run.images_seen, run.metadata["promoted"]) == (32, "true")


# Broken runs.


def replace_config(text: str | bytes) -> Any:
    return lambda run: run.folder.config.write_bytes(text if isinstance(text, bytes) else text.encode())


def set_in(*path: str, to: Any) -> Any:
    def change(recipe: dict[str, Any]) -> None:
        for key in path[:-1]:
            recipe = recipe[key]
        recipe[path[-1]] = to

    return lambda run: edit(run, change)


def without(*path: str) -> Any:
    def change(recipe: dict[str, Any]) -> None:
        for key in path[:-1]:
            recipe = recipe[key]
        del recipe[path[-1]]

    return lambda run: edit(run, change)


BROKEN_RECIPES = {
    "not JSON": (replace_config("model: cdcgan"), "is damaged"),
    "empty": (replace_config(""), "is damaged"),
    "cut in half": (replace_config('{"model": "cdcgan", "conf'), "is damaged"),
    "binary": (replace_config(b"\xff\xfe\x00\x01"), "is damaged"),
    "a list": (replace_config("[1, 2]"), "is not a run's recipe"),
    "null": (replace_config("null"), "is not a run's recipe"),
    "another tool's": (replace_config('{"architectures": ["ViT"], "hidden_size": 768}'), "lacks 'model'"),
    "unknown model": (set_in("model", to="cdcgna"), "There is no model 'cdcgna'; try cdcgan"),
    "model a number": (set_in("model", to=7), "is not a run's recipe"),
    "model a list": (set_in("model", to=["cdcgan"]), "is not a run's recipe"),
    "unknown field": (set_in("config", "widht", to=4), "has no field 'widht'; try width"),
    "wrong type": (set_in("config", "width", to="four"), "width must be a value of type int, not 'four'"),
    "list for a number": (set_in("config", "width", to=[4]), r"width must be a value of type int, not \(4,\)"),
    "null for a number": (set_in("config", "image_size", to=None), "image_size must be a value of type int"),
    "out of bounds": (set_in("config", "width", to=0), "width must be at least 1, not 0"),
    "odd size": (set_in("config", "image_size", to=17), "image_size must be a power of two"),
    "no config": (without("config"), "lacks 'config'"),
    "config a list": (set_in("config", to=[]), "is not a run's recipe"),
    "config null": (set_in("config", to=None), "is not a run's recipe"),
    "no data": (without("data"), "lacks 'data'"),
    "no data name": (without("data", "name"), "lacks 'name'"),
    "no classes": (without("data", "classes"), "lacks 'classes'"),
    "data a list": (set_in("data", to=[1]), "is not a run's recipe"),
    "data a word": (set_in("data", to="digits"), "is not a run's recipe"),
    "classes a number": (set_in("data", "classes", to=3), "is not a run's recipe"),
    "fewer classes": (set_in("data", "classes", to=["a", "b"]), "names 2 classes for a model of 3"),
    "no class names": (set_in("data", "classes", to=[]), "names 0 classes for a model of 3"),
    "newer version": (
        set_in("format", to=2),
        r"was written by a newer ganlib \(its format is 2",
    ),
    "version a word": (set_in("format", to="new"), "is not a run's recipe"),
    "two classes of one name": (set_in("data", "classes", to=["a", "b", "b"]), "is not a run's recipe"),
    "model of more classes": (set_in("config", "num_classes", to=5), "names 3 classes for a model of 5"),
}


@pytest.mark.parametrize(("damage", "says"), BROKEN_RECIPES.values(), ids=BROKEN_RECIPES.keys())
def test_a_broken_recipe_is_explained_and_the_other_runs_stay(damage, says, tmp_path):
    write_run(tmp_path / "good")
    damage(write_run(tmp_path / "bad"))
    before = files_of(tmp_path)
    with pytest.raises(RunError, match=says) as error:
        Run(tmp_path / "bad")
    assert "bad" in str(error.value)
    assert is_one_sentence(error.value)
    runs, broken = scan([tmp_path])
    assert [r.name for r in runs] == ["good"]
    assert [str(b) for b in broken] == [str(error.value)]
    assert runs[0].load() is not None
    with pytest.raises(RunError):
        find_run("bad", [tmp_path])
    assert files_of(tmp_path) == before


def cut(run: Run, to: int) -> None:
    run.folder.weights.write_bytes(run.folder.weights.read_bytes()[:to])


def other_shapes(run: Run) -> None:
    model = build("cdcgan", width=8)
    run.folder.write_weights(model, model, 64, 1.5)


def other_classes(run: Run) -> None:
    model = build("cdcgan", num_classes=5)
    run.folder.write_weights(model, model, 64, 1.5)


def other_model(run: Run) -> None:
    model = build("sngan")
    run.folder.write_weights(model, model, 64, 1.5)


def one_tensor_less(run: Run) -> None:
    tensors = load_file(run.folder.weights)
    tensors.pop(sorted(tensors)[0])
    save_file(tensors, run.folder.weights)


BROKEN_WEIGHTS = {
    "missing": (lambda run: run.folder.weights.unlink(), "is missing; copy the whole run folder again"),
    "empty": (lambda run: cut(run, 0), "is damaged"),
    "only a header": (lambda run: cut(run, 200), "is damaged"),
    "all but the last byte": (lambda run: cut(run, -1), "is damaged"),
    "a pickle": (lambda run: torch.save({}, run.folder.weights), "is damaged"),
    "other shapes": (other_shapes, r"D.net.0.bias has shape \(8,\) instead of \(4,\)"),
    "other number of classes": (other_classes, r"D.net.0.weight has shape \(4, 6, 4, 4\) instead of \(4, 4, 4, 4\)"),
    "another model's": (other_model, "is unknown to CDCGAN"),
    "one tensor less": (one_tensor_less, "D.net.0.bias is missing"),
}


@pytest.mark.parametrize(("damage", "says"), BROKEN_WEIGHTS.values(), ids=BROKEN_WEIGHTS.keys())
def test_broken_weights_are_explained_and_the_other_runs_stay(damage, says, tmp_path):
    write_run(tmp_path / "good")
    damage(write_run(tmp_path / "bad"))
    before = files_of(tmp_path)
    runs, _ = scan([tmp_path])
    with pytest.raises(RunError, match=says) as error:
        next(r for r in runs if r.name == "bad").load()
    assert "bad" in str(error.value)
    assert is_one_sentence(error.value)
    assert next(r for r in runs if r.name == "good").load() is not None
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("damage", ["missing", "empty", "only a header", "a pickle"])
def test_what_stands_in_the_header_of_broken_weights_is_not_made_up(damage, tmp_path):
    run = write_run(tmp_path / "bad")
    BROKEN_WEIGHTS[damage][0](run)
    with pytest.raises(RunError):
        _ = run.metadata
    if damage == "missing":
        with pytest.raises(RunError, match="is missing"):
            _ = run.weights_hash


def test_a_half_copied_folder_without_its_recipe_is_named(tmp_path):
    write_run(tmp_path / "good")
    write_run(tmp_path / "bad").folder.config.unlink()
    runs, broken = scan([tmp_path])
    assert [r.name for r in runs] == ["good"]
    (error,) = broken
    assert "bad has weights but no config.json; copy the whole folder again." in str(error)


def test_foreign_safetensors_without_metadata_count_no_images(tmp_path):
    run = write_run(tmp_path / "run")
    save_file(load_file(run.folder.weights), run.folder.weights)
    assert (run.images_seen, run.training_seconds) == (0, 0)


# Atomic writes.


def test_a_write_that_fails_leaves_the_old_content_and_no_rubbish(tmp_path):
    path = tmp_path / "new" / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert files_of(tmp_path) == {"new/file": b"old"}
    write_atomically(path, b"new")
    assert files_of(tmp_path) == {"new/file": b"new"}
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_temporary_file_of_a_killed_write_is_no_snapshot(tmp_path):
    folder = RunFolder(tmp_path)
    folder.snapshots.mkdir()
    (folder.snapshots / ".32.safetensors.k3x1").write_bytes(b"half")
    (folder.snapshots / "notes.safetensors").write_bytes(b"")
    assert folder.snapshot_images() == []
