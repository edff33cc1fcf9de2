"""Training curves and the pictures beside them."""

from __future__ import annotations

import zipfile
from base64 import b64decode
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ganlib.errors import GanlibError
from ganlib.figures import PALETTE
from ganlib.figures.curves import LINE_END
from ganlib.logs import archives
from ganlib.models import MODELS
from helpers.gallery import CONDITIONAL, IMAGES, OTHER, RUNS, UNCONDITIONAL, copy_of, edit_recipe, pictures, score
from helpers.streamlit_app import charts, components, fine, open_page, set_to, texts


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
    assert len(set(colours.values())) == len(RUNS)
    assert colours == {run: PALETTE[MODELS[run.removeprefix("digits-")].colour] for run in RUNS}


def test_runs_and_scalars_are_chosen_freely(gallery):
    at = open_page("curves", smooth="0")
    at = fine(at.multiselect(key="runs").set_value([OTHER, UNCONDITIONAL]).run())
    at = fine(at.multiselect(key="tags").set_value(["loss/G", "D/real", "grad/D"]).run())
    assert {run: len(traces) for run, traces in lines(at).items()} == {OTHER: 3, UNCONDITIONAL: 3}
    titles = [a["text"] for a in charts(at)[0]["layout"]["annotations"] if a.get("name") != LINE_END]
    assert sorted(titles) == ["D/real", "grad/D", "loss/G"]


def test_a_run_without_the_chosen_scalar_is_named(gallery, foreign):
    at = open_page("curves", runs=[OTHER, "theirs"], tags="D/real", x="steps")
    assert "none of the chosen scalars: theirs" in texts(at)


def test_smoothing_keeps_the_raw_line_faint_behind(gallery):
    at = open_page("curves", runs=OTHER, tags="loss/G", smooth="0.9")
    raw, smooth = lines(at)[OTHER]
    assert raw["opacity"] < 1
    assert smooth["opacity"] == 1
    at = set_to(at, "slider", "smooth", 0.0)
    assert len(lines(at)[OTHER]) == 1


