"""The step axis: what counts through epochs, what starts over, and what is no restart."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ganlib.logs import Follower
from ganlib.logs.readers.steps import count_through_epochs


def steps(frame, tag="loss"):
    return frame.loc[frame["tag"] == tag, "step"].tolist()


@pytest.mark.parametrize("length", [3, 7, 64, 136, 938])
@pytest.mark.parametrize("gap", [1, 5, 100])
def test_epochs_of_any_length_printed_at_any_interval(read_text, length, gap):
    """Every ``gap`` steps of all, as CycleGAN prints: the iteration within the epoch starts anywhere."""
    total = np.arange(gap, 40 * gap + 1, gap)
    epoch, iteration = (total - 1) // length + 1, (total - 1) % length + 1
    if len(np.unique(epoch)) in (1, len(epoch)):
        pytest.skip("its epochs cannot be told apart")
    text = "".join(f"(epoch: {e}, iters: {i}) loss: 0.5\n" for e, i in zip(epoch, iteration, strict=True))
    assert steps(read_text(text, "a.log")) == total.tolist()


def test_a_last_batch_that_is_printed_too(read_text):
    text = "".join(f"epoch {e} batch {b} loss 0.5\n" for e in range(3) for b in (0, 100, 200, 300, 337))
    assert steps(read_text(text, "a.log")) == [e * 338 + b for e in range(3) for b in (0, 100, 200, 300, 337)]


def test_totals_of_an_epoch_and_of_all(read_text):
    text = "".join(f"[{e}/3][{b}/50] loss: 0.5\n" for e in range(3) for b in (0, 25))
    assert steps(read_text(text, "a.log")) == [0, 25, 50, 75, 100, 125]
    text = "".join(f"Epoch [{i // 50 + 1}/3] Iteration [{i}/150] loss: 0.5\n" for i in range(10, 150, 10))
    assert steps(read_text(text, "a.log")) == list(range(10, 150, 10))


def test_several_trainings_in_one_file(read_text):
    text = "".join(f"[{e}/3][{b}/50] loss: 0.5\n" for e in range(3) for b in (0, 25)) * 2
    frame = read_text(text, "a.log")
    assert steps(frame) == [0, 25, 50, 75, 100, 125] * 2
    assert list(frame["run"].unique()) == ["training 1", "training 2"]
    assert frame["segment"].max() == 0


def test_threads_that_overtake_each_other_are_no_restart(read_text):
    order = [step for step in range(20, 400, 20) for step in (step, step - 10)]
    frame = read_text("".join(f"step {step} loss 0.5\n" for step in order), "a.log")
    assert frame["segment"].max() == 0
    frame = read_text("".join(f"step {step} loss 0.5\n" for step in [10, 20, 30, 40, 30, 40, 50, 60]), "a.log")
    assert frame["segment"].max() == 1


def test_constants_and_evaluations_are_no_steps(read_text):
    frame = read_text("step,epoch,loss\n" + "".join(f"64,{i},0.5\n" for i in range(9)))
    assert frame.attrs["step_unit"] == "epochs"
    frame = read_text("step,loss,val/loss\n1,1,\n2,1,\n1,,3\n3,1,\n")
    assert frame["segment"].max() == 0


def test_bars_without_an_epoch_are_counted_through(read_text):
    text = "".join(f"{100 * b // 20}%|##| {b}/20 [00:01<00:02, loss=0.5]\n" for _ in range(3) for b in (0, 10, 20))
    frame = read_text(text, "a.log")
    assert steps(frame) == [0, 10, 20, 20, 30, 40, 40, 50, 60]
    assert frame["segment"].max() == 0


def test_lines_of_metrics_stand_at_the_step_before(read_text, points):
    text = "".join(f"[{e}/9][{b}/10] loss: 0.5\n" for e in range(3) for b in (0, 5)).replace(
        "[2/9]", "FID: 30.5\n[2/9]", 1
    )
    assert points(read_text(text, "a.log"), "fid") == [(15, 30.5)]


def test_validation_does_not_mix_with_training(read_text, points):
    text = "".join(f"Epoch {e} loss: 0.{e}\nValidation: loss: 0.9{e}, FID: 3{e}\n" for e in (1, 2, 3))
    frame = read_text(text, "a.log")
    assert points(frame, "loss") == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert points(frame, "val/loss") == [(1, 0.91), (2, 0.92), (3, 0.93)]
    assert points(frame, "fid") == [(1, 31), (2, 32), (3, 33)]


def test_rows_of_another_split_that_count_their_own_batches_do_not_count_the_trainings(read_text, points, tmp_path):
    """OpenMMLab's JSON and tables of phases: an evaluation stands where the training is."""
    rows = [
        {"mode": mode, "epoch": e, "iter": i, "loss": e + i / 1000}
        for e in (1, 2, 3)
        for mode, i in [*(("train", i) for i in range(50, 451, 50)), ("val", 125)]
    ]
    expected = [450 * (e - 1) + i for e in (1, 2, 3) for i in range(50, 451, 50)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    table = "mode,epoch,iter,loss\n" + "".join(",".join(map(str, row.values())) + "\n" for row in rows)
    for text, name in ((lines, "a.log.json"), (table, "a.csv")):
        frame = read_text(text, name)
        assert steps(frame) == expected
        assert points(frame, "val/loss") == [(450, 1.125), (900, 2.125), (1350, 3.125)]
        assert frame["segment"].max() == 0
    follower = Follower(tmp_path / "b.csv")
    for end in range(20, len(table) + 20, 20):
        (tmp_path / "b.csv").write_text(table[:end])
        followed = follower.read()
    assert steps(followed, "val/loss") == [450, 900, 1350]


def test_rows_of_another_split_that_count_with_the_training_stay(read_text, points):
    text = "phase,epoch,step,loss\n" + "".join(
        f"{phase},{s // 100},{s},0.5\n" for s in range(0, 300, 10) for phase in ("train", "val")[: 1 + (s % 50 == 40)]
    )
    assert steps(read_text(text), "val/loss") == [40, 90, 140, 190, 240, 290]
    later = (
        "phase,epoch,iter,loss\ntrain,1,100,1\ntrain,1,200,1\nval,1,250,1\ntrain,2,100,1\ntrain,2,200,1\nval,2,250,1\n"
    )
    assert points(read_text(later), "val/loss") == [(250, 1), (500, 1)]
    sorted_by_phase = "phase,epoch,step,loss\n" + "".join(
        f"{phase},{s // 100},{s},0.5\n" for phase in ("train", "val") for s in range(10, 300, 20)
    )
    assert steps(read_text(sorted_by_phase), "val/loss") == list(range(10, 300, 20))


def test_a_printed_line_names_its_split_in_brackets(read_text, points):
    """MMEngine, which MMagic and MMDetection print with: "Epoch(val) [1][125/125]", "Iter(val) [3/3]"."""
    begin = "2024/01/01 10:00:00 - mmengine - INFO - "
    text = "".join(
        "".join(f"{begin}Epoch(train)  [{e}][{i:3d}/460]  lr: 2e-04  loss: 1.{e}\n" for i in (50, 250, 450))
        + f"{begin}Epoch(val) [{e}][125/125]    accuracy: 0.{e}  time: 0.02\n"
        for e in (1, 2, 3)
    )
    frame = read_text(text, "a.log")
    assert steps(frame) == [460 * e + i for e in range(3) for i in (50, 250, 450)]
    assert points(frame, "val/accuracy") == [(450, 0.1), (910, 0.2), (1370, 0.3)]
    text = "".join(
        f"{begin}Iter(train) [{i:6d}/10000]  lr: 2e-04  loss_disc: 1.{i}  loss_gen: 2\n"
        + f"{begin}Iter(val) [3/3]    FID/fid: {50 - i / 1000}  time: 0.02\n" * (i % 2000 == 0)
        for i in range(1000, 5000, 1000)
    )
    frame = read_text(text, "a.log")
    assert steps(frame, "loss/G") == [1000, 2000, 3000, 4000]
    assert points(frame, "fid") == [(2000, 48), (4000, 46)]


def test_fractions_of_epochs_start_no_step_over(read_text):
    """The Hugging Face Trainer's summary repeats the last step at a later epoch."""
    text = "step,epoch,loss\n10,0.1,3\n20,0.2,2\n30,0.3,1\n30,1.0,1\n"
    assert steps(read_text(text)) == [10, 20, 30, 30]


def test_rows_rarer_than_epochs():
    total = np.arange(100, 4000, 100.0)  # epochs of 60
    axis = count_through_epochs((total - 1) % 60 + 1, (total - 1) // 60 + 1)
    assert axis is not None
    assert axis.length == 60


def test_epoch_and_iteration_in_parentheses(read_text, points):
    frame = read_text("".join(f"({e}, {i}) D: 0.5 G: 1.{e}\n" for e in range(3) for i in (0, 40, 80)), "a.log")
    assert points(frame, "loss/G") == [(120 * e + i, float(f"1.{e}")) for e in range(3) for i in (0, 40, 80)]
    assert steps(read_text("(0.5, 0.3) loss: 0.5\n(0.4, 0.2) loss: 0.4\n" * 3, "a.log")) == list(range(6))


def test_an_epoch_line_and_iterations_from_0_below_it(read_text, points):
    """All epochs count, not the last alone, with what the iteration runs up to and without."""
    for total in ("/ 792", ""):
        text = "".join(
            f"Epoch {e:3d}/ 20\n"
            + "".join(f"      Iter {i:4d}{total} [1.7s] \t D_loss: 0.{e} | G_loss: 2\n" for i in (0, 264, 528))
            for e in range(1, 6)
        )
        frame = read_text(text, "a.log")
        assert points(frame, "loss/D") == [(792 * (e - 1) + i, e / 10) for e in range(1, 6) for i in (0, 264, 528)]
        assert frame["segment"].max() == 0


def test_an_epoch_line_that_counts_from_1_and_rows_that_count_from_0(read_text, points, tmp_path):
    text = "".join(
        f"epoch:{e + 1}/3\n" + "".join(f"epoch:{e}, step:{i}, loss1:0.5, loss2:0.{e}\n" for i in (0, 100, 200))
        for e in range(3)
    )
    frame = read_text(text, "a.log")
    assert points(frame, "loss2") == [(300 * e + i, e / 10) for e in range(3) for i in (0, 100, 200)]
    assert frame["segment"].max() == 0
    follower = Follower(tmp_path / "b.log")
    for end in range(20, len(text) + 20, 20):
        (tmp_path / "b.log").write_text(text[:end])
        followed = follower.read()
    assert points(followed, "loss2") == points(frame, "loss2")


def test_a_saved_model_that_counts_in_images_is_no_step(read_text, points):
    text = "".join(
        "".join(f"(epoch: {e}, iters: {i}, time: 0.2) D_A: 0.3 G_A: 0.4\n" for i in (100, 200, 300))
        + f"saving the latest model (epoch {e}, total_iters {4 * 300 * e})\nEnd of epoch {e} / 3\nlr 0.{e} -> 0.{e}\n"
        for e in (1, 2, 3)
    )
    frame = read_text(text, "a.log")
    assert steps(frame, "D_A") == [*range(100, 1000, 100)]
    assert frame["step"].max() == 900
    assert frame["segment"].max() == 0
