"""Training curves and the pictures beside them."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard_app import charts, fine, open_page, set_to, texts
from gallery import CONDITIONAL, IMAGES, OTHER, RUNS, UNCONDITIONAL, copy_of, pictures
from ganlib.figures import ARCHITECTURE_COLOURS


def lines(at: AppTest) -> dict[str, list[dict[str, Any]]]:
    """Traces by run."""
    (chart,) = charts(at)
    found: dict[str, list[dict[str, Any]]] = {}
    for trace in chart["data"]:
        found.setdefault(trace["name"], []).append(trace)
    return found


def test_curves_open_on_the_losses_of_all_runs_of_one_data_set(gallery):
    at = open_page("curves")
    assert sorted(at.multiselect(key="runs").value) == sorted(RUNS)
    assert at.multiselect(key="tags").value == ["loss/D", "loss/G"]
    assert sorted(lines(at)) == sorted(RUNS)
    colours = {run: traces[0]["line"]["color"] for run, traces in lines(at).items()}
    assert colours == {run: ARCHITECTURE_COLOURS[run.removeprefix("digits-")] for run in RUNS}


def test_runs_and_scalars_are_chosen_freely(gallery):
    at = open_page("curves", smooth="0")
    at = fine(at.multiselect(key="runs").set_value([OTHER, UNCONDITIONAL]).run())
    at = fine(at.multiselect(key="tags").set_value(["loss/G", "D/real", "grad/D"]).run())
    assert {run: len(traces) for run, traces in lines(at).items()} == {OTHER: 3, UNCONDITIONAL: 3}
    titles = [a["text"] for a in charts(at)[0]["layout"]["annotations"]]
    assert sorted(titles) == ["D/real", "grad/D", "loss/G"]


def test_smoothing_keeps_the_raw_line_faint_behind(gallery):
    at = open_page("curves", runs=OTHER, tags="loss/G", smooth="0.9")
    raw, smooth = lines(at)[OTHER]
    assert raw["opacity"] < 1
    assert smooth["opacity"] == 1
    at = set_to(at, "slider", "smooth", 0.0)
    assert len(lines(at)[OTHER]) == 1


@pytest.mark.parametrize(
    ("axis", "title"), [("images", "images seen"), ("steps", "training steps"), ("time", "minutes")]
)
def test_the_horizontal_axis_is_images_steps_or_time(axis, title, gallery):
    at = open_page("curves", runs=OTHER, tags="loss/G", smooth="0")
    at = set_to(at, "segmented_control", "x", axis)
    (chart,) = charts(at)
    assert title in chart["layout"]["xaxis"]["title"]["text"]


def test_values_may_be_shown_on_a_logarithmic_scale(gallery):
    at = open_page("curves", runs=OTHER, tags="grad/G")
    assert charts(at)[0]["layout"]["yaxis"].get("type") != "log"
    at = set_to(at, "toggle", "log", True)
    assert charts(at)[0]["layout"]["yaxis"]["type"] == "log"


def test_growth_is_marked_where_a_run_grew(own_gallery):
    assert not open_page("curves", runs=OTHER).toggle(key="log").value
    assert "growth" not in {toggle.key for toggle in open_page("curves", runs=OTHER).toggle}
    log = own_gallery / OTHER / "log.csv"
    head, *rows = log.read_text().splitlines()
    half = len(rows) // 2
    sizes = [8] * half + [16] * (len(rows) - half)
    log.write_text("\n".join([f"{head},resolution", *(f"{r},{s}" for r, s in zip(rows, sizes, strict=True))]) + "\n")
    at = open_page("curves", runs=OTHER, tags="loss/G")
    (mark,) = charts(at)[0]["layout"]["shapes"]
    assert mark["x0"] == mark["x1"] == int(rows[half].split(",")[1])
    assert "16 px" in [a["text"] for a in charts(at)[0]["layout"]["annotations"]]
    at = set_to(at, "toggle", "growth", False)
    assert not charts(at)[0]["layout"].get("shapes")


@pytest.mark.parametrize("key", ["runs", "tags"])
def test_nothing_chosen_is_said_and_the_sidebar_stays(key, gallery):
    at = open_page("curves")
    at = fine(at.multiselect(key=key).set_value([]).run())
    assert "Choose at least one run" in at.info[0].value
    assert at.sidebar.selectbox(key="device")


def test_pictures_follow_the_training(gallery):
    at = open_page("curves", runs=CONDITIONAL)
    last = at.get("html")[0].value
    assert f"after {IMAGES} training images" in last
    at = set_to(at, "select_slider", "at", "0")
    first = at.get("html")[0].value
    assert "after 0 training images" in first
    assert pictures(first, "webp") == [(gallery / CONDITIONAL / "samples" / "0.webp").read_bytes()]
    assert pictures(first, "webp") != pictures(last, "webp")


def test_curves_of_a_run_whose_weights_are_gone_are_still_shown(own_gallery):
    (own_gallery / OTHER / "weights.safetensors").unlink()
    at = open_page("curves", runs=OTHER)
    assert list(lines(at)) == [OTHER]


def test_a_log_that_grows_is_read_again(own_gallery):
    at = open_page("curves", runs=OTHER, tags="loss/G", smooth="0")
    log = own_gallery / OTHER / "log.csv"
    *_, last = log.read_text().splitlines()
    step = int(last.split(",")[0])
    with log.open("a") as f:
        f.write(last.replace(f"{step},", f"{step + 2},", 1) + "\n")
    before = len(
        lines(at)[OTHER][0]["x"]["bdata"] if isinstance(lines(at)[OTHER][0]["x"], dict) else lines(at)[OTHER][0]["x"]
    )
    again = lines(fine(at.run()))[OTHER][0]["x"]
    assert len(again["bdata"] if isinstance(again, dict) else again) > before


def test_what_differs_between_the_chosen_runs_is_told(gallery):
    at = open_page("curves", runs=[CONDITIONAL, UNCONDITIONAL])
    table = at.dataframe[0].value.set_index("setting")
    assert table.loc["model"].tolist() == ["cdcgan", "dcgan"]
    assert not open_page("curves", runs=[CONDITIONAL]).dataframe


def test_runs_of_one_recipe_are_said_to_be_the_same(own_gallery):
    copy_of(own_gallery / OTHER, own_gallery / "again")
    at = open_page("curves", runs=[OTHER, "again"])
    assert not at.dataframe
    assert "The recipes of these runs are the same" in texts(at)
