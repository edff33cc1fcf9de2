"""What trainings cost, on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

import pandas as pd

from ganlib.logs.training_time import seconds_until
from ganlib.records import Protocol
from ganlib.runs import Run

ONE_THREAD = ", 1 thread"  # how the name of a machine ends on which one was timed


def one_thread_rates(records: pd.DataFrame) -> dict[str, float]:
    """Runs' training_rate on one thread of a CPU, in images/s; of several machines the last."""
    timed = records[records["metric"] == "training_rate"]
    machines = timed["protocol"].map(lambda key: str(Protocol.from_key(key).extra.get("machine", "")))
    timed = timed[machines.str.endswith(ONE_THREAD).astype(bool)]
    return dict(zip(timed["run"], timed["value"], strict=True))


def one_thread_minutes(run: Run, images: int, rates: Mapping[str, float], known: Mapping[str, Run]) -> float:
    """Minutes of one CPU thread until the run had seen so many images, with those of the weights it started from.

    By the training's own clock; where a GPU trained it, by its rate in ``rates``, NaN without one. ``known``: runs by
    name, for starts that are still there.
    """
    if run.trained_by_gpu:
        own = images / rates[run.name] if rates.get(run.name) else nan
    else:
        (own,) = seconds_until(run.folder.log, [images], run.images_seen, run.training_seconds)
    start = run.recipe.start
    if start is None:
        return float(own) / 60
    earlier = known.get(start.run)
    if earlier and earlier.weights_hash == start.weights:
        return float(own) / 60 + one_thread_minutes(earlier, earlier.images_seen, rates, known)
    return (float(own) + start.seconds) / 60
