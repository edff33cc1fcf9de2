"""A number is read whole or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlib.logs.readers.numerals import has_decimal_commas, parse_number

WHOLE = {
    "0.6932": 0.6932, "12.5%": 12.5, "1.2e-3s": 0.0012, "22.5ms": 0.0225, "1_000": 1000, "−0.5": -0.5, "１２．５": 12.5,
    "1,234.5": 1234.5, "tensor(0.5, device='cuda:0')": 0.5, "np.float32(0.25)": 0.25, "[0.5]": 0.5, "3.2k": 3200,
    "'7'": 7, "1h 07m 31s": 4051, "5.2GB": 5.2, "array([0.5], dtype=float32)": 0.5,
    "1'234.5": 1234.5, "12’345": 12345, "1.#INF": float("inf"), "-1.#INF00": float("-inf"), "1\u202f234.5": 1234.5,
}  # fmt: skip
NO_NUMBER = [
    "0.6932/0.7",
    "0.6632W0000",
    "0.89-g_loss",
    "1.2.3",
    "0,893",
    "0.5 0.6",
    "1e",
    "12 apples",
    "9" * 300 + "x",
]


def test_whole_numbers():
    assert {text: parse_number(text) for text in WHOLE} == pytest.approx(WHOLE)


@pytest.mark.parametrize("text", NO_NUMBER)
def test_what_is_more_than_a_number_is_none(text):
    with pytest.raises(ValueError, match="is no number"):
        parse_number(text)


def test_decimal_commas():
    cells = {"0,893": 0.893, "-1.250,75": -1250.75, "7": 7, "1,5e-3": 0.0015, "12,5%": 12.5, "1.234.567": 1234567}
    assert {text: parse_number(text, ",") for text in cells} == pytest.approx(cells)
    assert has_decimal_commas(["0,5", "7"])
    assert not has_decimal_commas(["0,5", "0.5"])
    assert not has_decimal_commas(["1,000", "2,000"])  # may be thousands


@given(st.floats(allow_nan=False))
def test_any_float_in_any_writing(value):
    text = repr(value)
    assert parse_number(text) == value
    assert parse_number(text.replace(".", ","), ",") == value
    assert parse_number(text.replace("-", "−").translate({48 + i: 0xFF10 + i for i in range(10)})) == value
