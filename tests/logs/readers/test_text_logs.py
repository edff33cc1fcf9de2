"""Logs in words: StudioGAN's three dialects, NVIDIA's ticks, BigGAN-PyTorch's files, what scripts print."""

from __future__ import annotations

import numpy as np
import pytest


def test_studiogan_2020(read_sample, points):
    frame = read_sample("studiogan_2020.log")
    np.testing.assert_equal(points(frame, "loss/D"), [(100, 1.25), (200, np.nan), (300, 0.5)])
    assert points(frame, "loss/G") == [(100, 0.75), (200, -3e68), (300, 2.5)]
    assert points(frame, "elapsed") == [(100, 59), (200, 763320), (300, 763380)]  # "8 days, 20:02:00"
    # "Best FID" says nothing new, and the last line measures an old checkpoint again.
    assert points(frame, "fid") == [(200, 80.5), (200, 80.25), (300, 90.5)]
    assert points(frame, "isc") == [(200, 3.5)]
    assert points(frame, "f_8") == [(200, 0.5)]
    assert points(frame, "f_1/8") == [(200, 0.25)]
    assert points(frame, "ada/p") == []
    assert frame["segment"].max() == 0
    assert frame["wall_time"].min() == 1583056860  # 2020-03-01 10:01:00 UTC
    assert set(frame["original"]) >= {"Discriminator_loss", "Generator_loss", "FID score", "Inception score"}
    assert frame.attrs["skipped_total"] == 0


def test_studiogan_2021_being_written(read_sample, points, skipped_reasons):
    frame = read_sample("studiogan_2021.log")
    assert points(frame, "loss/D") == [(100, 0.75), (200, 0.5)]
    assert points(frame, "loss/classify") == [(200, 0.125)]  # "N/A" before
    assert points(frame, "ada/p") == [(200, 0.0625)]
    values = {tag: points(frame, tag)[0][1] for tag in ("precision", "recall", "density", "coverage", "fid", "isc")}
    assert values == {"precision": 0.5, "recall": 0.375, "density": 0.875, "coverage": 0.75, "fid": 20.5, "isc": 5.5}
    assert skipped_reasons(frame) == [(16, "the line is half written")]


def test_studiogan_2022_started_over(read_sample, points):
    frame = read_sample("studiogan_2022.log")
    assert points(frame, "ada/p") == [(100, 0.25), (200, 0.5), (100, 0.125)]
    assert frame.loc[frame["tag"] == "loss/G", "segment"].tolist() == [0, 0, 1]


def test_ticks(read_sample, points, skipped_reasons):
    frame = read_sample("log.txt")
    assert frame.attrs["step_unit"] == "images"
    assert points(frame, "ada/p") == [(0, 0), (4000, 0.035), (8000, 0.07)]
    assert points(frame, "elapsed") == [(0, 12), (4000, 848), (8000, 93780)]
    assert points(frame, "fid") == [(0, 300.5)]  # printed between the ticks
    assert points(frame, "seconds/tick")[1] == (4000, 151.5)
    assert skipped_reasons(frame) == [(11, "the line is half written")]


def test_ticks_of_edm(read_text, points):
    frame = read_text(
        "tick 0     kimg 0.1       time 5s           sec/tick 4.5     sec/kimg 35.5    maintenance 0.5    "
        "cpumem 4.25   gpumem 7.5    reserved 8.5   \n",
        "log.txt",
    )
    assert points(frame, "memory/gpu_reserved") == [(100, 8.5)]


def test_biggan_pytorch_file_of_one_loss(read_sample, points, read_text, skipped_reasons):
    frame = read_sample("G_loss.log")
    np.testing.assert_equal(points(frame, "loss/G"), [(0, 1.25), (100, 0.75), (200, np.nan)])
    frame = read_text(
        "0: 1.5\n10: 1.25\n20 1\n30: 1.0.0\n40: 1\n50: 1\n60: 1\n70: 1\n80: 1\n90: 1\n", "D_loss_real.log"
    )
    assert frame["tag"].unique().tolist() == ["loss/D/real"]
    assert [line for line, _ in skipped_reasons(frame)] == [3, 4]


def test_printed_lines(read_sample, points):
    frame = read_sample("pytorch_gan.txt")  # steps are counted through the epochs
    assert points(frame, "loss/D") == [(0, 0.5), (1, 0.5), (2, 0.5), (3, 1.5), (4, 1.5), (5, 1.5)]
    assert points(frame, "epoch")[3] == (3, 1)
    frame = read_sample("dcgan_example.txt")
    assert [step for step, _ in points(frame, "D/real")] == [0, 50, 100, 150]
    assert points(frame, "D/fake")[0] == (0, 0.25)  # the number before the slash: before the step of G
    frame = read_sample("cyclegan.txt")
    assert frame["segment"].max() == 0
    assert points(frame, "G_A") == [(100, 1.5), (200, 1.5), (300, 2.5), (400, 2.5)]
    frame = read_sample("keras.txt")
    assert points(frame, "loss/G") == [(10, 1.1), (20, 1.2)]


def test_printed_lines_with_dates_and_tensors(read_text, points):
    text = "2024-01-02 03:04:05,678 - INFO - Iter: {i} loss_d=tensor(0.{i}5) lr: 2e-4 eta 1:02:03\n"
    frame = read_text("".join(text.format(i=i) for i in (1, 2, 3)), "train.out")
    assert points(frame, "loss/D") == [(1, 0.15), (2, 0.25), (3, 0.35)]
    assert points(frame, "lr") == [(1, 2e-4), (2, 2e-4), (3, 2e-4)]


