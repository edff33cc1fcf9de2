"""JSON lines and documents: NVIDIA's, EDM's, BigGAN-PyTorch's, Chainer's, W&B's, Keras' and mimicry's."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ganlib.logs import LogError
from ganlib.logs.readers.json_rows import MAX_HISTORIES


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
    assert skipped_reasons(frame) == [(4, "it names no snapshot, from which the step could be known")]


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


def test_a_history_with_the_time_of_each_epoch_is_of_epochs(read_text, points):
    frame = read_text(json.dumps({"train_loss": [3, 2, 1], "val_loss": [4, 3, 2], "time": [60, 61.5, 60]}), "h.json")
    assert frame.attrs["step_unit"] == "epochs"
    assert points(frame, "loss") == [(0, 3), (1, 2), (2, 1)]
    assert points(frame, "time") == [(0, 60), (1, 61.5), (2, 60)]


def test_nested_objects_and_strings(read_text, points):
    lines = [
        {"step": 1, "loss": {"D": 0.5, "G": {"adv": 1.5}}, "lr": "2e-4", "note": "warm-up", "flag": True},
        {"step": 2, "loss": {"D": None, "G": {"adv": "NaN"}}, "lr": "N/A", "list": [1, 2]},
    ]
    frame = read_text("\n".join(map(json.dumps, lines)), "log.jsonl")
    assert points(frame, "loss/D") == [(1, 0.5)]
    np.testing.assert_equal(points(frame, "loss/G/adv"), [(1, 1.5), (2, np.nan)])
    assert points(frame, "lr") == [(1, 2e-4)]
    assert set(frame["tag"]) == {"loss/D", "loss/G/adv", "lr", "list/0", "list/1"}


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


def test_histories_one_level_down_and_of_other_lengths(read_text, points):
    nested = {"train": {"g_loss": [2, 2.5], "d_loss": [1, 0.5]}, "val": {"step": [1], "g_loss": [3]}, "lr": 2e-4}
    frame = read_text(json.dumps(nested), "history.json")
    assert points(frame, "loss/G") == [(0, 2), (1, 2.5)]
    assert points(frame, "val/g_loss") == [(1, 3)]
    uneven = {"results": {"G_losses": [2, 2.5, 3], "fid": [50], "betas": [0.5, 0.999]}, "betas": [0.5, 0.999]}
    frame = read_text(json.dumps(uneven), "history.json")
    assert points(frame, "loss/G") == [(0, 2), (1, 2.5), (2, 3)]
    assert points(frame, "fid") == [(0, 50)]
    assert set(frame["tag"]) == {"loss/G", "fid"}  # a configuration has lists, too


def test_histories_of_several_runs(read_text, points):
    frame = read_text(json.dumps({"dcgan": {"loss": [3, 2]}, "wgan": {"loss": [1, 0], "fid": [9, 8]}}), "all.json")
    assert points(frame, "loss", "dcgan") == [(0, 3), (1, 2)]
    assert points(frame, "fid", "wgan") == [(0, 9), (1, 8)]


def test_more_histories_than_are_read_are_counted(read_text, points, skipped_reasons):
    frame = read_text(json.dumps({f"run {'i' * i}": {"loss": [i, 0]} for i in range(1, 412)}), "all.json")
    assert frame["run"].nunique() == MAX_HISTORIES
    assert points(frame, "loss", "run iii") == [(0, 3), (1, 0)]
    assert skipped_reasons(frame) == [(None, "what follows 400 histories, which are all that is read of a file")]


def test_downloads_and_bare_lists(read_text, points):
    frame = read_text("[[1700000000.0, 0, 1.0], [1700000003.5, 10, 0.5]]", "run-a-tag-loss_D.json")
    assert points(frame, "loss/D") == [(0, 1), (10, 0.5)]
    assert frame["wall_time"].tolist() == [1700000000, 1700000003.5]
    assert points(read_text("[[5, 0.5], [10, 0.25]]", "loss.json"), "loss") == [(5, 0.5), (10, 0.25)]
    assert points(read_text("[0.5, 0.25, 0.1, 0]", "loss.json"), "loss")[3] == (3, 0)
    frame = read_text("[0.5, 0.25, 0.125, 0.06", "loss.json")
    assert points(frame, "loss") == [(0, 0.5), (1, 0.25), (2, 0.125)]
    assert frame.attrs["skipped_total"] == 1


def test_data_frames_and_epochs_as_keys(read_text, points):
    table = pd.DataFrame({"step": [10, 20], "d_loss": [0.5, 0.25]})
    for orient in ("columns", "records", "split", "table", "index"):
        frame = read_text(table.to_json(orient=orient), "log.json")
        assert points(frame, "loss/D") == [(10, 0.5), (20, 0.25)], orient
    frame = read_text('{"epoch_1": {"loss": 1.5}, "epoch_10": {"loss": 0.5}}', "log.json")
    assert frame.attrs["step_unit"] == "epochs"
    assert points(frame, "loss") == [(1, 1.5), (10, 0.5)]


def test_trainer_state_of_hugging_face(read_text, points):
    state = {
        "best_metric": None,
        "epoch": 2.0,
        "log_history": [
            {"epoch": 1.0, "learning_rate": 5e-5, "loss": 1.5, "step": 5},
            {"epoch": 1.0, "eval_loss": 1.25, "step": 5},
            {"epoch": 2.0, "loss": 1.0, "step": 10},
        ],
        "max_steps": 10,
    }
    frame = read_text(json.dumps(state), "trainer_state.json")
    assert points(frame, "loss") == [(5, 1.5), (10, 1)]
    assert points(frame, "eval_loss") == [(5, 1.25)]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"dcgan": {"fid": 30.5, "is": 4.5}, "wgan": {"fid": 20.5, "is": 5.5}}, "compares 2 results"),
        ([{"model": "dcgan", "fid": 30.5}, {"model": "wgan", "fid": 20.5}], "compare 2 runs"),
        ({"run-1": {"lr": 0.1, "fid": 30.5}, "run-2": {"lr": 0.2, "fid": 20.5}}, "compares 2 results"),  # no steps
        ([{"params": {"z_dim": 64 * i}, "metrics": {"fid": 30.5}} for i in (1, 2)], "differ in params_z_dim"),
        ([{"number": i, "value": 30.5, "state": "COMPLETE"} for i in (1, 2)], "compare 2 runs"),
        ({"model": "dcgan", "config": {"channels": [64, 128, 256], "betas": [0.5, 0.999]}}, "without rows"),
    ],
)
def test_comparisons_and_configurations_say_so(read_text, document, reason):
    with pytest.raises(LogError, match=reason):
        read_text(json.dumps(document), "results.json")


def test_evaluations_without_a_snapshot_are_counted(read_text, points, skipped_reasons):
    lines = [
        f'{{"results": {{"fid50k_full": {30 - i}}}, "snapshot_pkl": null, "timestamp": {17e8 + i}}}' for i in range(3)
    ]
    frame = read_text("// model B\n" + "\n".join(lines), "metric-fid50k_full.jsonl")
    assert points(frame, "fid") == [(0, 30), (1, 29), (2, 28)]
    assert frame["wall_time"].tolist() == [17e8, 17e8 + 1, 17e8 + 2]
    named = lines[0].replace("null", '"network-snapshot-000040.pkl"')
    frame = read_text("\n".join([*lines[1:], named]), "metric-fid50k_full.jsonl")
    assert points(frame, "fid") == [(40_000, 30)]
    assert len(skipped_reasons(frame)) == 2


def test_points_under_the_name_of_their_scalar(read_text, points):
    pairs = {"train_loss": [[0, 0.5], [10, 0.25]], "val_loss": [[10, 0.75]]}
    frame = read_text(json.dumps(pairs), "history.json")
    assert points(frame, "loss") == [(0, 0.5), (10, 0.25)]
    assert points(frame, "val_loss") == [(10, 0.75)]
    losses = [{"step": 0, "value": 1.5}, {"step": 5, "value": 0.5}]
    objects = {"scalars": {"loss": losses, "fid": [{"step": 5, "value": 33}]}}
    frame = read_text(json.dumps(objects), "scalars.json")
    assert points(frame, "loss") == [(0, 1.5), (5, 0.5)]
    assert points(frame, "fid") == [(5, 33)]


def test_a_history_that_is_mostly_missing_stays(read_text, points):
    history = {"steps": [0, 10, 20, 30], "d_loss": [1, 2, 3, 4], "fid": [None, None, None, 30]}
    frame = read_text(json.dumps(history), "history.json")
    assert points(frame, "fid") == [(30, 30)]
    assert len(points(frame, "loss/D")) == 4


def test_half_a_character_in_a_name_is_written_out(read_text):
    lines = ['{"step": 1, "lo\\ud800ss": 1, "loss": "\\udc80"}', *(f'{{"step": {i}, "loss": {i}}}' for i in (2, 3, 4))]
    frame = read_text("\n".join(lines), "log.jsonl")
    assert sorted(set(frame["tag"])) == ["lo\\x00ss", "loss"]
    assert frame.attrs["skipped_total"] == 1
    assert all(line.reason.encode() for line in frame.attrs["skipped"])
