"""Steps of an interpolation as bars: where the key frames stand between them."""

from __future__ import annotations

import pytest

from ganlib.figures import interpolation_steps


@pytest.mark.parametrize(
    ("steps", "keys", "marks"),
    [
        (8, [0, 4, 8], [4.5]),  # nine frames, the last of them a key frame
        (8, [0, 4], [4.5]),  # a loop of eight: the last key frame lies in its middle
        (3, [0, 1, 2], [1.5, 2.5]),  # a loop of key frames alone
        (8, [], []),
    ],
)
def test_each_key_frame_between_two_steps_is_marked(steps, keys, marks):
    assert [line.x0 for line in interpolation_steps([1.0] * steps, keys).layout.shapes] == marks
