"""Sheets of two options: each cell is the image that its options give alone."""

from __future__ import annotations

import shlex
from dataclasses import replace

import numpy as np
import pytest

from ganlib.applications.catalogue import find_directions
from ganlib.applications.directions import edit
from ganlib.applications.saved_latents import save_latents
from ganlib.applications.sheets import Sheet, SheetRequest, default_axes, default_values, parse_axis
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.recipe import write_recipe
from ganlib.runs import Run
from ganlib.sampling import sample
from ganlib.sampling.request import parse_class
from helpers.tiny_models import write_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    root = tmp_path_factory.mktemp("runs")
    return {name: write_run(root / name, name) for name in ("cdcgan", "stylegan2_ada", "ddpm", "infogan", "dcgan")}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))


def load(run: Run) -> GenerativeModel:
    model = run.load()
    assert isinstance(model, GenerativeModel)
    return model


def sheet(run: Run, rows: str, columns: str, **changes: object) -> np.ndarray:
    model = load(run)
    request = SheetRequest(run, parse_axis(rows, run, model), parse_axis(columns, run, model), **changes)  # type: ignore[arg-type]
    return Sheet(model, request).finish()


def near(a: np.ndarray, b: np.ndarray) -> bool:
    """Up to the rounding of one level: a value for each image is another sum than one for all."""
    return int(np.abs(a.astype(int) - b.astype(int)).max()) <= 1


def test_style_mixing_is_the_sheet_of_seed_and_mix_seed(runs):
    run = runs["stylegan2_ada"]
    images = sheet(run, "seed=3,4", "mix_seed=7,8,9", label=1, options={"mix_layer": 2})
    for i, seed in enumerate((3, 4)):
        for j, mix in enumerate((7, 8, 9)):
            assert near(images[3 * i + j], sample(load(run), [seed], [1], mix_seed=mix, mix_layer=2)[0])


def test_guidance_and_steps_of_a_diffusion_model(runs):
    run = runs["ddpm"]
    images = sheet(run, "guidance=0.5,3", "steps=1,3", seed=5, label=2)
    expected = [sample(load(run), [5], [2], guidance=g, steps=s)[0] for g in (0.5, 3.0) for s in (1, 3)]
    assert near(images, np.stack(expected))


def test_a_choice_is_an_axis_and_so_is_the_class(runs):
    run = runs["ddpm"]
    images = sheet(run, "class=c,a", "sampler=ddim,ancestral", seed=5, options={"steps": 2})
    expected = [sample(load(run), [5], [k], sampler=s, steps=2)[0] for k in (2, 0) for s in ("ddim", "ancestral")]
    assert near(images, np.stack(expected))


def test_codes_left_to_the_seed_are_a_value_as_any(runs):
    run = runs["infogan"]
    images = sheet(run, "c1=from seed,1", "seed=2-4")
    expected = [sample(load(run), [seed], c1=c)[0] for c in (None, 1) for seed in (2, 3, 4)]
    assert near(images, np.stack(expected))


def test_directions_and_saved_latents_are_axes(runs):
    run = runs["cdcgan"]
    model = load(run)
    save_latents(run, "my dog", model.latents([9]), 2)
    images = sheet(run, "sefa-1=-2,0", "seed=4,@my dog", label=1)
    direction = find_directions(run, model, "sefa")["sefa-1"]
    for j, (seed, label) in enumerate(((4, 1), (9, 2))):
        assert near(images[2 + j], sample(model, [seed], [label])[0])
        moved = edit(model, model.latents([seed] * 4), None, [(direction, -2.0)])
        assert near(images[j], sample(model, moved, [label] * 4)[0])


def test_one_attribute_is_flipped_at_a_fixed_seed(tmp_path):
    run = write_run(tmp_path / "faces", "sngan", attributes=("Smiling", "Male"))
    model = load(run)
    axes = default_axes(run, model)
    assert axes == ("seed", "flip")
    assert default_values("flip", run, model) == "nothing,Smiling,Male"
    images = sheet(run, "seed=3,4", "flip=nothing,Smiling,Male", label=1)
    expected = [sample(model, [seed], [label])[0] for seed in (3, 4) for label in (1, 3, 0)]
    assert near(images, np.stack(expected))
    with pytest.raises(GanlibError, match="has no attributes 'Bald' to flip; it has Smiling, Male"):
        parse_axis("flip=Bald", run, model)


