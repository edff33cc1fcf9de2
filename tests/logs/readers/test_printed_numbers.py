"""Random numbers printed in prose of many shapes: each is read back whole, or its line is counted as skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlib.logs import LogError, read

WRITINGS: dict[str, Callable[[float], str]] = {
    "plain": repr,
    "fixed": lambda value: f"{value:.4f}",
    "exponent": lambda value: f"{value:.3e}",
    "minus sign": lambda value: repr(value).replace("-", "−"),
    "full width": lambda value: repr(value).translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
    "integer": lambda value: str(round(value)),
    "underscores": lambda value: f"{round(value * 1e4):_}",
    "tensor": lambda value: f"tensor({value!r}, device='cuda:0')",
    "numpy": lambda value: f"np.float32({value!r})",
}
SHAPES = (
    "Epoch {i} d_loss: {a} g_loss: {b}",
    "Epoch {i}/99, D loss = {a}, G loss = {b}",
    "[Epoch {i}/99] [Batch 3/938] [D loss: {a}] [G loss: {b}]",
    "[{i}/99][3/938]\tLoss_D: {a}\tLoss_G: {b}",
    "step {i} | d_loss {a} | g_loss {b}",
    "iter: {i}, d_loss={a}, g_loss={b}",
    "{{'step': {i}, 'd_loss': {a}, 'g_loss': {b}}}",
    'stats {{"d_loss": {a}, "g_loss": {b}, "epoch": {i}}}',
    "2024-01-02 03:04:05,678 - INFO - Epoch {i}: d_loss {a} g_loss {b}",
    "At step {i} the D loss is {a} and the G loss is {b}.",
    "{i} [D loss: {a}] [G loss: {b}]",
    "Iteration {i} (d_loss: {a}, g_loss: {b})",
    ">{i}, d_loss={a}, g_loss={b}",
    "  {i}: d_loss:{a}, g_loss:{b}",
    "Epoch [{i}/99] d_loss/g_loss: {a}/{b}",
    "Epoch {i}  D/G loss: {a} / {b}",
    "Epoch {i}: 50%|#####     | 10/20 [00:07<00:59,  1.03it/s, d_loss={a}, g_loss={b}]",
    "epoch={i} d_loss={a};g_loss={b}; lr = 2e-4",
    "(epoch: {i}, iters: 100, time: 0.1) d_loss: {a} g_loss: {b} ",
    "Epoch {i} - 5s 451ms/step - d_loss: {a} - g_loss: {b}",
    "第 {i} 轮 d_loss：{a} g_loss：{b}",
    "Эпоха {i}: d_loss -> {a}, g_loss -> {b}",
)
VALUES = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6))
EXAMPLES = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Line(NamedTuple):
    d: float
    g: float


def expected(writing: str, value: float) -> float:
    text = WRITINGS[writing](value)
    if writing in ("tensor", "numpy"):
        return value
    return float(text.replace("−", "-").translate({0xFF10 + digit: str(digit) for digit in range(10)}))


@pytest.mark.parametrize("shape", SHAPES)
@EXAMPLES
@given(values=st.lists(st.tuples(VALUES, VALUES), min_size=3, max_size=6), writing=st.sampled_from(sorted(WRITINGS)))
def test_read_back(tmp_path, shape, values, writing):
    write = WRITINGS[writing]
    path = tmp_path / "train.log"
    path.write_text("".join(shape.format(i=i, a=write(a), b=write(b)) + "\n" for i, (a, b) in enumerate(values, 1)))
    frame = read(path)
    for tag, numbers in (("loss/D", [a for a, _ in values]), ("loss/G", [b for _, b in values])):
        rows = frame[frame["tag"] == tag]
        assert len(rows) + frame.attrs["skipped_total"] >= len(values)
        if not frame.attrs["skipped_total"]:
            np.testing.assert_array_equal(rows["value"], [expected(writing, number) for number in numbers])


@pytest.mark.parametrize(
    "number",
    [
        "0.6632W0000",
        "1.2.3",
        "12:30",
        "0.5-0.7",
        "3x4",
        "1e",
        "0.5e",
        "12abc",
        "1__0",
        "0.5.",
        "5^2",
        "2024-01-02",
        "1'2.5",
    ],
)
def test_what_is_no_number_is_not_cut(tmp_path, number):
    path = tmp_path / "train.log"
    lines = [f"Epoch {i} d_loss: 0.5{i} x_loss: {number} end\n" for i in range(1, 6)]
    path.write_text("".join(lines))
    frame = read(path)
    assert len(frame[frame["tag"] == "loss/D"]) == 5
    values = frame.loc[frame["tag"] == "x_loss", "value"]
    assert values.isin([0.5] if number == "0.5." else [45000.0]).all()
    path.write_text("".join(f"Epoch {i} loss: {number} end\n" for i in range(1, 6)))
    try:
        values = read(path)["value"]
    except LogError:
        return
    assert values.isin([0.5] if number == "0.5." else [45000.0]).all()


@given(st.lists(st.floats(0, 99).map(lambda value: round(value, 3)), min_size=4, max_size=9))
@EXAMPLES
def test_decimal_commas_in_prose(tmp_path, values):
    path = tmp_path / "train.log"
    lines = [f"Epoch {i} D loss: {value:.3f}, G loss: 0,5\n".replace(".", ",") for i, value in enumerate(values)]
    path.write_text("".join(lines))
    frame = read(path)
    np.testing.assert_array_equal(frame.loc[frame["tag"] == "loss/D", "value"], values)
    assert (frame.loc[frame["tag"] == "loss/G", "value"] == 0.5).all()


def test_names_with_numbers_and_steps_in_thousands(tmp_path):
    path = tmp_path / "train.log"
    path.write_text("".join(f"step {i}k Acc@1   0.{i}9 (  0.20) Loss 1: 0.5, IS: 5.{i} +/- 0.1\n" for i in range(1, 4)))
    frame = read(path)
    values = {tag: rows["value"].tolist() for tag, rows in frame.groupby("tag", observed=True)}
    assert values["Acc@1"] == [0.19, 0.29, 0.39]
    assert values["Loss 1"] == [0.5] * 3
    assert values["isc"] == [5.1, 5.2, 5.3]
    assert sorted(set(frame["step"])) == [1000, 2000, 3000]


def test_commas_that_may_be_thousands(tmp_path):
    path = tmp_path / "train.log"
    path.write_text("".join(f"Epoch {i} loss: 0.5 seen: {i},000\n" for i in range(1, 5)))  # the dot says so
    assert read(path).loc[lambda frame: frame["tag"] == "seen", "value"].tolist() == [1000, 2000, 3000, 4000]
    path.write_text("".join(f"Epoch {i} seen: {i},000 D_acc: 5\n" for i in range(1, 5)))
    frame = read(path)
    assert "seen" not in set(frame["tag"])
    assert frame.attrs["skipped_total"] == 4


@pytest.mark.parametrize(
    ("line", "step", "values"),
    [
        ("step {i}'000 d_loss 1'00{i}.5 g_loss 2", 1000, {"loss/D": 1000.5, "loss/G": 2}),
        ("step {i},000: loss 0.5", 1000, {"loss": 0.5}),
        ("Iteration {i},000/9,000 loss 0.5", 1000, {"loss": 0.5}),
        ("step {i}\u00a0000: loss 1\u202f23{i},5", 1000, {"loss": 1230.5}),
        ("epoch {i}: loss 1.5e-3s fid 12,345.6 kid 5ms/it acc 50% lr 1e-4", 1, {"fid": 12345.6, "accuracy": 50}),
        ("epoch {i}: loss 0.5 (avg 0.7) g_loss 2", 1, {"loss": 0.5, "loss/mean": 0.7, "loss/G": 2}),
        ("Epoche {i}: Verlust D 0,5, Verlust G 1,25", 1, {"loss/D": 0.5, "loss/G": 1.25}),
        ("Époque {i} : perte discriminateur 0,5 ; perte générateur 1,2", 1, {"loss/D": 0.5, "loss/G": 1.2}),
        ("Época {i}: pérdida D = 0.5, pérdida G = 1.2", 1, {"loss/D": 0.5, "loss/G": 1.2}),
        ("第 {i} 轮 判别器损失: 0.5 生成器损失: 1.2", 1, {"loss/D": 0.5, "loss/G": 1.2}),
    ],
)
def test_groups_of_digits_units_and_languages(tmp_path, line, step, values):
    path = tmp_path / "train.log"
    path.write_text("".join(line.format(i=i) + "\n" for i in range(1, 5)))
    frame = read(path)
    assert not frame.attrs["skipped_total"]
    assert sorted(set(frame["step"])) == [step * i for i in range(1, 5)]
    growing = {1000.5: 1, 1230.5: 1}  # those with the line's own number in them
    for tag, value in values.items():
        expected = [value + growing.get(value, 0) * i for i in range(1, 5)]
        assert frame.loc[frame["tag"] == tag, "value"].tolist() == expected
    assert not {"s fid", "ms/it acc"} & set(frame["tag"])


def test_nan_and_infinity_of_other_libraries(tmp_path):
    path = tmp_path / "train.log"
    pairs = [("0.5", "1"), ("1.#QNAN0", "-1.#INF"), ("nan(ind)", "1.#INF00"), ("0.25", "2")]
    path.write_text("".join(f"epoch {i} d_loss {d} g_loss {g}\n" for i, (d, g) in enumerate(pairs)))
    frame = read(path)
    assert sorted(set(frame["tag"])) == ["loss/D", "loss/G"]
    np.testing.assert_array_equal(frame.loc[frame["tag"] == "loss/D", "value"], [0.5, np.nan, np.nan, 0.25])
    np.testing.assert_array_equal(frame.loc[frame["tag"] == "loss/G", "value"], [1, -np.inf, np.inf, 2])


def test_a_number_that_may_be_in_groups_is_counted_as_skipped(tmp_path):
    path = tmp_path / "train.log"
    path.write_text("".join(f"epoch {i} d_loss 0,5 g_loss 1 23{i},5\n" for i in range(1, 5)))
    frame = read(path)
    assert "loss/G" not in set(frame["tag"])
    assert frame.attrs["skipped_total"] == 4


STEPS = [500, 1000, 1500, 12345]
GROUPED_COUNTS = {
    "step {i}: loss=0.25": ",",
    "step {i}/20,000 loss 0.25": ",",
    "iter {i} | loss 0.25 | lr 2e-4": " ",
    "step {i}/20 000 loss 0.25": " ",
    "étape {i} perte 0,25": " ",
    "Schritt {i}/20.000: Verlust 0,25": ".",
}


@pytest.mark.parametrize("line", GROUPED_COUNTS)
def test_groups_of_three_digits_in_a_count(tmp_path, line):
    texts = [f"{step:,}".replace(",", GROUPED_COUNTS[line]) for step in STEPS]
    (tmp_path / "log.txt").write_text("\n".join(line.format(i=text) for text in texts))
    scalars = read(tmp_path / "log.txt").query("tag.str.lower() != 'lr'")
    assert scalars["step"].tolist() == STEPS
    assert scalars["value"].tolist() == [0.25] * len(STEPS)


def test_two_numbers_are_no_groups(tmp_path):
    (tmp_path / "log.txt").write_text(
        "".join(f"step {i} 250 ms loss: 0.{i}\nstep {i} 100% loss: 0.{i}\n" for i in (1, 2))
    )
    assert read(tmp_path / "log.txt")["value"].max() <= 250


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("1m 21s", 81), ("1h 02m 03s", 3723), ("2h 5m", 7500), ("1d 1h", 90000), ("1 min 20 s", 80),
     ("12.5s", 12.5), ("3m", 180)],
)  # fmt: skip
def test_a_time_with_several_units_is_their_sum(read_text, points, time, seconds):
    text = "".join(f"epoch: {e} | loss: 0.{e} | elapsed: {time} | acc: 0.5\n" for e in (1, 2, 3))
    frame = read_text(text, "a.log")
    assert points(frame, "elapsed") == [(1, seconds), (2, seconds), (3, seconds)]
    assert points(frame, "accuracy") == [(1, 0.5), (2, 0.5), (3, 0.5)]
