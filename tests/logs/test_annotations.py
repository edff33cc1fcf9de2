"""Points that curves annotate: growth, learning rate changes, the best FID, restarts."""

from __future__ import annotations

from ganlib.logs import find_annotations
from ganlib.logs.annotations import resolution_increases
from ganlib.logs.frame import DTYPES
from helpers.log_frames import scalar_frame


def test_growth_is_where_the_resolution_rose() -> None:
    # Rows 3 and 7 are means over steps of two resolutions.
    sizes = dict(enumerate([4, 4, 5.6, 8, 8, 8, 15.9, 16], 1))
    annotations = resolution_increases(scalar_frame({"plain": {"loss/D": {1: 0.5}}, "grown": {"resolution": sizes}}))
    assert list(zip(annotations["run"], annotations["step"], annotations["label"], strict=True)) == [
        ("grown", 3, "8 px"),
        ("grown", 7, "16 px"),
    ]


def test_marks_are_jumps_of_the_rate_the_best_fid_and_restarts() -> None:
    rates = {1: 1e-3, 2: 0.99e-3, 3: 1e-4, 4: 1e-4}
    frame = scalar_frame({"a": {"lr": rates, "fid": {1: 50.0, 2: 20.0, 3: 30.0}}})
    annotations = {kind: rows[["step", "label"]].values.tolist() for kind, rows in find_annotations(frame)}
    assert annotations == {"learning rate": [[3, "lr 0.0001"]], "best FID": [[2, "FID 20"]]}
    cyclic = scalar_frame({"b": {"lr": {step: 1e-3 * (1 + step % 2) for step in range(1000)}}})
    assert not dict(find_annotations(cyclic))
    restarted = frame.assign(segment=[0, 0, 1, 1, 0, 0, 1]).astype(DTYPES)
    assert dict(find_annotations(restarted))["restarts"][["step", "label"]].values.tolist() == [[3, "restart"]]