def test_rows_come_one_by_one(runs):
    run = runs["cdcgan"]
    model = load(run)
    growing = Sheet(model, SheetRequest(run, parse_axis("seed=0-2", run, model), parse_axis("class=0,1", run, model)))
    growing.step()
    assert growing.fraction == pytest.approx(1 / 3)
    assert (growing.images[2:] == 128).all()
    assert near(growing.images[:2], sample(model, [0, 0], [0, 1]))


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("cdcgan", ("class", "seed")),
        ("stylegan2_ada", ("seed", "mix_seed")),
        ("ddpm", ("guidance", "steps")),
        ("infogan", ("c1", "c2")),
        ("dcgan", ("temperature", "seed")),
    ],
)
def test_each_model_has_a_sheet_from_the_start(name, axes, runs):
    model = load(runs[name])
    assert default_axes(runs[name], model) == axes
    for axis in axes:
        assert len(parse_axis(f"{axis}={default_values(axis, runs[name], model)}", runs[name], model).values) >= 2


def test_the_command_and_captions_say_what_differs(runs):
    run = runs["cdcgan"]
    model = load(run)
    axes = parse_axis("seed=0-2,9", run, model), parse_axis("temperature=0.5,1", run, model)
    request = SheetRequest(run, *axes, label=1, options={"temperature": 1.0})
    assert request.captions[:2] == ["seed 0, temperature 0.5", "seed 0, temperature 1"]
    assert request.held == "b"
    assert request.command("x.png").split()[3:] == [
        *("sheet", "cdcgan", "--rows", "seed=0-2,9", "--columns", "temperature=0.5,1", "--class", "1", "--out", "x.png")
    ]


def test_the_command_and_the_snippet_find_the_same_cells_again(tmp_path):
    run = write_run(tmp_path / "cdcgan")
    recipe = run.recipe
    write_recipe(run.folder.config, replace(recipe, data=replace(recipe.data, classes=("1", "10", "2"))))
    run = Run(run.path)
    model = load(run)
    save_latents(run, "my dog", model.latents([9]), 2)
    assert parse_axis(f"class={default_values('class', run, model)}", run, model).values == (0, 1, 2)
    for text in ("class=10,2", "class=2", "seed=5,@my dog,6,7", "temperature=0.123456789"):
        axis = parse_axis(text, run, model)
        assert parse_axis(axis.text(run), run, model) == axis
    for label in range(3):
        axes = parse_axis("seed=1", run, model), parse_axis("temperature=1", run, model)
        request = SheetRequest(run, *axes, label=label)
        words = shlex.split(request.command("x.png"))
        assert parse_class(words[words.index("--class") + 1], run) == label


@pytest.mark.parametrize(
    ("name", "axis", "reason"),
    [
        ("cdcgan", "guidance=1,2", "has no axis 'guidance'; it has seed, class, temperature and directions"),
        ("ddpm", "sefa-1=1,2", "has no axis 'sefa-1'"),
        ("dcgan", "class=0,1", "unconditional"),
        ("cdcgan", "temperature=9", "temperature"),
        ("cdcgan", "seed", "is no axis"),
        ("cdcgan", "seed=0-99", "100 values, more than 64"),
        ("cdcgan", "seed=@nothing", "has no latents 'nothing'"),
        ("cdcgan", "sefa-1=many", "is no edit"),
    ],
)
def test_what_is_no_axis_is_one_sentence(name, axis, reason, runs):
    with pytest.raises(GanlibError, match=reason):
        parse_axis(axis, runs[name], load(runs[name]))


def test_two_axes_are_two(runs):
    with pytest.raises(GanlibError, match="both seed"):
        sheet(runs["cdcgan"], "seed=0", "seed=1")
