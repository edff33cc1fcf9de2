"""What trackers keep in their own files: MLflow's and trackio's databases, W&B's datastore, DVCLive, Parquet.

The samples were written by mlflow 3.17, trackio 0.43, wandb 0.31 and dvclive 3.49, with fewer tables and rows.
"""

from __future__ import annotations

import math
import shutil
import sqlite3
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ganlib.logs import Follower, LogError, read
from ganlib.logs.readers.wandb_datastore import BLOCK, CHUNK_HEADER, FIRST, FULL, LAST, MIDDLE

SAMPLES = Path(__file__).parents[1] / "samples"


def test_mlflow_database(read_sample, points):
    frame = read_sample("mlflow.db")
    assert set(frame["run"]) == {"small net", "large net"}
    assert points(frame, "loss/D", "small net") == [(0, 1), (10, 0.9), (20, 0.8), (30, 0.7), (40, 0.6)]
    assert points(frame, "fid", "large net")[-1] == (40, 76)  # logged as val/fid
    assert math.isnan(points(frame, "bad", "small net")[0][1])
    assert points(frame, "worse", "small net") == [(3, math.inf)]  # MLflow stores the largest float
    assert frame["wall_time"].min() == pytest.approx(1795694572.255)


def test_mlflow_without_steps_of_deleted_runs_and_of_several_experiments(tmp_path, points, skipped_reasons):
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            "CREATE TABLE experiments (experiment_id, name); CREATE TABLE tags (key, value, run_uuid);"
            "CREATE TABLE runs (run_uuid, name, experiment_id, lifecycle_stage);"
            "CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan);"
            "INSERT INTO experiments VALUES (1, 'digits'), (2, 'faces');"
            "INSERT INTO runs VALUES ('a1', '', 1, 'active'), ('b1', 'wgan', 2, 'active'), ('c1', 'old', 2, 'deleted'),"
            "  ('d1', 'wgan', 2, 'active');"
            "INSERT INTO tags VALUES ('mlflow.runName', 'dcgan', 'a1');"
        )
        rows = [("loss", 1 - 0.1 * i, 1000 * i, run, 0, 0) for run in ("a1", "b1", "c1", "d1") for i in range(3)]
        database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.close()
    frame = read(path)
    assert set(frame["run"]) == {"digits/dcgan", "faces/wgan (b1)", "faces/wgan (d1)"}
    assert points(frame, "loss", "digits/dcgan") == [(0, 1), (1, 0.9), (2, 0.8)]
    assert skipped_reasons(frame) == [(None, "1 run is deleted")]


