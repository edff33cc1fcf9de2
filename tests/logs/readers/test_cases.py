"""Logs that were once read wrongly, small or rebuilt: what is right for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlib.logs import Follower, LogError, read

SAMPLES = Path(__file__).parents[1] / "samples"
# File -> tag -> rows, first and last step, first and last value.
RIGHT: dict[str, dict[str, tuple[float, ...]]] = {
    "accuracy_pair.log": {"real acc": (30, 0, 29, 0.9, 0.61), "fake acc": (30, 0, 29, 0.8, 0.51)},
    "cyclegan_136_per_epoch.log": {"D_A": (54, 100, 5400, 0.299, 0.26)},
    "decimal_comma.log": {"loss/D": (30, 1, 30, 0.899, 0.87), "loss/G": (30, 1, 30, 1.101, 1.13)},
    "iteration_counts_on.log": {"loss": (99, 10, 990, 0.995, 0.505)},
    "keras3.log": {"loss/D": (100, 1, 100, 0.101, 0.52), "loss/G": (100, 1, 100, 1.01, 5.2)},
    "tqdm_carriage_returns.log": {"loss/D": (63, 0, 60, 0.1, 0.32), "loss/G": (63, 0, 60, 3, 5)},
    "wandb_step_columns.csv": {"loss/D": (40, 0, 39, 1, 0.805)},
    "widget_and_device_names.log": {"loss/D": (40, 0, 39, 1.2, 1.005), "loss/G": (40, 0, 39, 2, 2.39)},
}
AXES = {"epoch", "time", "data"}
CYCLEGAN = {"G_A", "D_B", "G_B", "cycle_A", "cycle_B", "idt_A", "idt_B"}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("reader", [read, lambda path: Follower(path).read()], ids=["read", "followed"])
def test_right(name, reader):
    frame = reader(SAMPLES / name)
    for tag, right in RIGHT[name].items():
        rows = frame[frame["tag"] == tag]
        ends = (rows["step"].min(), rows["step"].max(), rows["value"].iloc[0], rows["value"].iloc[-1])
        assert (len(rows), *ends) == pytest.approx(right)
    assert frame.attrs["skipped_total"] == 0
    assert frame["segment"].max() == 0
    more = CYCLEGAN if "D_A" in RIGHT[name] else {"loss/D"} if name.startswith("accuracy") else set()
    assert set(frame["tag"]) - AXES == RIGHT[name].keys() | more


def test_a_number_with_letters_is_none():
    with pytest.raises(LogError, match=r"line 1, .*the number of 'loss' is followed by 'W0000"):
        read(SAMPLES / "number_then_letters.log")


def test_the_last_drawing_of_a_bar_is_there_before_its_end(tmp_path):
    bar = "\rEpoch 1: {0}0%|##  | {0}/9 [00:12<00:20, loss=0.{0}]"
    path = tmp_path / "train.log"
    follower = Follower(path)
    written = ""
    for i in range(1, 6):
        written += bar.format(i)
        path.write_text(written, newline="")
        if i > 1:
            assert last_loss(follower) == i / 10
    path.write_text(written + bar.format(6)[:-7], newline="")  # half drawn
    assert last_loss(follower) == 0.5


def last_loss(follower: Follower) -> float:
    frame = follower.read()
    return float(frame.loc[frame["tag"] == "loss", "value"].iloc[-1])
