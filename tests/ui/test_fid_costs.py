"""FID comparison: scores against what they cost, and over training."""

from __future__ import annotations

from typing import Any

from helpers.fid_page import bars, numbers
from helpers.gallery import (
    CONDITIONAL,
    IMAGES,
    OTHER,
    edit_recipe,
    score,
)
from helpers.streamlit_app import charts, open_page, set_to, texts


def test_a_score_is_set_against_what_it_cost(gallery):
    assert len(charts(open_page("fid"))) == 1  # what stands in a closed section is not drawn
    at = open_page("fid", section="Cost")
    scatter = charts(at)[1]
    assert scatter["layout"]["xaxis"]["title"]["text"] == "training, minutes"
    assert sorted(trace["name"] for trace in scatter["data"][1:]) == sorted([CONDITIONAL, OTHER])
    assert [numbers(trace["error_y"]["array"]) for trace in scatter["data"][1:]] == [[1.0], [1.0]]
    for cost in ("images seen", "parameters"):
        at = set_to(at, "segmented_control", "cost", cost)
        assert charts(at)[1]["layout"]["xaxis"]["title"]["text"] == cost


def test_a_run_costs_less_at_its_snapshots_and_more_with_its_start(own_gallery):
    score(own_gallery / OTHER, 20.0, snapshot=320, images_seen=320, weights_hash="000000000000")
    start = {"run": "before", "weights": "abcdef012345", "images": 64, "seconds": 600.0}
    edit_recipe(own_gallery / OTHER, start=start)
    at = open_page("fid", section="Cost", cost="images seen")
    lines = {trace["name"]: trace for trace in charts(at)[1]["data"][1:]}
    assert numbers(lines[OTHER]["x"]) == [384, IMAGES + 64]
    assert numbers(lines[OTHER]["y"]) == [20.0, 8.25]
    assert numbers(lines[CONDITIONAL]["x"]) == [IMAGES]
    assert "A line leads through a run's snapshots" in texts(at)
    at = set_to(at, "segmented_control", "cost", "training")
    before, after = numbers({trace["name"]: trace for trace in charts(at)[1]["data"][1:]}[OTHER]["x"])
    assert 10 < before < after < 11
    assert list(at.dataframe[0].value["Images seen"]) == [IMAGES, IMAGES + 64]
    at = set_to(at, "segmented_control", "cost", "parameters")
    assert [len(numbers(trace["x"])) for trace in charts(at)[1]["data"][1:]] == [1, 1]
    at = open_page("fid", section="Training")
    assert numbers(charts(at)[1]["data"][0]["x"]) == [384, IMAGES + 64]


def test_scores_of_snapshots_are_a_course_that_ends_in_the_weights(own_gallery):
    assert len(charts(open_page("fid", section="Training"))) == 1
    score(own_gallery / OTHER, 20.0, snapshot=320, images_seen=320, weights_hash="000000000000")
    at = open_page("fid", section="Training")
    assert bars(at)["y"] == [CONDITIONAL, OTHER]
    (line,) = charts(at)[1]["data"]
    assert line["name"] == OTHER
    assert numbers(line["y"]) == [20.0, 8.25]


def test_a_single_run_has_no_costs_to_compare(own_gallery):
    (own_gallery / OTHER / "evaluation.json").unlink()
    assert len(charts(open_page("fid", section="Cost"))) == 1


def test_sampling_speed_is_a_cost_where_one_machine_measured_it(own_gallery):
    for name, rate, machine in [(CONDITIONAL, 100.0, "slow"), (OTHER, 200.0, "slow"), (OTHER, 9000.0, "fast")]:
        protocol: dict[str, Any] = {"n_real": 0, "n_fake": 64, "reference": None, "extractor": None, "options": {}}
        protocol["machine"] = machine
        score(own_gallery / name, rate, metric="sampling_rate", protocol=protocol)
    at = set_to(open_page("fid", section="Cost"), "segmented_control", "cost", "milliseconds an image")
    scatter = charts(at)[1]
    assert scatter["layout"]["xaxis"]["title"]["text"] == "milliseconds an image, slow"
    assert {t["name"]: numbers(t["x"]) for t in scatter["data"][1:]} == {CONDITIONAL: [10.0], OTHER: [5.0]}
