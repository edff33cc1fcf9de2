"""Sampling: class and seed to pictures."""

from __future__ import annotations

import shlex
from base64 import b64decode
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from ganlib.__main__ import main
from ganlib.images import grid
from ganlib.run_folder import RunError
from ganlib.runs import scan
from ganlib.sampling.request import SampleRequest
from ganlib.ui.samples import file_name
from helpers.gallery import CONDITIONAL, OTHER, UNCONDITIONAL, direct, edit_recipe
from helpers.streamlit_app import (
    LINKS,
    PAGES,
    arrays,
    components,
    fine,
    from_link,
    grid_cells,
    grids,
    is_one_sentence,
    open_page,
    set_to,
    texts,
)
from helpers.tiny_models import write_run


def test_class_and_seed_change_the_pictures_to_those_of_ganlib(gallery):
    at = open_page("sampling", run=CONDITIONAL)
    seen = [grids(at)]
    at = set_to(at, "segmented_control", "class", "3")
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, range(16), [3] * 16))
    seen.append(grids(at))
    at = set_to(at, "text_input", "seed", "1000")
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, range(1000, 1016), [3] * 16))
    seen.append(grids(at))
    at = set_to(at, "select_slider", "n", 4)
    assert len(grids(at)[0]) == 4
    assert grids(at)[0] == seen[-1][0][:4]
    assert len({str(s) for s in seen}) == 3


def test_the_seed_slider_and_the_seed_field_follow_each_other(gallery):
    at = open_page("sampling")
    at = set_to(at, "slider", "seed_slider", 42)
    assert at.text_input(key="seed").value == "42"
    by_slider = grids(at)
    at = set_to(at, "text_input", "seed", "7")
    assert at.slider(key="seed_slider").value == 7
    assert grids(at) != by_slider
    assert grids(set_to(at, "text_input", "seed", "42")) == by_slider


def test_seeds_may_be_a_list(gallery):
    at = open_page("sampling", run=CONDITIONAL, seed="0-2,42", class_="3")
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, [0, 1, 2, 42], [3] * 4))
    assert "--seeds 0-2,42" in at.code[1].value
    assert grids(from_link("sampling", at.code[0].value)) == grids(at)


@pytest.mark.parametrize("text", ["-3", "1.5", "many", "4294967296", "0-256", ""])
def test_what_is_no_seed_is_explained_and_no_old_picture_stays(text, gallery):
    at = open_page("sampling", run=CONDITIONAL)
    at = set_to(at, "text_input", "seed", text)
    assert is_one_sentence(at.error[0].value)
    assert not at.get("bidi_component")
    assert at.sidebar.selectbox(key="device")


def test_a_random_seed_is_drawn(gallery):
    at = open_page("sampling", run=CONDITIONAL)
    before = grids(at)
    at = fine(at.button(key="seed_random").click().run())
    assert grids(at) != before
    assert int(at.text_input(key="seed").value or 0) > 0


def test_the_last_seed_is_a_picture_and_nothing_comes_after_it(gallery):
    at = open_page("sampling", run=CONDITIONAL, seed=str(2**32 - 1))
    assert "The last seed is 4294967295: 1 of 16 images." in texts(at)
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, [2**32 - 1], [0]))


def test_each_picture_has_its_class_and_seed_as_text_and_its_seed_beneath(gallery):
    at = open_page("sampling", run=CONDITIONAL, class_="4", seed="5", n="2")
    assert [(cell["alt"], cell["caption"]) for cell in grid_cells(at)] == [("4, seed 5", "5"), ("4, seed 6", "6")]


def test_all_classes_are_rows_of_the_same_seeds(gallery):
    at = open_page("sampling", run=OTHER, n="8")
    at = set_to(at, "toggle", "all", True)
    expected = direct(gallery, OTHER, list(range(8)) * 10, np.repeat(np.arange(10), 8))
    assert np.array_equal(arrays(grids(at)[0]), expected)
    assert not [s for s in at.segmented_control if s.key == "class"]
    at = set_to(at, "select_slider", "n", 2)
    assert len(grids(at)[0]) == 20


