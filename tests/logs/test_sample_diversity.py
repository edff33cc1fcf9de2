"""The diversity of samples as a scalar: which sheets count, and at which step."""

from __future__ import annotations

import pandas as pd

from ganlib.logs import NotebookSample, add_sample_diversity
from ganlib.logs.frame import DTYPES
from ganlib.logs.sample_diversity import DISTINCT, MAX_SHEETS
from helpers.synthetic_curves import frame

SHEETS = {b"alike": 0.1, b"diverse": 1.0, b"plot": None}


def diversity(*samples: NotebookSample) -> list[tuple[int, float]]:
    result = add_sample_diversity(losses(), {"a": samples}, SHEETS.__getitem__)
    points = result[result["tag"] == DISTINCT]
    return list(zip(points["step"].tolist(), points["value"].tolist(), strict=True))


def losses() -> pd.DataFrame:
    data = frame({"loss/D": 1.2, "loss/G": 0.9}).assign(original="loss", segment=0)[list(DTYPES)].astype(DTYPES)
    data.attrs = {"step_units": {"a": "epochs"}, "skipped": [], "skipped_total": 0}
    return data


def test_sheets_count_at_the_step_before_them() -> None:
    first, last = NotebookSample("epoch 1", b"diverse", 1, 3), NotebookSample("epoch 9", b"alike", 9, 3)
    later = NotebookSample("cell 5", b"alike", None, 5)
    assert diversity(first, last, later) == [(1, 1.0), (9, 0.1)]


def test_without_them_the_first_cell_after_the_training_with_sheets_counts_at_its_end() -> None:
    cells = [(5, b"plot"), (6, b"alike"), (6, b"diverse"), (7, b"alike")]
    samples = [NotebookSample(f"cell {cell}", content, None, cell) for cell, content in cells]
    assert diversity(*samples) == [(4990, 1.0)]


def test_long_series_are_thinned_to_the_last() -> None:
    points = diversity(*[NotebookSample(f"epoch {i}", b"diverse", i, 3) for i in range(100)])
    assert len(points) == MAX_SHEETS
    assert points[-1] == (99, 1.0)


def test_a_run_without_sheets_stays_as_it_is() -> None:
    data = losses()
    assert add_sample_diversity(data, {"a": [NotebookSample("cell 1", b"plot")], "b": []}, SHEETS.__getitem__) is data
