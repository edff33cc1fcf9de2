"""JSON lines and documents: NVIDIA's, EDM's, BigGAN-PyTorch's, Chainer's, W&B's, Keras' and mimicry's."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ganlib.logs import LogError


def test_nvidia_stats(sample, curve):
    frame = sample("stats.jsonl")
    assert frame.attrs["step_unit"] == "images"
    assert curve(frame, "loss/D") == [(32, 1.5), (4032, 0.75), (8032, 0.5)]  # means, at kimg × 1000
    assert curve(frame, "ada/r_t") == [(32, 1.0), (4032, 0.5), (8032, 0.25)]
    assert curve(frame, "ada/p") == [(32, 0), (4032, 0.125), (8032, 0.25)]
    assert curve(frame, "elapsed")[-1] == (8032, 20)
    assert frame["wall_time"].max() == 1650000020.5
    assert "Loss/D/loss" in set(frame["original"])


def test_nvidia_metrics(sample, curve, reasons):
    frame = sample("metric-pr50k3_full.jsonl")
    assert curve(frame, "precision") == [(0, 0.125), (40000, 0.375), (80000, 0.5)]  # measured in another order
    assert curve(frame, "recall") == [(0, 0), (40000, 0.125), (80000, 0.25)]
    assert frame["segment"].max() == 0
    assert reasons(frame) == [(4, "it names no snapshot or has no results")]


def test_edm_resumed(sample, curve):
    frame = sample("stats_edm.jsonl")
    assert [step for step, _ in curve(frame, "loss")] == [0, 5000, 10000, 5000, 10000]
    assert frame.loc[frame["tag"] == "loss", "segment"].tolist() == [0, 0, 0, 1, 1]


def test_biggan_pytorch(sample, curve):
    frame = sample("tiny_log.jsonl")
    assert curve(frame, "fid") == [(2000, 50), (4000, 25)]
    assert curve(frame, "isc") == [(2000, 2), (4000, 4)]
    assert frame["wall_time"].min() == 1551002000.5


def test_chainer(sample, curve):
    frame = sample("chainer.json")
    assert curve(frame, "loss/G") == [(100, 2), (200, 3), (300, 4)]
    assert curve(frame, "epoch") == [(100, 0), (200, 1), (300, 1)]
    assert curve(frame, "elapsed") == [(100, 2.5), (200, 5), (300, 7.5)]
    assert frame["wall_time"].isna().all()


def test_wandb(sample, curve):
    frame = sample("wandb-history.jsonl")
    assert curve(frame, "loss/G") == [(0, 1.5), (10, 2.5), (20, 3.5)]
    assert not frame["original"].str.startswith("grad").any()  # a histogram
    summary = sample("wandb-summary.json")
    assert curve(summary, "fid") == [(20, 12.5)]
    assert not summary["tag"].str.contains("_wandb").any()


def test_histories_of_lists_and_of_steps(sample, curve):
    keras = sample("keras_history.json")
    assert keras.attrs["step_unit"] == "epochs"
    assert curve(keras, "loss/D") == [(0, 0.5), (1, 0.25)]
    assert curve(sample("fid_50k_50k.json"), "fid") == [(5000, 30.5), (10000, 20.5)]  # mimicry: the mean over seeds


def test_nested_objects_and_strings(written, curve):
    lines = [
        {"step": 1, "loss": {"D": 0.5, "G": {"adv": 1.5}}, "lr": "2e-4", "note": "warm-up", "flag": True},
        {"step": 2, "loss": {"D": None, "G": {"adv": "NaN"}}, "lr": "N/A", "list": [1, 2]},
    ]
    frame = written("\n".join(map(json.dumps, lines)), "log.jsonl")
    assert curve(frame, "loss/D") == [(1, 0.5)]
    np.testing.assert_equal(curve(frame, "loss/G/adv"), [(1, 1.5), (2, np.nan)])
    assert curve(frame, "lr") == [(1, 2e-4)]
    assert set(frame["tag"]) == {"loss/D", "loss/G/adv", "lr"}


def test_dirty_lines(written, curve, reasons):
    text = '# comment\n{"step": 1, "loss": NaN}\n\nwhat\n{"step": 2, "loss": -Infinity}\r\n[1]\n{"step": 3, "lo'
    frame = written(b"\xef\xbb\xbf" + text.encode(), "log.jsonl")
    np.testing.assert_equal(curve(frame, "loss"), [(1, np.nan), (2, -np.inf)])
    assert reasons(frame) == [
        (1, "a comment"),
        (4, "it is no JSON object"),
        (6, "it is no JSON object"),
        (7, "the last line is half written"),
    ]


def test_lines_of_one_scalar_each(written, curve):
    lines = [{"step": i, "tag": tag, "value": i / 2} for i in (1, 2) for tag in ("d_loss", "g_loss")]
    frame = written("\n".join(map(json.dumps, lines)) + "\n", "scalars.jsonl")
    assert curve(frame, "loss/D") == [(1, 0.5), (2, 1)]
    assert curve(frame, "loss/G") == [(1, 0.5), (2, 1)]


def test_an_array_being_written(written, curve, reasons):
    frame = written('[\n  {"iteration": 1, "loss": 2},\n  {"iteration": 2, "loss": 1},\n  {"iterat', "log")
    assert curve(frame, "loss") == [(1, 2), (2, 1)]
    assert reasons(frame) == [(4, "the array is cut off here")]


def test_rows_inside_a_document(written, curve):
    state = {"best": 1.0, "epoch": 2.0, "log_history": [{"step": 5, "loss": 1}, {"step": 10, "loss": 2}]}
    assert curve(written(json.dumps(state, indent=1), "trainer_state.json"), "loss") == [(5, 1), (10, 2)]


def test_one_row(written, curve):
    assert curve(written('{"step": 3, "loss": 1}', "log.jsonl"), "loss") == [(3, 1)]
    assert curve(written('{"loss": 1}\n', "log.jsonl"), "loss") == [(0, 1)]


def test_a_configuration_is_no_log(written):
    with pytest.raises(LogError, match="without rows of scalars"):
        written('{"lr": 0.1, "betas": [0.5, 0.9]}', "config.json")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"step": 1, "loss"', "[{", "[]", "{}"])
def test_broken_documents(written, text):
    with pytest.raises(LogError) as caught:
        written(text, "log.json")
    assert caught.value.path.name == "log.json"


def test_numbers_beyond_any_float(written, curve):
    frame = written('{"step": 1, "loss": 1%s}\n{"step": 2, "loss": 1}\n' % ("0" * 400), "log.jsonl")
    assert curve(frame, "loss") == [(1, np.inf), (2, 1)]
