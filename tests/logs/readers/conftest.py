"""Small logs with numbers of their own: files in tests/logs/samples, or written on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ganlib.logs import read

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def read_sample() -> Callable[[str], pd.DataFrame]:
    return lambda name: read(SAMPLES / name)


@pytest.fixture
def read_text(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """What ``read`` makes of a text or bytes."""

    def write(content: str | bytes, name: str = "run.csv", step: str | None = None) -> pd.DataFrame:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read(path, step)

    return write


@pytest.fixture
def points() -> Callable[..., list[tuple[int, float]]]:
    """A tag's steps and values."""

    def of(frame: pd.DataFrame, tag: str, run: str | None = None) -> list[tuple[int, float]]:
        rows = frame[frame["tag"] == tag]
        if run is not None:
            rows = rows[rows["run"] == run]
        return list(zip(rows["step"].tolist(), rows["value"].tolist(), strict=True))

    return of


@pytest.fixture
def skipped_reasons() -> Callable[[pd.DataFrame], list[tuple[int | None, str]]]:
    return lambda frame: [(skipped.line, skipped.reason) for skipped in frame.attrs["skipped"]]