def test_more_of_what_scripts_print(read_text, points):
    keras_gan = "0 [D loss: 0.75, acc.: 54.25%] [G loss: 1.5]\n1 [D loss: 0.5, acc.: 60.00%] [G loss: 1.25]\n"
    frame = read_text(keras_gan, "out.txt")
    assert points(frame, "loss/D") == [(0, 0.75), (1, 0.5)]
    assert points(frame, "accuracy") == [(0, 54.25), (1, 60)]
    frame = read_text(
        "0-0 [D loss: 0.75] [G loss:: 1.5] [Time: 6.5s\n0-1 [D loss: 0.5] [G loss:: 1] [Time: 7.5s\n", "out.txt"
    )
    assert points(frame, "loss/G") == [(0, 1.5), (1, 1)]
    assert points(frame, "Time") == [(0, 6.5), (1, 7.5)]
    step = "Epoch [{}/2], Step [{}/20], disc_loss: 0.5, gen_loss: 1.5, D(x): 0.75, D(G(z)): 0.25\n"
    frame = read_text("".join(step.format(e, s) for e in (1, 2) for s in (10, 20)), "out.txt")
    assert [s for s, _ in points(frame, "D/real")] == [10, 20, 30, 40]
    nano = "iter {}: train loss 0.5, val loss 0.75, time 22.5ms, took 3 tries\n"
    frame = read_text(nano.format(10) + nano.format(20), "out.txt")
    assert points(frame, "loss") == [(10, 0.5), (20, 0.5)]
    assert points(frame, "val loss") == [(10, 0.75), (20, 0.75)]
    assert set(frame["tag"]) == {"loss", "val loss"}
    pix2pix = "        lr: 0.0002     [default: 1]\nlearning rate 0.0002 -> 0.0002\n"
    pix2pix += "(epoch: 1, iters: 20, time: 14.365, data: 0.063) G_GAN: 2.25 G_L1: 33.5 D_real: 0.5 D_fake: 0.25 \n"
    frame = read_text(pix2pix, "loss_log.txt")
    assert points(frame, "loss/D/real") == [(20, 0.5)]
    assert points(frame, "loss/G") == [(20, 2.25)]


def test_metrics_of_stylegan_on_tensorflow(read_text, points, skipped_reasons):
    line = "network-snapshot-{:06d}        time 4m 32s       fid50k_full {}\n"
    text = line.format(200, 30.5) + line.format(0, 300.25) + "network-final     time 4m 32s   fid50k_full 9.5\n"
    text += "".join(line.format(kimg, 20.5) for kimg in (400, 600, 800))
    frame = read_text(text, "metric-fid50k_full.txt")
    assert frame.attrs["step_unit"] == "images"
    assert points(frame, "fid")[:3] == [(0, 300.25), (200_000, 30.5), (400_000, 20.5)]
    assert skipped_reasons(frame) == [(3, "it names no snapshot with a result")]
    tick = "tick {}     kimg {}.0     lod 0.00  minibatch 64   time 1h 01m 10s     sec/tick 100.5   gpumem 5.2 \n"
    frame = read_text(tick.format(1, 100) + line.format(100, 50.5) + tick.format(2, 200), "log.txt")
    assert points(frame, "fid") == [(100_000, 50.5)]
    assert points(frame, "seconds/tick") == [(100_000, 100.5), (200_000, 100.5)]


@pytest.mark.parametrize("eta", ["ETA: 9s", "ETA: 1:09", "eta: 9s", "ETA: 3", "time left: 9 s", "eta: 0:01:09"])
def test_the_time_that_is_left_is_no_scalar(read_text, points, eta):
    text = "".join(f"Epoch {e}/2\n" + "".join(f"{i}/60 [==>.] - {eta} - loss: 0.5\n" for i in (20, 40)) for e in (1, 2))
    frame = read_text(text, "keras.log")
    assert set(frame["tag"]) == {"epoch", "loss"}
    assert points(frame, "loss") == [(20, 0.5), (40, 0.5), (80, 0.5), (100, 0.5)]


def test_ddim_eta_is_a_setting(read_text, points):
    frame = read_text("".join(f"step {i} eta: 0.5 loss: 0.1\n" for i in range(4)), "ddim.log")
    assert points(frame, "eta") == [(i, 0.5) for i in range(4)]


def test_places_in_the_code_and_devices_are_no_scalars(read_text, points):
    lines = [
        f"2024-01-02 12:00:0{i}.123 | train:main:45 - step {i} | d_loss:0.{i} | cuda:0 | train.py:45] val:loss:0.5\n"
        for i in range(1, 5)
    ]
    frame = read_text("".join(lines))
    assert sorted(set(frame["tag"])) == ["loss", "loss/D"]
    assert points(frame, "loss/D") == [(i, i / 10) for i in range(1, 5)]


def test_names_right_behind_the_bracket_of_a_bar(read_text, points):
    bar = " {i}%|###  | {i}0/1000 [00:00<00:59, 1.2it/s]G: 1.{i} | D: 0.{i}\n"
    frame = read_text("".join(bar.format(i=i) for i in range(1, 5)))
    assert points(frame, "loss/G") == [(10 * i, 1 + i / 10) for i in range(1, 5)]
    assert points(frame, "loss/D") == [(10 * i, i / 10) for i in range(1, 5)]
