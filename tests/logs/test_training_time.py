"""Seconds of training until some number of images, by the log's rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlib.logs.training_time import read_course, seconds_until


def write(path: Path, rows: list[tuple[int, float]]) -> Path:
    path.write_text("step,images,wall_time\n" + "".join(f"{i},{n},{1.7e9 + t}\n" for i, (n, t) in enumerate(rows)))
    return path


def test_time_is_that_of_the_rows_and_ends_with_the_training(tmp_path):
    # Images at 10 a second, then at 20: the first row, like all that come before it, at the mean pace of the others.
    log = write(tmp_path / "log.csv", [(100, 0), (200, 10), (300, 20), (500, 30), (700, 40)])
    start = 100 * 40 / 600
    assert seconds_until(log, [0, 100, 250, 600, 700], 700, 40 + start) == pytest.approx(
        [0, start, start + 15, start + 35, start + 40]
    )
    assert seconds_until(log, [700], 700, 90.0) == pytest.approx([90.0])  # by the training's own clock
    assert seconds_until(log, [700], 500, 60.0)[0] == pytest.approx(60 * (start + 40) / (start + 30))  # promoted


def test_pauses_are_no_training(tmp_path):
    log = write(tmp_path / "log.csv", [(100, 0), (200, 10), (300, 20), (400, 5020), (500, 5030)])
    images, seconds = read_course(log)
    assert images.tolist() == [100, 200, 300, 400, 500]
    assert seconds.tolist() == [0, 10, 20, 30, 40]


@pytest.mark.parametrize(
    "text", [None, "", "step,images\n1,5\n", "step,images,wall_time\n1,x,y\n", "step,images,wall_time\n1,8,1.7e9\n"]
)
def test_without_times_it_is_in_proportion_to_the_images(tmp_path, text):
    log = tmp_path / "log.csv"
    if text is not None:
        log.write_text(text)
    assert seconds_until(log, [25, 100], 100, 60.0).tolist() == [15.0, 60.0]
    assert seconds_until(log, [0], 0, 0.0).tolist() == [0.0]
