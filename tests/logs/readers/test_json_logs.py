"""JSON lines and documents: NVIDIA's, EDM's, BigGAN-PyTorch's, Chainer's, W&B's, Keras' and mimicry's."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ganlib.logs import LogError


def test_nvidia_stats(read_sample, points):
    frame = read_sample("stats.jsonl")
    assert frame.attrs["step_unit"] == "images"
    assert points(frame, "loss/D") == [(32, 1.5), (4032, 0.75), (8032, 0.5)]  # means, at kimg × 1000
    assert points(frame, "ada/r_t") == [(32, 1.0), (4032, 0.5), (8032, 0.25)]
    assert points(frame, "ada/p") == [(32, 0), (4032, 0.125), (8032, 0.25)]
    assert points(frame, "elapsed")[-1] == (8032, 20)
    assert frame["wall_time"].max() == 1650000020.5
    assert "Loss/D/loss" in set(frame["original"])


def test_nvidia_metrics(read_sample, points, skipped_reasons):
    frame = read_sample("metric-pr50k3_full.jsonl")
    assert points(frame, "precision") == [(0, 0.125), (40000, 0.375), (80000, 0.5)]  # measured in another order
    assert points(frame, "recall") == [(0, 0), (40000, 0.125), (80000, 0.25)]
    assert frame["segment"].max() == 0
    assert skipped_reasons(frame) == [(4, "it names no snapshot or has no results")]


def test_edm_resumed(read_sample, points):
    frame = read_sample("stats_edm.jsonl")
    assert [step for step, _ in points(frame, "loss")] == [0, 5000, 10000, 5000, 10000]
    assert frame.loc[frame["tag"] == "loss", "segment"].tolist() == [0, 0, 0, 1, 1]


def test_biggan_pytorch(read_sample, points):
    frame = read_sample("tiny_log.jsonl")
    assert points(frame, "fid") == [(2000, 50), (4000, 25)]
    assert points(frame, "isc") == [(2000, 2), (4000, 4)]
    assert frame["wall_time"].min() == 1551002000.5


def test_chainer(read_sample, points):
    frame = read_sample("chainer.json")
    assert points(frame, "loss/G") == [(100, 2), (200, 3), (300, 4)]
    assert points(frame, "epoch") == [(100, 0), (200, 1), (300, 1)]
    assert points(frame, "elapsed") == [(100, 2.5), (200, 5), (300, 7.5)]
    assert frame["wall_time"].isna().all()


def test_wandb(read_sample, points):
    frame = read_sample("wandb-history.jsonl")
    assert points(frame, "loss/G") == [(0, 1.5), (10, 2.5), (20, 3.5)]
    assert not frame["original"].str.startswith("grad").any()  # a histogram
    summary = read_sample("wandb-summary.json")
    assert points(summary, "fid") == [(20, 12.5)]
    assert not summary["tag"].str.contains("_wandb").any()


def test_histories_of_lists_and_of_steps(read_sample, points):
    keras = read_sample("keras_history.json")
    assert keras.attrs["step_unit"] == "epochs"
    assert points(keras, "loss/D") == [(0, 0.5), (1, 0.25)]
    assert points(read_sample("fid_50k_50k.json"), "fid") == [
        (5000, 30.5),
        (10000, 20.5),
    ]  # mimicry: mean over seeds


def test_nested_objects_and_strings(read_text, points):
    lines = [
        {"step": 1, "loss": {"D": 0.5, "G": {"adv": 1.5}}, "lr": "2e-4", "note": "warm-up", "flag": True},
        {"step": 2, "loss": {"D": None, "G": {"adv": "NaN"}}, "lr": "N/A", "list": [1, 2]},
    ]
    frame = read_text("\n".join(map(json.dumps, lines)), "log.jsonl")
    assert points(frame, "loss/D") == [(1, 0.5)]
    np.testing.assert_equal(points(frame, "loss/G/adv"), [(1, 1.5), (2, np.nan)])
    assert points(frame, "lr") == [(1, 2e-4)]
    assert set(frame["tag"]) == {"loss/D", "loss/G/adv", "lr"}


def test_dirty_lines(read_text, points, skipped_reasons):
    text = '# comment\n{"step": 1, "loss": NaN}\n\nwhat\n{"step": 2, "loss": -Infinity}\r\n[1]\n{"step": 3, "lo'
    frame = read_text(b"\xef\xbb\xbf" + text.encode(), "log.jsonl")
    np.testing.assert_equal(points(frame, "loss"), [(1, np.nan), (2, -np.inf)])
    assert skipped_reasons(frame) == [
        (1, "a comment"),
        (4, "it is no JSON object"),
        (6, "it is no JSON object"),
        (7, "the last line is half written"),
    ]


def test_lines_of_one_scalar_each(read_text, points):
    lines = [{"step": i, "tag": tag, "value": i / 2} for i in (1, 2) for tag in ("d_loss", "g_loss")]
    frame = read_text("\n".join(map(json.dumps, lines)) + "\n", "scalars.jsonl")
    assert points(frame, "loss/D") == [(1, 0.5), (2, 1)]
    assert points(frame, "loss/G") == [(1, 0.5), (2, 1)]


def test_an_array_being_written(read_text, points, skipped_reasons):
    frame = read_text('[\n  {"iteration": 1, "loss": 2},\n  {"iteration": 2, "loss": 1},\n  {"iterat', "log")
    assert points(frame, "loss") == [(1, 2), (2, 1)]
    assert skipped_reasons(frame) == [(4, "the array is cut off here")]


def test_rows_inside_a_document(read_text, points):
    state = {"best": 1.0, "epoch": 2.0, "log_history": [{"step": 5, "loss": 1}, {"step": 10, "loss": 2}]}
    assert points(read_text(json.dumps(state, indent=1), "trainer_state.json"), "loss") == [(5, 1), (10, 2)]


def test_one_row(read_text, points):
    assert points(read_text('{"step": 3, "loss": 1}', "log.jsonl"), "loss") == [(3, 1)]
    assert points(read_text('{"loss": 1}\n', "log.jsonl"), "loss") == [(0, 1)]


def test_a_configuration_is_no_log(read_text):
    with pytest.raises(LogError, match="without rows of scalars"):
        read_text('{"lr": 0.1, "betas": [0.5, 0.9]}', "config.json")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"step": 1, "loss"', "[{", "[]", "{}"])
def test_broken_documents(read_text, text):
    with pytest.raises(LogError) as caught:
        read_text(text, "log.json")
    assert caught.value.path.name == "log.json"


def test_numbers_beyond_any_float(read_text, points):
    frame = read_text('{"step": 1, "loss": 1%s}\n{"step": 2, "loss": 1}\n' % ("0" * 400), "log.jsonl")
    assert points(frame, "loss") == [(1, np.inf), (2, 1)]