@pytest.mark.parametrize(
    ("axis", "title"),
    [("images", "images seen"), ("steps", "steps, as logged"), ("time", "minutes"), ("date", "UTC")],
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
    assert not charts(open_page("curves", runs=OTHER))[0]["layout"].get("shapes")
    log = own_gallery / OTHER / "log.csv"
    head, *rows = log.read_text().splitlines()
    half = len(rows) // 2
    sizes = [8] * half + [16] * (len(rows) - half)
    log.write_text("\n".join([f"{head},resolution", *(f"{r},{s}" for r, s in zip(rows, sizes, strict=True))]) + "\n")
    at = open_page("curves", runs=OTHER, tags="loss/G")
    (mark,) = charts(at)[0]["layout"]["shapes"]
    assert mark["x0"] == mark["x1"] == int(rows[half].split(",")[1])
    assert "16 px" in [a["text"] for a in charts(at)[0]["layout"]["annotations"]]
    at = set_to(at, "pills", "marks", [])
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


@pytest.mark.parametrize(("axis", "expected"), [("images", [320, 640, 960]), ("steps", [10, 20, 30])])
def test_each_picture_of_the_film_strip_has_its_place_on_the_axis(axis, expected, gallery):
    (film,) = components(open_page("curves", runs=OTHER, x=axis), "film")
    (row,) = film["rows"]
    assert row["label"] == "SNGAN"
    assert [cell["id"] for cell in row["cells"][-3:]] == ["320", "640", "960"]
    assert [cell["x"] for cell in row["cells"][-3:]] == pytest.approx(expected, abs=2)
    assert all(cell["src"].startswith("data:image/webp;base64,") for cell in row["cells"])
    assert film["current"] == pytest.approx(expected[-1], abs=2)


def test_curves_of_a_run_whose_weights_are_gone_are_still_shown(own_gallery):
    (own_gallery / OTHER / "weights.safetensors").unlink()
    at = open_page("curves", runs=OTHER)
    assert list(lines(at)) == [OTHER]


def test_a_log_that_has_just_begun_is_no_damage(own_gallery):
    (own_gallery / CONDITIONAL / "log.csv").write_text("step,images,wall_time,loss/D,loss/G\n")
    at = open_page("curves")
    assert not at.warning
    assert set(lines(at)) == set(RUNS) - {CONDITIONAL}


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


def steps_of(at: AppTest, run: str) -> int:
    x = lines(at)[run][0]["x"]
    return len(b64decode(x["bdata"])) // 8 if isinstance(x, dict) else len(x)


def write_log(path: Path, rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False)


def collapsed(n: int = 400) -> dict[str, list[float]]:
    """D is sure of everything from the middle on."""
    half = n // 2
    return {
        "step": list(range(n)),
        "d_loss": [1.2 + 0.1 * (i % 3) for i in range(half)] + [0.0001] * half,
        "g_loss": [0.9 + 0.1 * (i % 2) for i in range(half)] + [12.0] * half,
    }


@pytest.fixture
def foreign(tmp_path, monkeypatch) -> Path:
    """A folder of other tools' logs beside the gallery."""
    monkeypatch.setenv("GANLIB_LOGS", str(tmp_path / "logs"))
    write_log(tmp_path / "logs" / "theirs" / "history.csv", collapsed())
    return tmp_path / "logs"


def test_runs_are_filtered_by_name_recipe_and_scalar(gallery):
    at = open_page("curves", filter="model=sngan")
    assert at.multiselect(key="runs").options == ["SNGAN · Handwritten digits"]
    at = set_to(at, "text_input", "filter", "DIGITS-C")
    assert "Conditional DCGAN · Handwritten digits" in at.multiselect(key="runs").options
    assert "DCGAN · Handwritten digits" not in at.multiselect(key="runs").options
    at = fine(open_page("curves", filter="model=sngan", runs=[CONDITIONAL, OTHER]))
    assert set(lines(at)) == {OTHER}  # the filter applies to what is chosen already
    at = fine(at.text_input(key="filter").set_value(r"\d(").run())
    assert at.error[0].value.startswith(r"“\\d(” is no regular expression")  # Markdown: one backslash is shown
    assert r"put \\ before its signs" in at.error[0].value


def test_another_tools_log_is_shown_along_what_it_logged(gallery, foreign):
    at = open_page("curves", runs="theirs", smooth="0")
    assert set(lines(at)) == {"theirs"}
    assert at.segmented_control(key="x").options == ["steps"]
    both = open_page("curves", runs=["theirs", OTHER], smooth="0")
    assert set(lines(both)) == {OTHER}
    assert "did not log this axis: theirs" in texts(both)
    assert set(lines(set_to(both, "segmented_control", "x", "steps"))) == {OTHER, "theirs"}


def test_a_finding_is_explained_and_its_interval_shaded(gallery, foreign):
    at = open_page("curves", runs="theirs")
    findings = at.radio(key="finding")
    assert "The discriminator wins" in str(findings.options)
    assert not charts(at)[0]["layout"].get("shapes")
    at = fine(findings.set_value(0).run())
    linked = open_page("curves", finding=at.query_params["finding"], runs="theirs")
    assert linked.radio(key="finding").value == 0
    (first, second) = (shape for shape in charts(at)[0]["layout"]["shapes"] if shape["type"] == "rect")
    assert 150 <= first["x0"] <= 250
    assert first["x1"] == 399
    assert second["x0"] == first["x0"]
    own = open_page("curves", runs=OTHER)
    assert "No findings in these runs" in texts(own)
    assert "loss" not in {box.key for box in own.selectbox}


def test_a_loss_that_no_log_tells_can_be_named(gallery, foreign):
    critic = {"step": list(range(300)), "d_loss": [1e-4] * 300, "g_loss": [9.0] * 300}
    write_log(foreign / "critic" / "history.csv", critic)
    assert "The discriminator wins" in str(
        open_page("curves", runs="critic", loss="hinge").radio(key="finding").options
    )
    named = open_page("curves", runs="critic", loss="wasserstein")
    assert not [radio for radio in named.radio if "The discriminator wins" in str(radio.options)]


def test_a_log_that_cannot_be_read_hides_no_other(gallery, foreign):
    (foreign / "broken").mkdir()
    (foreign / "broken" / "log.jsonl").write_bytes(b"\x00\x01\x02" * 100)
    write_log(foreign / "half" / "log.csv", {"step": [1, 2], "loss": [1, 2]})
    with (foreign / "half" / "log.csv").open("a") as f:
        f.write("what,is,this,here\n3,3\n")
    at = open_page("curves", runs="half")
    assert set(lines(at)) == {"half"}
    assert "skipped line" in str([e.label for e in at.expander])


def test_runs_that_differ_in_their_seed_are_a_mean_and_a_band(own_gallery):
    again = copy_of(own_gallery / OTHER, own_gallery / "again")
    edit_recipe(again, training__seed=1)
    at = open_page("curves", runs=[OTHER, "again"], smooth="0")
    (name,) = lines(at)
    assert name == f"{OTHER} (2 seeds)"
    assert set(lines(set_to(at, "toggle", "seeds", False))) == {OTHER, "again"}
    assert "seeds" not in {toggle.key for toggle in open_page("curves", runs=[OTHER, CONDITIONAL]).toggle}


def test_runs_stand_one_by_one_if_wanted(gallery):
    at = open_page("curves", tags="loss/G", layout="one by one")
    assert [a["text"] for a in charts(at)[0]["layout"]["annotations"]] == sorted(RUNS)


def test_a_narrower_range_is_drawn_alone(gallery):
    at = open_page("curves", runs=OTHER, tags="loss/G", smooth="0")
    (cut,) = (slider for slider in at.slider if slider.label == "Shown range")
    before = steps_of(at, OTHER)
    at = fine(cut.set_value((cut.min, cut.max // 2)).run())
    assert 0 < steps_of(at, OTHER) < before


def test_a_scored_snapshot_marks_the_best_moment(own_gallery):
    for snapshot, value in [(320, 20.0), (640, 7.0)]:
        score(own_gallery / OTHER, value, snapshot=snapshot, images_seen=snapshot, weights_hash="000000000000")
    at = open_page("curves", runs=OTHER, tags=["loss/G", "fid"])
    assert "FID 7" in [a["text"] for a in charts(at)[0]["layout"]["annotations"]]


def test_a_finding_counts_as_its_log_does(gallery, foreign):
    rows = collapsed()
    write_log(foreign / "by_epoch" / "history.csv", {"epoch": rows.pop("step")} | rows)
    assert "epochs " in str(open_page("curves", runs="by_epoch").radio(key="finding").options)
    assert "· steps " in str(open_page("curves", runs="theirs").radio(key="finding").options)


def test_a_chosen_run_that_goes_leaves_the_others(own_gallery):
    at = open_page("curves", runs=[OTHER, CONDITIONAL])
    (own_gallery / CONDITIONAL / "log.csv").unlink()
    at = fine(at.run())
    assert at.multiselect(key="runs").value == [OTHER]
    assert at.query_params["runs"] == OTHER


def test_an_upload_that_is_taken_away_leaves_the_default(gallery):
    at = open_page("curves", runs=OTHER)
    csv = pd.DataFrame(collapsed()).to_csv(index=False).encode()
    at = fine(at.get("file_uploader")[0].set_value([("mine.csv", csv, "text/csv")]).run())
    assert at.multiselect(key="runs").value == [OTHER, "mine.csv"]
    at = fine(at.get("file_uploader")[0].set_value([]).run())
    assert at.multiselect(key="runs").value == [OTHER]


def test_a_growing_log_can_be_followed(own_gallery):
    at = open_page("curves", runs=OTHER, follow="true")
    assert at.toggle(key="follow").value


def packed(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_a_zip_stays_in_its_folder_and_within_its_bounds(tmp_path, monkeypatch):
    folder = archives.unpack(packed(tmp_path / "a.zip", {"../../outside.csv": b"step,loss\n1,2\n", "b/c.csv": b"x"}))
    assert sorted(p.name for p in folder.rglob("*.csv")) == ["c.csv", "outside.csv"]
    assert not (tmp_path.parent / "outside.csv").exists()
    monkeypatch.setattr(archives, "UNPACKED_BYTES", 100)
    with pytest.raises(GanlibError, match="at most 2,000 of 0 MB"):
        archives.unpack(packed(tmp_path / "bomb.zip", {"zeros.csv": b"0" * 1000}))
    (tmp_path / "cut.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:-30])
    with pytest.raises(GanlibError, match=r"cut.zip cannot be unpacked"):
        archives.unpack(tmp_path / "cut.zip")
