"""``ganlib compare``: what is stored, printed and refused."""

from __future__ import annotations

import json

import pytest

from ganlib.__main__ import main
from ganlib.errors import GanlibError
from ganlib.records import read_records
from ganlib.twosample.result import comparisons, read_comparison
from helpers.gallery import digits_run
from helpers.image_files import picture, write

pytestmark = pytest.mark.slow


def compare(*arguments):
    return main(["compare", *map(str, arguments), "--device", "cpu"])


def test_an_untrained_run_is_told_apart_and_everything_is_stored(tmp_path, capsys):
    run = digits_run(tmp_path / "gan", width=8)
    network = ["--networks", "efficientnet_lite0"]
    assert compare("digits#test", run.path, "--n", 80, *network) == 0
    printed = capsys.readouterr()
    assert "They can be told apart: the" in printed.out
    (folder,) = comparisons(run.path)
    assert folder.parent == run.path / "comparisons"
    comparison = read_comparison(folder)
    assert set(comparison.frames) >= {"tests", "roc", "components", "histograms", "plane", "units", "neighbours"}
    assert comparison.protocol["synthetic"] | {"fingerprint": ""} == {
        "name": "gan",
        "n": 80,
        "fingerprint": "",
        "run": "gan",
        "weights": run.weights_hash,
        "options": {},
    }
    auc = comparison.tests.query("test == 'logistic regression' and statistic == 'ROC-AUC'").iloc[0]
    assert auc["value"] > 0.95
    assert auc["sufficient"] < 40
    assert comparison.facts["memorisation"]["pixels"]["copies"] == 0
    assert read_records(run.folder.evaluation)[-len(comparison.records) :] == comparison.records
    scores = {
        (record.metric, record.protocol.extra["test"], record.protocol.extractor) for record in comparison.records
    }
    assert scores >= {
        ("two_sample_auc", "small network", None),
        ("two_sample_auc", "logistic regression", "efficientnet_lite0"),
        ("energy_distance", "energy distance", "efficientnet_lite0"),
        ("copied", "copies", None),
    }
    assert set(comparison.seconds) == {"reading", "classifier", "features", "memorisation"}
    html = (folder / "report.html").read_text()
    assert "They can be told apart" in html
    assert html.count("<img ") == len(comparison.pictures) == 7
    assert r"\toprule" in (folder / "tests.tex").read_text()


def test_the_same_files_are_said_and_what_cannot_be_done_is_left_out(tmp_path, capsys):
    root = write(tmp_path / "pictures", {f"a/{i}.png": picture(i, (18, 18)) for i in range(24)})
    out = tmp_path / "out"
    assert compare(root, root, "--networks", "no-such-network", "--out", out) == 0
    said = capsys.readouterr().err
    assert "These are the same files" in said
    assert "Strong classifiers were left out: There is no extractor 'no-such-network'" in said
    assert "Memorisation: The synthetic side is no run" in said
    assert read_comparison(out).tests["test"].unique().tolist() == ["small network"]
    assert json.loads((out / "comparison.json").read_text())["giveaways"][0].startswith("These are the same files")


def test_too_few_images_are_said(tmp_path, capsys):
    root = write(tmp_path / "few", {f"a/{i}.png": picture(i) for i in range(3)})
    assert compare(root, "digits#test", "--networks", "efficientnet_lite0", "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "A test takes 4 held-out images of either side" in said
    assert "Nothing could be compared" in said


def test_the_result_of_no_run_lies_with_the_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path))
    assert compare("digits#train", "digits#test", "--n", 40, "--networks", "none", "--sections", "classifier") == 0
    (folder,) = comparisons(tmp_path)
    assert read_comparison(folder).records == []


def test_a_damaged_result_is_refused(tmp_path):
    write(tmp_path, {"comparison.json": b'{"frames": ["../secret"], "pictures": []}'})
    with pytest.raises(GanlibError, match="no readable comparison"):
        read_comparison(tmp_path)


def test_latents_are_tested_shifted_and_decoded_and_classifiers_trained(tmp_path):
    run = digits_run(tmp_path / "vae", "vae_conv", class_conditional=True)
    arguments = ["--n", 80, "--networks", "efficientnet_lite0", "--train-images", 64]
    arguments += ["--size", 12]  # which no classifier takes as it is
    assert compare("digits#test", run.path, *arguments, "--sections", "latents", "training") == 0
    comparison = read_comparison(comparisons(run.path)[0])
    assert comparison.warnings == []
    assert set(comparison.frames["components"]["network"]) == {
        "latents of vae",
        "efficientnet_lite0, reconstructed",
        "efficientnet_lite0, mean shifted",
    }
    assert len(comparison.frames["density"]) == 8
    assert set(comparison.pictures) == {"mean_shift", "first_axis", "predictions"}
    accuracy = comparison.tests[comparison.tests["section"] == "training"].set_index("subject")
    assert accuracy.index.tolist() == ["real", "synthetic", "both"]
    assert accuracy["value"].between(accuracy["low"], accuracy["high"]).all()
    assert comparison.frames["training"].groupby("trained_on").size().tolist() == [5, 5, 5]
    sentence = f"A classifier trained on synthetic images is right about {accuracy['value']['synthetic']:.1%} ("
    assert sentence in comparison.facts["verdict"]


def test_a_run_that_does_not_encode_is_said_and_the_rest_goes_on(tmp_path, capsys):
    run = digits_run(tmp_path / "gan", width=8)
    assert compare("digits#test", run.path, "--n", 40, "--networks", "none", "--sections", "latents", "classifier") == 0
    assert "Latents: gan does not encode images; name a VAE" in capsys.readouterr().err
    assert read_comparison(comparisons(run.path)[0]).tests["test"].unique().tolist() == ["small network"]
