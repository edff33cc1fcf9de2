"""FID comparison: protocols, bars, stale scores."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from helpers.fid_page import bars, numbers, protocol_of
from helpers.gallery import (
    CANVAS,
    CODES,
    CONDITIONAL,
    IMAGES,
    OTHER,
    PYRAMID,
    RUNS,
    SLOW,
    STYLES,
    UNCONDITIONAL,
    add_able_runs,
    archive_in_place,
    score,
)
from helpers.streamlit_app import charts, fine, open_page, set_to, texts

NOISE = (CODES, CANVAS, PYRAMID, STYLES, SLOW)


def reasons(at: AppTest) -> dict[str, str]:
    """Run -> why it is not ranked."""
    (table,) = (d.value for d in at.dataframe if "Reason" in d.value)
    return dict(zip(table["Run"], table["Reason"], strict=True))


def test_bars_are_sorted_and_named_after_the_extractor(gallery):
    at = open_page("fid")
    assert bars(at)["y"] == [CONDITIONAL, OTHER]
    assert charts(at)[0]["layout"]["yaxis"]["autorange"] == "reversed"  # the lowest on top
    title = charts(at)[0]["layout"]["xaxis"]["title"]["text"]
    assert "embedded classifier" in title
    assert title != "FID"
    table = at.dataframe[0].value
    assert list(table["Run"]) == [CONDITIONAL, OTHER]
    assert list(table["FID"]) == [6.5, 8.25]
    assert list(table["Low"]) == [5.5, 7.25]
    assert list(table["Images seen"]) == [IMAGES, IMAGES]


def test_runs_are_called_by_their_architectures_and_links_have_their_names(gallery):
    at = open_page("fid", only=[OTHER, UNCONDITIONAL])
    assert at.multiselect(key="only").options == ["Conditional DCGAN", "SNGAN"]
    assert '"SNGAN"' in at.get("plotly_chart")[0].proto.spec
    assert bars(at)["y"] == [OTHER]
    at = fine(at.multiselect(key="only").set_value([CONDITIONAL]).run())
    assert at.query_params["only"] == CONDITIONAL
    assert at.dataframe[0].value["Architecture"].tolist() == ["Conditional DCGAN"]


def test_two_protocols_never_share_a_chart(gallery):
    at = open_page("fid")
    assert UNCONDITIONAL not in str(charts(at))
    assert UNCONDITIONAL not in list(at.dataframe[0].value["Run"])
    assert reasons(at) == {UNCONDITIONAL: f"Measured under another protocol: {protocol_of(at).options[1]}"}
    protocols = protocol_of(at)
    assert len(protocols.options) == 2
    assert "1,000 generated" in protocols.options[0]
    assert "500 generated" in protocols.options[1]
    at = fine(protocols.select_index(1).run())
    assert bars(at)["y"] == [UNCONDITIONAL]
    assert reasons(at).keys() == {CONDITIONAL, OTHER}


def score_both(root: Any, names: tuple[str, ...]) -> None:
    """Scores by two extractors on the same images, in orders that agree but for the first two runs."""
    protocol = json.loads((root / OTHER / "evaluation.json").read_text())["records"][0]["protocol"]
    imagenet = {"extractor": "efficientnet_lite0", "extractor_name": "e.pth", "extractor_hash": "e" * 12}
    for i, name in enumerate(names):
        score(root / name, float(i), protocol=protocol | {"extractor_name": "judge"})
        score(root / name, 100.0 * [1, 0, 2, 3, 4][i], protocol=protocol | imagenet, date="2026-11-30T10:00:00+00:00")


def test_one_data_set_is_compared_at_a_time(own_gallery):
    add_able_runs(own_gallery)
    score_both(own_gallery, NOISE)
    at = open_page("fid")
    (box,) = (box for box in at.selectbox if box.label == "Data set")
    assert box.options == ["noise", "Handwritten digits"]  # the one of most runs first
    assert bars(at)["y"] == list(NOISE)
    assert not any("Reason" in d.value for d in at.dataframe)
    digits = fine(box.set_value("digits").run())
    assert bars(digits)["y"] == [CONDITIONAL, OTHER]
    assert reasons(digits).keys() == {UNCONDITIONAL}
    linked = open_page("fid", protocol=protocol_of(digits).value)
    assert bars(linked)["y"] == [CONDITIONAL, OTHER]


def test_a_run_is_measured_with_as_many_images_as_others_of_its_data(own_gallery):
    add_able_runs(own_gallery)
    protocol = json.loads((own_gallery / OTHER / "evaluation.json").read_text())["records"][0]["protocol"]
    for name in NOISE:
        score(own_gallery / name, 1.0, protocol=protocol | {"n_fake": 10_000})
    at = open_page("fid", dataset="noise")
    assert "10,000 generated" in protocol_of(at).value

    def offered(run: str) -> Any:
        (runs,) = (box for box in at.multiselect if box.label == "Runs to measure")
        fine(runs.set_value([run]).run())
        return next(box.value for box in at.select_slider if box.label == "Images to generate")

    assert offered(OTHER) == 1_000  # not the 10,000 of the ranking on screen
    assert offered(SLOW) == 10_000


def test_each_extractor_is_explained_and_compared_with_the_other(own_gallery):
    add_able_runs(own_gallery)
    score_both(own_gallery, NOISE)
    at = open_page("fid", section="Other features")
    assert protocol_of(at).value.startswith("embedded judge")
    assert "A classifier of this data set: it knows its classes; blind to" in texts(at)
    assert "Rank correlation (Spearman): 0.90 with EfficientNet-Lite0 features (5 runs)." in texts(at)
    (pairs,) = (
        chart for chart in charts(at) if "EfficientNet" in chart["layout"]["yaxis"].get("title", {}).get("text", "")
    )
    assert {t["name"]: (t["x"], t["y"]) for t in pairs["data"]}[CODES] == ([0.0], [100.0])
    at = fine(protocol_of(at).select_index(1).run())
    assert "FID on EfficientNet-Lite0 features" in charts(at)[0]["layout"]["xaxis"]["title"]["text"]
    assert "ImageNet features: comparable between data sets" in texts(at)
    assert "Rank correlation (Spearman): 0.90 with embedded classifier's features (5 runs)." in texts(at)


PROTOCOL_CHANGES: list[dict[str, Any]] = [
    {"n_real": 360},
    {"reference": {"data": "digits", "split": "test", "fingerprint": "0123456789abcdef"}},
    {"reference": {"data": "digits", "split": "train", "fingerprint": "fedcba9876543210"}},
    {"extractor_hash": "ffffffffffff"},
    {"extractor": "inception", "extractor_name": "inception-v3-compat"},
    {"resizer": "bilinear"},
    {"options": {"temperature": 0.5}},
]


@pytest.mark.parametrize("change", PROTOCOL_CHANGES, ids=lambda change: next(iter(change)))
def test_any_difference_of_protocol_keeps_runs_apart(change, own_gallery):
    protocol = json.loads((own_gallery / CONDITIONAL / "evaluation.json").read_text())["records"][0]["protocol"]
    (own_gallery / CONDITIONAL / "evaluation.json").unlink()
    score(own_gallery / CONDITIONAL, 3.0, protocol=protocol | change)
    at = open_page("fid")
    assert len(bars(at)["y"]) == 1
    assert len(set(protocol_of(at).options)) == 3
    assert all(reason.startswith("Measured under another protocol: ") for reason in reasons(at).values())


def test_another_metric_keeps_to_the_runs_that_were_shown(own_gallery):
    protocol = json.loads((own_gallery / OTHER / "evaluation.json").read_text())["records"][0]["protocol"]
    for name, n in [(CONDITIONAL, 1000), (OTHER, 1000), (UNCONDITIONAL, 500)]:
        score(own_gallery / name, 0.5, metric="kid", protocol=protocol | {"n_fake": n, "subset": 100})
    at = open_page("fid")
    at = fine(protocol_of(at).select_index(1).run())
    at = set_to(at, "segmented_control", "metric", "KID")
    assert bars(at)["y"] == [UNCONDITIONAL]
    assert "500 generated" in protocol_of(at).value


def test_runs_measured_by_another_metric_alone_are_shown(own_gallery):
    for name in RUNS:
        (own_gallery / name / "evaluation.json").unlink()
    score(own_gallery / OTHER, 0.5, metric="kid")
    at = open_page("fid")
    assert bars(at)["y"] == [OTHER]
    assert set(reasons(at).values()) == {"Not measured"}


def test_a_link_opens_its_protocol(own_gallery):
    score(own_gallery / CONDITIONAL, 3.0, n_fake=500)
    first = open_page("fid")
    (other,) = set(protocol_of(first).options) - {protocol_of(first).value}
    at = open_page("fid", protocol=other)
    assert not at.warning
    assert list(at.dataframe[0].value["FID"]) == [3.0, 30.0]


def test_class_agreement_of_other_images_is_not_shown_beside_a_score(own_gallery):
    protocol = json.loads((own_gallery / CONDITIONAL / "evaluation.json").read_text())["records"][0]["protocol"]
    mine = protocol | {"n_real": 0, "reference": None}
    score(own_gallery / CONDITIONAL, 0.75, metric="class_agreement", protocol=mine)
    score(own_gallery / CONDITIONAL, 0.99, metric="class_agreement", protocol=mine | {"options": {"temperature": 0.5}})
    table = open_page("fid").dataframe[0].value.set_index("Run")
    assert table["Class agreement, %"][CONDITIONAL] == 75.0
    assert np.isnan(table["Class agreement, %"][OTHER])
    imagenet = protocol | {"extractor": "efficientnet_lite0", "extractor_hash": "e" * 12}
    for name in (CONDITIONAL, OTHER):
        score(own_gallery / name, 300.0, protocol=imagenet)
    at = fine(protocol_of(open_page("fid")).select_index(1).run())
    assert at.dataframe[0].value.set_index("Run")["Class agreement, %"][CONDITIONAL] == 75.0  # of the same images
    at = set_to(open_page("fid"), "segmented_control", "metric", "Class agreement")
    assert "Class agreement, %" not in at.dataframe[0].value  # which would name one number in two units
    assert reasons(at)[UNCONDITIONAL] == "It is unconditional"


def test_class_agreement_is_of_the_shown_runs_and_of_one_classifier(own_gallery):
    protocol = json.loads((own_gallery / CONDITIONAL / "evaluation.json").read_text())["records"][0]["protocol"]
    usual = protocol | {"n_real": 0, "reference": None}
    for name, value in [(CONDITIONAL, 0.75), (OTHER, 0.5)]:
        score(own_gallery / name, value, metric="class_agreement", protocol=usual)
    other = usual | {"extractor_hash": "f" * 12, "extractor_name": "another-classifier"}
    later = "2026-11-30T10:00:00+00:00"
    score(own_gallery / OTHER, 0.99, metric="class_agreement", protocol=other, date=later)
    at = open_page("fid")
    assert at.dataframe[0].value.set_index("Run")["Class agreement, %"].to_dict() == {CONDITIONAL: 75.0, OTHER: 50.0}
    assert "99.0%" not in texts(at)
    assert "Best by Class agreement: SNGAN" in texts(open_page("fid", only=[OTHER]))
    assert texts(open_page("fid", metric="Class agreement")).count("Best by Class agreement") == 1


def test_a_run_that_was_not_chosen_is_said_to_be_measured_alike(gallery):
    at = open_page("fid", only=[CONDITIONAL])
    assert reasons(at)[OTHER] == "Measured alike, not among the chosen runs"
    assert reasons(at)[UNCONDITIONAL].startswith("Measured under another protocol: ")


def test_an_archived_run_is_ranked_where_it_is_named_and_never_recommended(own_gallery):
    archive_in_place(own_gallery / CONDITIONAL)
    at = open_page("fid", only=[CONDITIONAL, OTHER])
    assert bars(at)["y"] == [CONDITIONAL, OTHER]
    assert "Best by FID: SNGAN · Handwritten digits (8.25 ± 1), the only run that is measured." in texts(at)
    assert "1 archived run has no weights any more and cannot be recommended." in texts(at)
    assert "archived run" not in texts(open_page("fid"))


def test_scores_of_earlier_weights_and_of_snapshots_are_left_out(own_gallery):
    (own_gallery / OTHER / "evaluation.json").unlink()
    score(own_gallery / OTHER, 1.0, weights_hash="000000000000")
    score(own_gallery / OTHER, 2.0, snapshot=320)
    at = open_page("fid")
    assert bars(at)["y"] == [CONDITIONAL]
    assert reasons(at)[OTHER] == "Measured with earlier weights only"


def test_only_stale_scores_are_like_none(own_gallery):
    for name in RUNS:
        (own_gallery / name / "evaluation.json").unlink()
        score(own_gallery / name, 1.0, weights_hash="000000000000")
    at = open_page("fid")
    assert not charts(at)
    assert "present weights" in at.info[0].value
    assert at.code[0].value.startswith("python -m ganlib evaluate")


def test_of_two_evaluations_of_the_same_weights_the_latest_counts(own_gallery):
    score(own_gallery / OTHER, 5.0, date="2026-11-21T10:00:00+00:00")
    score(own_gallery / OTHER, 6.0, date="2026-11-19T10:00:00+00:00")
    assert list(open_page("fid").dataframe[0].value["FID"]) == [5.0, 6.5]


def test_a_doubtful_score_is_shown_with_its_doubt(own_gallery):
    score(own_gallery / OTHER, 5.0, date="2026-11-21T10:00:00+00:00", warning="Only 100 generated images.")
    at = open_page("fid")
    assert [w.value for w in at.warning] == ["Only 100 generated images."]


def test_scores_of_a_broken_run_are_not_ranked(own_gallery):
    (own_gallery / OTHER / "config.json").write_text("{")
    assert bars(open_page("fid"))["y"] == [CONDITIONAL]


def test_another_metric_ranks_the_other_way(own_gallery):
    for name, value in [(CONDITIONAL, 0.25), (OTHER, 0.75)]:
        score(own_gallery / name, value, metric="precision")
    at = open_page("fid")
    assert at.segmented_control(key="metric").options == ["FID", "Precision"]
    at = set_to(at, "segmented_control", "metric", "Precision")
    assert bars(at)["y"] == [OTHER, CONDITIONAL]
    assert "Precision on embedded classifier's features (higher is better)" in str(charts(at)[0]["layout"]["xaxis"])
    assert list(at.dataframe[0].value["Precision"]) == [0.75, 0.25]
    assert "lie among real ones" in texts(at)
    again = open_page("fid", metric="Precision")
    assert bars(again)["y"] == [OTHER, CONDITIONAL]


@pytest.mark.parametrize(("key", "value"), [("metric", "FDI"), ("cost", "money"), ("section", "Costs")])
def test_a_bad_link_is_one_sentence(key, value, own_gallery):
    score(own_gallery / CONDITIONAL, 0.5, metric="precision")
    at = open_page("fid", **{key: value})
    assert len(at.warning) == 1
    assert f"asks for {key}" in at.warning[0].value


def test_recipes_side_by_side_show_only_what_differs(gallery):
    at = open_page("fid")
    (table,) = (d.value.set_index("setting") for d in at.dataframe if "setting" in d.value)
    assert list(table.columns) == [CONDITIONAL, OTHER]
    assert table.loc["model"].tolist() == ["cdcgan", "sngan"]
    assert table.loc["config.g_width"].tolist() == ["", "12"]  # which only one of them has
    assert "training.batch_size" not in table.index
    assert not any(key.startswith(("versions", "created", "commit")) for key in table.index)
    at = fine(at.multiselect(key="side").set_value([OTHER]).run())
    assert not any("setting" in d.value for d in at.dataframe)


def test_scores_of_classes_are_a_heatmap(own_gallery):
    protocol = json.loads((own_gallery / OTHER / "evaluation.json").read_text())["records"][0]["protocol"]
    assert len(charts(open_page("fid", section="Classes"))) == 1
    for label in range(3):
        mine = protocol | {"class": str(label), "n_fake": 100, "n_real": 140}
        score(own_gallery / OTHER, 5.0 + label, metric="class_fid", protocol=mine)
        truncated = mine | {"options": {"temperature": 0.5}}
        score(own_gallery / CONDITIONAL, 9.0, metric="class_fid", protocol=truncated)  # of other images
        smaller = mine | {"n_fake": 50}
        score(own_gallery / OTHER, 99.0, metric="class_fid", protocol=smaller, n_fake=500)  # of a smaller sample
    at = open_page("fid", section="Classes")
    (heat,) = (trace for chart in charts(at) for trace in chart["data"] if trace["type"] == "heatmap")
    assert heat["y"] == [OTHER]
    assert heat["x"] == ["0", "1", "2"]
    score(own_gallery / OTHER, 5.0, metric="class_fid", protocol=mine, warning="Only 100 images.")
    assert "Only 100 images." in texts(open_page("fid"))


def test_the_floor_is_drawn_where_the_same_extractor_measured_it(own_gallery):
    protocol = json.loads((own_gallery / OTHER / "evaluation.json").read_text())["records"][0]["protocol"]
    score(own_gallery / UNCONDITIONAL, 0.25, metric="fid_floor", protocol=protocol | {"extractor_hash": "f" * 12})
    assert "shapes" not in charts(open_page("fid"))[0]["layout"]
    score(own_gallery / UNCONDITIONAL, 0.85, metric="fid_floor", protocol=protocol | {"n_fake": 359})
    at = open_page("fid")
    assert "shapes" not in charts(at)[0]["layout"]  # so few have a higher FID
    assert "359 real test images have an FID of 0.85" in texts(at)
    score(own_gallery / UNCONDITIONAL, 0.75, metric="fid_floor", protocol=protocol)
    (line,) = charts(open_page("fid"))[0]["layout"]["shapes"]
    assert line["x0"] == line["x1"] == 0.75


def test_the_best_snapshot_stands_on_the_bar_of_its_run(own_gallery):
    for snapshot, value in [(320, 20.0), (640, 7.0)]:
        score(own_gallery / OTHER, value, snapshot=snapshot, images_seen=snapshot, weights_hash="000000000000")
    score(own_gallery / CONDITIONAL, 1.0, snapshot=320, n_fake=500)  # of another protocol
    score(own_gallery / CONDITIONAL, 99.0, snapshot=640)  # worse than its weights
    (marks,) = (t for t in charts(open_page("fid"))[0]["data"] if t["mode" if "mode" in t else "type"] == "markers")
    assert marks["y"] == [OTHER]
    assert numbers(marks["x"]) == [7.0]
    assert f"{OTHER} 7 at 640 images" in texts(open_page("fid"))


def test_precision_stands_against_recall_of_the_same_images(own_gallery):
    protocol = json.loads((own_gallery / OTHER / "evaluation.json").read_text())["records"][0]["protocol"]
    mine = protocol | {"neighbours": 3, "n_real": 500}
    for metric, value in [("precision", 0.75), ("recall", 0.25)]:
        score(own_gallery / OTHER, value, metric=metric, protocol=mine)
    score(own_gallery / CONDITIONAL, 0.5, metric="precision", protocol=mine)  # without its recall
    (point,) = charts(open_page("fid", section="Precision and recall"))[1]["data"]
    assert (point["name"], point["x"], point["y"]) == (OTHER, [0.25], [0.75])


def test_every_ranked_run_shows_its_pictures(gallery):
    table = open_page("fid").dataframe[0].value
    assert all(url.startswith("data:image/webp;base64,") for url in table["Samples"])
    assert len(set(table["Samples"])) == 2


def test_other_runs_are_laid_side_by_side_where_others_are_shown(own_gallery):
    score(own_gallery / UNCONDITIONAL, 9.0)
    score(own_gallery / UNCONDITIONAL, 9.0, n_fake=200)
    score(own_gallery / CONDITIONAL, 9.0, n_fake=200)
    at = fine(open_page("fid").multiselect(key="side").set_value([OTHER]).run())
    (small,) = (label for label in protocol_of(at).options if "200 generated" in label)
    at = fine(protocol_of(at).set_value(small).run())
    assert set(at.multiselect(key="side").value) == {UNCONDITIONAL, CONDITIONAL}