@pytest.mark.parametrize("classes", [40, 300])
def test_all_classes_of_a_data_set_with_many(classes, use, tmp_path):
    use(tmp_path)
    with suppress(RunError):  # it names thirteen
        write_run(tmp_path / "many", "sngan", num_classes=classes, g_width=4, d_width=4)
    edit_recipe(tmp_path / "many", data__classes=[f"number {i}" for i in range(classes)])
    assert len(grids(open_page("sampling", all="true"))[0]) >= classes


def test_runs_are_compared_at_the_same_seeds_and_class(gallery):
    at = open_page("sampling", run=CONDITIONAL, class_="3", seed="5", n="4")
    at = fine(at.multiselect(key="compare").set_value([OTHER, UNCONDITIONAL]).run())
    heads = [cell["head"] for cell in grid_cells(at) if "head" in cell]
    data = "Handwritten digits"
    last = f"DCGAN · {data}: no classes, it ignores the chosen one"
    assert heads == [f"Conditional DCGAN · {data}", f"SNGAN · {data}", last]
    first, second, third = (arrays(g) for g in grids(at))
    assert np.array_equal(first, direct(gallery, CONDITIONAL, range(5, 9), [3] * 4))
    assert np.array_equal(second, direct(gallery, OTHER, range(5, 9), [3] * 4))
    assert np.array_equal(third, direct(gallery, UNCONDITIONAL, range(5, 9)))
    assert len(at.get("download_button")) == 6


def test_rows_of_compared_runs_alternate(gallery):
    at = open_page("sampling", run=CONDITIONAL, compare=OTHER, n="16")
    heads = [cell["head"] for cell in grid_cells(at) if "head" in cell]
    assert heads == ["Conditional DCGAN · Handwritten digits", "SNGAN · Handwritten digits"] * 2
    alike = [cell["caption"] for cell in grid_cells(at) if "src" in cell]
    assert alike == [str(seed) for start in (0, 8) for _ in range(2) for seed in range(start, start + 8)]


def test_files_are_called_after_class_seeds_and_options(gallery):
    run = next(run for run in scan([gallery])[0] if run.name == OTHER)
    names = {
        file_name(SampleRequest(run, classes, seeds, {"temperature": temperature}))
        for classes in ((1,), (2,), (1, 2))
        for seeds in ((0, 1), (0, 2))
        for temperature in (1.0, 0.5)
    }
    assert len(names) == 12
    assert f"{OTHER}_1_seeds_0-1" in names


def test_a_favourite_is_kept_in_the_link(gallery):
    at = open_page("sampling", run=CONDITIONAL, fav=[f"{OTHER}~3~7", f"{UNCONDITIONAL}~~5", "gone~1~2", "x"])
    (tray,) = (data for data in components(at, "pictures") if data["testid"] == "favourites")
    assert [cell["alt"] for cell in tray["cells"]] == [f"{OTHER}, 3, seed 7", f"{UNCONDITIONAL}, seed 5"]
    shown = arrays([b64decode(tray["cells"][0]["src"].partition(",")[2])])
    assert np.array_equal(shown, direct(gallery, OTHER, [7], [3]))


def test_runs_of_other_data_or_other_classes_are_no_comparison(own_gallery):
    for name, classes in (("one", 3), ("two", 3), ("other", 4)):  # all on data called "noise"
        write_run(own_gallery / name, num_classes=classes)
    assert open_page("sampling", run="one").multiselect(key="compare").options == ["two"]
    assert open_page("sampling", run=OTHER).multiselect(key="compare").options == [
        "Conditional DCGAN · Handwritten digits",
        "DCGAN · Handwritten digits",
    ]


def test_an_option_of_the_model_changes_the_pictures(gallery):
    at = open_page("sampling", run=OTHER)
    before = grids(at)
    at = set_to(at, "slider", "temperature", 0.5)
    assert grids(at) != before
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, OTHER, range(16), [0] * 16, temperature=0.5))
    at = set_to(at, "slider", "temperature", 0.0)
    assert len(set(grids(at)[0])) == 1  # nothing left of the seeds


