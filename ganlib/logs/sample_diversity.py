"""How many different pictures a run's samples show, as a scalar of its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from ganlib.logs.frame import DTYPES, concat
from ganlib.logs.notebook_samples import NotebookSample
from ganlib.logs.sheet_diversity import distinct_fraction

DISTINCT = "samples/distinct"
MAX_SHEETS = 8  # of a run, evenly from its first to its last: one takes some hundredths of a second

Measure = Callable[[bytes], float | None]


def add_sample_diversity(
    frame: pd.DataFrame, samples: Mapping[str, Sequence[NotebookSample]], measure: Measure = distinct_fraction
) -> pd.DataFrame:
    """The frame of ``read`` with the part of different pictures on its runs' sheets as further rows.

    Sheets that were shown during a training count at their step; where there are none, one that was shown after it,
    the first of them, counts at its end. What is no sheet of pictures does not count.
    """
    frames = [frame]
    units = frame.attrs.get("step_units", {})
    for run, own in samples.items():
        rows = frame[frame["run"] == run]
        if rows.empty or not (points := list(_points(own, int(rows["step"].max()), measure))):
            continue
        columns = {
            "run": run,
            "step": [step for step, _ in points],
            "wall_time": np.nan,
            "tag": DISTINCT,
            "value": [value for _, value in points],
            "original": "pictures",
            "segment": rows["segment"].max(),
        }
        added = pd.DataFrame(columns, columns=list(DTYPES)).astype(DTYPES)
        added.attrs = {"step_units": {run: units.get(run, "steps")}, "skipped": [], "skipped_total": 0}
        frames.append(added)
    return concat(frames).reset_index(drop=True) if len(frames) > 1 else frame


def _points(samples: Sequence[NotebookSample], last_step: int, measure: Measure) -> Iterator[tuple[int, float]]:
    during = [sample for sample in samples if sample.step is not None]
    found = False
    for i in np.unique(np.linspace(0, len(during) - 1, MAX_SHEETS).round().astype(int)) if during else ():
        if (value := measure(during[i].content)) is not None:
            found = True
            yield during[i].step or 0, value
    if not found:
        after = [sample for sample in samples if sample.step is None][: 2 * MAX_SHEETS]
        # Of the first cell with sheets the last: a training whose steps are unknown, or what was shown right after it.
        values = [(sample.cell, value) for sample in after if (value := measure(sample.content)) is not None]
        if values:
            yield last_step, [value for cell, value in values if cell == values[0][0]][-1]
