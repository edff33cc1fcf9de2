"""Frames of made-up curves and scores, and colours for them."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from ganlib.figures import (
    PALETTE,
)

COLOURS = {"one": PALETTE[2], "two": PALETTE[2], "three": PALETTE[0]}


def frame(runs: list[str], tags: list[str], n: int = 30) -> pd.DataFrame:
    rows = [
        (run, step, step * 64.0, tag, 1.0 + place + step / n, 0)
        for place, (run, tag) in enumerate(itertools.product(runs, tags))
        for step in range(n)
    ]
    table = pd.DataFrame(rows, columns=["run", "step", "x", "tag", "value", "segment"])
    return table.astype({"run": "category", "tag": "category"})


def scores(**values: float) -> pd.DataFrame:
    table = pd.DataFrame({"run": list(values), "value": list(values.values())})
    table = table.assign(low=table["value"] - 1, high=table["value"] + 2, images_seen=64_000)
    table = table.assign(metric="fid", protocol="{}", protocol_label="embedded", weights_hash="abc")
    return table.assign(snapshot=pd.array([None] * len(table), dtype="Int64"))


def luminance(colour: str) -> float:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])