def test_an_unconditional_run_hides_the_class_and_says_why(gallery):
    at = open_page("sampling", run=UNCONDITIONAL)
    assert not [s for s in at.segmented_control if s.key == "class"]
    assert not [t for t in at.toggle if t.key == "all"]
    assert f"{UNCONDITIONAL} is unconditional" in texts(at)
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, UNCONDITIONAL, range(16)))
    at = set_to(at, "selectbox", "run", CONDITIONAL)
    assert at.segmented_control(key="class").value == "0"


def test_another_run_with_other_classes_takes_over_the_seed(own_gallery):
    write_run(own_gallery / "noise-cdcgan")
    at = open_page("sampling", run=CONDITIONAL, class_="7", seed="5")
    at = set_to(at, "selectbox", "run", "noise-cdcgan")
    assert at.segmented_control(key="class").value == "a"
    assert np.array_equal(arrays(grids(at)[0]), direct(own_gallery, "noise-cdcgan", range(5, 21), [0] * 16))


@pytest.mark.parametrize("link", [*LINKS[:3], {"run": CONDITIONAL, "seed": "4294967290", "temperature": "0.1234567"}])
def test_the_command_line_on_the_page_makes_the_same_picture(link, gallery, tmp_path, monkeypatch):
    at = open_page("sampling", **link)
    command = shlex.split(at.code[1].value)
    assert command[:3] == ["python", "-m", "ganlib"]
    monkeypatch.chdir(tmp_path)
    assert main(command[3:]) == 0
    shown = arrays(grids(at)[0])[..., None]
    columns = int(link["n"]) if "all" in link else min(8, len(shown))
    assert np.array_equal(np.asarray(Image.open("grid.png")), np.asarray(grid(shown, columns)))


def test_two_roots_may_hold_runs_of_one_name(gallery, tmp_path, monkeypatch):
    write_run(tmp_path / "mine" / CONDITIONAL)
    monkeypatch.setenv("GANLIB_RUNS", str(tmp_path / "mine"))
    name = f"mine/{CONDITIONAL}"
    at = open_page("sampling", run=name)
    assert not at.warning
    assert at.segmented_control(key="class").options == ["a", "b", "c"]
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(at.code[1].value)[3:]) == 0
    assert np.array_equal(np.asarray(Image.open("grid.png"))[:16, :16], arrays(grids(at)[0])[0])
    for page in PAGES:
        open_page(page)


def test_attributes_are_switches_and_the_link_has_their_class(use, tmp_path):
    write_run(tmp_path / "faces", "sngan", attributes=("Smiling", "Mouth_Open"))
    write_run(tmp_path / "letters", "sngan")
    use(tmp_path)
    at = open_page("sampling", run="faces", class_="Smiling, not Mouth_Open", n="2")
    switches = [at.toggle(key=f"class_{name}") for name in ("Smiling", "Mouth_Open")]
    assert [(s.label, s.value) for s in switches] == [("Smiling", True), ("Mouth Open", False)]
    assert np.array_equal(arrays(grids(at)[0]), direct(tmp_path, "faces", [0, 1], [2, 2]))
    at = set_to(at, "toggle", "class_Mouth_Open", True)
    assert at.query_params["class"] == "Smiling, Mouth_Open"
    assert np.array_equal(arrays(grids(at)[0]), direct(tmp_path, "faces", [0, 1], [3, 3]))
    at = set_to(at, "selectbox", "run", "letters")
    assert [w.value for w in at.warning] == []
    at = set_to(at, "segmented_control", "class", "b")
    at = set_to(at, "selectbox", "run", "faces")
    assert [at.toggle(key=f"class_{name}").value for name in ("Smiling", "Mouth_Open")] == [False, False]
    at = set_to(at, "toggle", "class_Smiling", True)
    assert [w.value for w in at.warning] == []


def test_combinations_that_were_not_trained_are_named(use, tmp_path):
    write_run(tmp_path / "faces", "biggan", attributes=("Smiling", "Male"))
    edit_recipe(tmp_path / "faces", data__class_counts=[9, 9, 6, 0])
    use(tmp_path)
    notice = ":material/info: No training image has this combination."
    assert notice not in texts(open_page("sampling", run="faces", class_="Smiling, not Male"))
    assert notice in texts(open_page("sampling", run="faces", class_="Smiling, Male"))
