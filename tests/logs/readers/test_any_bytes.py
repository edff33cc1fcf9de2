"""No bytes break a reader: it gives a frame of the fixed columns, or one sentence."""

from __future__ import annotations

import json
import random
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_event_files import scalar, write

from ganlib.logs import Follower, LogError, read
from ganlib.logs.frame import COLUMNS, MAX_LISTED

pytestmark = pytest.mark.slow  # hundreds of generated files a test

SAMPLES = sorted(path for path in (Path(__file__).parents[1] / "samples").rglob("*") if path.is_file())
CELLS = st.one_of(
    st.floats().map(str),
    st.integers(-(10**30), 10**30).map(str),
    st.sampled_from(["", "nan", "inf", "-3e68", "N/A", "9 days, 20:04:38", "loss", "step", "epoch", '"', "1,5", "\0"]),
    st.text(max_size=5),
)
TABLES = st.tuples(st.sampled_from([",", ";", "\t", "|", " "]), st.lists(st.lists(CELLS, max_size=5), max_size=8)).map(
    lambda table: "\n".join(table[0].join(row) for row in table[1]).encode("utf-8", "surrogatepass")
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=4)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["step", "epoch", "loss", "tag", "value", "run", "phase", "batch", "snapshot_pkl", "results"])
EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_is_one_sentence(error: LogError) -> None:
    assert error.reason
    assert "unexpected" not in error.reason
    assert "\n" not in str(error)


def check(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for read_log in (lambda: read(path), lambda: read(path.parent), lambda: Follower(path).read()):
        try:
            frame = read_log()
        except LogError as error:
            assert_is_one_sentence(error)
            continue
        assert list(frame.columns) == COLUMNS
        assert str(frame["step"].dtype) == "int64"
        assert isinstance(frame["tag"].dtype, pd.CategoricalDtype)
        assert not frame["tag"].isna().any()
        assert len(frame.attrs["skipped"]) <= min(MAX_LISTED, frame.attrs["skipped_total"])


@EXAMPLES
@given(content=st.binary(max_size=300))
def test_any_bytes(tmp_path, content):
    check(tmp_path / "log", content)


@EXAMPLES
@given(content=st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_text(tmp_path, content):
    check(tmp_path / "log.csv", content)


@EXAMPLES
@given(content=TABLES)
def test_any_table(tmp_path, content):
    check(tmp_path / "log.csv", content)


@EXAMPLES
@given(
    records=st.lists(st.dictionaries(KEYS | st.text(max_size=4), VALUES, max_size=5), max_size=5), lines=st.booleans()
)
def test_any_json(tmp_path, records, lines):
    text = "\n".join(map(json.dumps, records)) if lines else json.dumps(records)
    check(tmp_path / "log.jsonl", text.encode())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_samples_damaged_anywhere(tmp_path, sample):
    damage(tmp_path, sample.read_bytes(), sample.name)


def test_event_files_damaged_anywhere(tmp_path):
    events = [scalar(i, tag, 0.5 * i) for i in range(20) for tag in ("a", "Progress/kimg", "Metrics/fid")]
    path = write(tmp_path / "events.out.tfevents.1.x", events)
    damage(tmp_path, path.read_bytes(), path.name, 150)


def test_tables_of_other_programs_damaged_anywhere(tmp_path):
    table = pd.DataFrame({"step": range(20), "d_loss": np.linspace(1, 2, 20), "run": ["a", "b"] * 10})
    table.to_parquet(tmp_path / "log.parquet")
    table.to_excel(tmp_path / "log.xlsx", index=False)
    np.savez(tmp_path / "log.npz", d_loss=table["d_loss"], steps=table["step"])
    np.save(tmp_path / "d_loss.npy", table["d_loss"])
    for path in list(tmp_path.iterdir()):
        content = path.read_bytes()
        path.unlink()
        damage(tmp_path, content, path.name, 60)
        path.unlink()


def damage(folder: Path, content: bytes, name: str, times: int = 25) -> None:
    rng = random.Random(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(times):
            damaged = bytearray(content)
            for _ in range(rng.randint(1, 8)):
                offset = rng.randrange(len(damaged) + 1)
                match rng.randrange(4):
                    case 0:
                        damaged[offset:] = b""
                    case 1:
                        damaged[offset : offset + 1] = rng.randbytes(1)
                    case 2:
                        damaged[offset:offset] = rng.choice(
                            [b"\n", b",", b"nan", b"\0", b"{", b'"', b"9" * 400, b"\xff"]
                        )
                    case 3:
                        damaged[offset : offset + rng.randrange(30)] = b""
            check(folder / name, bytes(damaged))