def test_a_run_of_mlflow_that_was_resumed_is_a_segment_as_in_its_folder_of_files(tmp_path, points):
    """Also where rows of one time lie in the database in any order."""
    logged = [(1000 * (i // 2), step, i / 4) for i, step in enumerate([0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7])]
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            "CREATE TABLE experiments (experiment_id, name); CREATE TABLE tags (key, value, run_uuid);"
            "CREATE TABLE runs (run_uuid, name, experiment_id, lifecycle_stage);"
            "CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan);"
            "INSERT INTO experiments VALUES (1, 'digits'); INSERT INTO runs VALUES ('a1', 'gan', 1, 'active');"
        )
        rows = [("loss", value, 1700000000000 + time, "a1", step, 0) for time, step, value in reversed(logged)]
        database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.close()
    metrics = tmp_path / "mlruns" / "1" / "a1" / "metrics"
    metrics.mkdir(parents=True)
    (metrics / "loss").write_text("".join(f"{1700000000000 + time} {value} {step}\n" for time, step, value in logged))
    for frame in (read(path), read(tmp_path / "mlruns")):
        assert points(frame, "loss") == [(step, value) for _, step, value in logged]
        assert frame["segment"].tolist() == [0] * 6 + [1] * 6


def test_trackio_database(read_sample, points):
    frame = read_sample("trackio.db")
    assert set(frame["run"]) == {"dcgan", "wgan"}
    assert points(frame, "loss/G", "wgan") == [(10 * i, pytest.approx(1 + 0.02 * i)) for i in range(7)]
    assert points(frame, "fid", "dcgan") == [(0, 90), (50, 85)]
    assert frame["wall_time"].min() == pytest.approx(1795694579.344)


def test_database_being_written_is_left_alone(tmp_path, points):
    """The rows that lie in the write-ahead log are read too, and no file appears beside the writer's own."""
    path = tmp_path / "p.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id, timestamp, run_name, step, metrics)")
    insert = "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES ('1', ?, 'dcgan', ?, ?)"
    with database:
        database.execute(insert, ("2026-01-01T00:00:00+00:00", 0, '{"loss": 1.5, "sample": {"_type": "image"}}'))
    before = sorted(file.name for file in tmp_path.iterdir())
    follower = Follower(path)
    assert points(follower.read(), "loss") == [(0, 1.5)]
    with database:
        database.execute(insert, ("2026-01-01T00:00:01+00:00", 5, b'{"loss": NaN}'))
    np.testing.assert_equal(points(follower.read(), "loss"), [(0, 1.5), (5, np.nan)])
    assert sorted(file.name for file in tmp_path.iterdir()) == before
    database.close()
    assert [file.name for file in tmp_path.iterdir()] == ["p.db"]
    path.chmod(0o444)
    assert len(read(path)) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["p.db"]


def test_other_databases_say_so(tmp_path):
    for name, script, reason in (
        ("contacts", "CREATE TABLE people (name)", "none of MLflow or trackio"),
        # A view could run anything, here forever.
        ("endless", "CREATE VIEW metrics AS WITH RECURSIVE n(key, value, timestamp, run_uuid, step) AS (SELECT 1, 1, 1,"
                    " 1, 1 UNION ALL SELECT 1, 1, 1, 1, 1 FROM n) SELECT * FROM n", "none of MLflow or trackio"),
    ):  # fmt: skip
        path = tmp_path / f"{name}.db"
        database = sqlite3.connect(path)
        database.executescript(script)
        database.close()
        with pytest.raises(LogError, match=reason):
            read(path)
    (tmp_path / "cut.db").write_bytes((SAMPLES / "mlflow.db").read_bytes()[:2000])
    with pytest.raises(LogError, match="the database cannot be read"):
        read(tmp_path / "cut.db")


def test_wandb_datastore(read_sample, points):
    frame = read_sample("run-ty8ny5al.wandb")
    assert frame["run"].unique().tolist() == ["small net"]
    assert points(frame, "loss/D") == [(50 * i, pytest.approx(1 - 0.01 * i)) for i in range(8)]
    assert points(frame, "fid") == [(0, 100), (200, 96)]
    np.testing.assert_equal(points(frame, "bad"), [(250, np.nan)])
    assert set(frame["tag"]) == {"loss/D", "loss/G", "fid", "bad", "nested/lr", "elapsed"}  # no histogram, no text
    assert frame.attrs["skipped_total"] == 0


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def history(step: int, key: str, value: bytes) -> bytes:
    """A record of the history: its step, and an item whose value is encoded already."""
    item = message(1, key.encode()) + value
    return message(2, message(1, item) + message(2, b"\x08" + varint(step)))


def datastore(records: list[bytes]) -> bytes:
    """Records in blocks, as LevelDB's log writer frames them."""
    data = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        kind = None
        while kind not in (FULL, LAST):
            if BLOCK - len(data) % BLOCK < CHUNK_HEADER:
                data += bytes(BLOCK - len(data) % BLOCK)
            room = BLOCK - len(data) % BLOCK - CHUNK_HEADER
            part, record = record[:room], record[room:]
            kind = (FIRST if record else FULL) if kind is None else (MIDDLE if record else LAST)
            data += struct.pack("<IHB", zlib.crc32(part, zlib.crc32(bytes([kind]))), len(part), kind) + part
    return bytes(data)


def test_wandb_records_across_blocks_and_typed_values(tmp_path, points, skipped_reasons):
    path = tmp_path / "run-1.wandb"
    note = message(17, message(9, b"x" * 100_000))  # a record that fills several blocks
    typed = [history(2, "loss", b"\x31" + struct.pack("<d", 0.25)), history(3, "loss", b"\x28" + varint(7))]
    data = datastore([note, history(1, "loss", message(16, b"0.5")), *typed, history(300, "loss", message(16, b"1"))])
    path.write_bytes(data)
    assert points(read(path), "loss") == [(1, 0.5), (2, 0.25), (3, -4), (300, 1)]  # 7 is -4 in zigzag
    damaged = bytearray(data)
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    frame = read(path)
    assert points(frame, "loss") == [(1, 0.5), (2, 0.25), (3, -4)]
    assert skipped_reasons(frame) == [(5, "its checksum is wrong")]


def test_wandb_followed_piece_by_piece(tmp_path, points):
    path = tmp_path / "run-1.wandb"
    data = datastore([history(i, "loss", message(16, str(i / 8).encode())) for i in range(3000)])
    path.touch()
    follower = Follower(path)
    for end in (5, 40, 41, 20_000, 32_768, 32_770, 70_000, len(data)):
        path.write_bytes(data[: path.stat().st_size]) if end < 7 else None
        with path.open("ab") as file:
            file.write(data[path.stat().st_size : end])
        frame = follower.read()
    assert points(frame, "loss") == [(i, i / 8) for i in range(3000)]
    assert frame.attrs["skipped_total"] == 0


def test_wandb_folder_is_one_run(tmp_path, points):
    folder = tmp_path / "wandb" / "offline-run-20260101_000000-ty8ny5al"
    (folder / "files").mkdir(parents=True)
    shutil.copy(SAMPLES / "run-ty8ny5al.wandb", folder)
    (folder / "files" / "wandb-summary.json").write_text('{"d_loss": 0.93, "_step": 350, "_runtime": 2}')
    (folder / "debug-internal.log").write_text('{"time": "2026-01-01T00:00:00Z", "pid": 1}\n{"pid": 2}\n')
    frame = read(tmp_path)
    assert frame["run"].unique().tolist() == ["small net"]
    assert len(points(frame, "loss/D")) == 8


def test_dvclive_folder_is_one_run(read_sample, points):
    frame = read_sample("dvclive")
    assert frame["run"].unique().tolist() == ["dvclive"]
    assert points(frame, "loss/G") == [(i, pytest.approx(1 + 0.02 * i)) for i in range(20)]
    assert set(frame["original"]) == {"train/d_loss", "train/g_loss"}  # metrics.json repeats their last values


def test_parquet(tmp_path, points):
    """trackio exports a row per step of every run; others write a table of one run."""
    table = pd.DataFrame(
        {
            "run_name": ["dcgan", "dcgan", "wgan"],
            "timestamp": ["2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00", "2026-01-01T00:02:00+00:00"],
            "step": [0, 10, 0],
            "d_loss": [1.5, 0.5, 0.25],
            "fid": [None, 30.0, None],
        }
    )
    table.to_parquet(tmp_path / "p.parquet")
    frame = read(tmp_path / "p.parquet")
    assert points(frame, "loss/D", "dcgan") == [(0, 1.5), (10, 0.5)]
    assert points(frame, "loss/D", "wgan") == [(0, 0.25)]
    assert points(frame, "fid") == [(10, 30)]
    assert frame["wall_time"].min() == 1767225600
    content = (tmp_path / "p.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[:-10])
    with pytest.raises(LogError, match="it is damaged"):
        read(tmp_path / "cut.parquet")
