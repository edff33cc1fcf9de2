"""Logs that people have and that were read wrongly or not at all, each with what is right."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from ganlib.logs import LogError, read

CASES = Path(__file__).parents[1] / "samples" / "cases"


class Curve(NamedTuple):
    points: int
    first: tuple[int, float]
    last: tuple[int, float]


RIGHT = {
    "bare_column.txt": {"bare_column": Curve(100, (0, 4.3), (99, 3.31))},
    "brownlee_gan.log": {
        "loss/D/real": Curve(60, (1, 0.7), (7671, 0.51)),
        "loss/D/fake": Curve(60, (1, 0.6), (7671, 0.6)),
        "loss/G": Curve(60, (1, 0.7), (7671, 1.08)),
    },
    "history_nested.json": {"loss/G": Curve(60, (0, 2), (59, 2.59)), "loss/D": Curve(60, (0, 1), (59, 0.705))},
    "history_uneven.json": {
        "loss/G": Curve(100, (0, 2), (99, 2.99)),
        "loss/D": Curve(100, (0, 1), (99, 0.505)),
        "fid": Curve(3, (0, 50), (2, 30)),
    },
    "metric-fid50k_full.jsonl": {"fid": Curve(6, (0, 30), (5, 25))},
    "metric-fid50k_full_comments.jsonl": {"fid": Curve(6, (0, 30), (5, 25))},
    "mlruns": {"fid": Curve(10, (0, 100), (90, 91))},
    "notebook.ipynb": {"loss/D": Curve(60, (0, 1.2), (59, 0.905)), "loss/G": Curve(60, (0, 2), (59, 3.18))},
    "python_lists.txt": {"loss/G": Curve(80, (0, 2), (79, 2.79)), "loss/D": Curve(80, (0, 1), (79, 0.605))},
    "stylegan_tf_log.txt": {
        "fid": Curve(5, (200_000, 260), (1_000_000, 100)),
        "tick": Curve(59, (20_000, 1), (1_180_000, 59)),
    },
    "stylegan_tf_metric.txt": {"fid": Curve(20, (0, 300), (3_800_000, 110))},
    "tensorboard_download.json": {"tensorboard_download": Curve(100, (0, 1), (990, 0.505))},
}


@pytest.mark.parametrize("name", RIGHT)
def test_case_is_read_right(name, points):
    frame = read(CASES / name)
    for tag, curve in RIGHT[name].items():
        values = points(frame, tag)
        assert len(values) == curve.points
        for (step, value), right in zip((values[0], values[-1]), (curve.first, curve.last), strict=True):
            assert (step, value) == (right[0], pytest.approx(right[1]))


def test_names_of_runs():
    assert set(read(CASES / "mlruns")["run"]) == {"small net"}  # as meta.yaml has it


def test_a_table_of_runs_says_so():
    with pytest.raises(LogError, match=r"its rows compare 2 runs, models or classes \(sunny-1, sunny-2\)"):
        read(CASES / "runs_table.csv")
