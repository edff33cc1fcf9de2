"""Uploads: within a budget of memory and time, and one sentence beyond it."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.logs import read, uploads
from ganlib.logs.uploads import read_upload
from helpers.notebooks import notebook_picture, write_notebook


def table(rows: int) -> bytes:
    return b"step,loss,loss/D\n" + b"".join(b"%d,%d.5,0.25\n" % (i, i) for i in range(rows))


def packed(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(GanlibError) as raised:
        read_upload(path)
    text = str(raised.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


@pytest.mark.parametrize("rows", [10, 20_000])  # read at once, and in a process of its own
def test_the_frame_is_that_of_read(rows, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(table(rows) + b"broken,line\n")
    frame, expected = read_upload(path).frame, read(path)
    pd.testing.assert_frame_equal(frame, expected)
    assert frame.attrs == expected.attrs


def test_a_tree_in_an_archive_is_read(tmp_path):
    frame, _ = read_upload(packed(tmp_path / "tree.zip", {"a/log.csv": table(5), "b/log.csv": table(7)}))
    assert list(frame["run"].cat.categories) == ["a", "b"]


def test_damaged_archives_are_one_sentence(tmp_path):
    for name, method in (("lzma", zipfile.ZIP_LZMA), ("bz2", zipfile.ZIP_BZIP2), ("deflated", zipfile.ZIP_DEFLATED)):
        path = packed(tmp_path / f"{name}.zip", {"a.csv": table(5000)}, method)
        content = bytearray(path.read_bytes())
        content[60:90] = bytes(30)
        path.write_bytes(content)
        assert refused(path).startswith(f"{name}.zip cannot be unpacked (")


def test_too_many_files_are_one_sentence(tmp_path):
    path = packed(tmp_path / "many.zip", {f"{i}.csv": b"step,loss\n1,2\n" for i in range(3000)})
    assert refused(path).startswith("many.zip holds 3,000 files")


def test_copies_of_a_log_are_read_in_linear_time(tmp_path):
    path = packed(tmp_path / "copies.zip", {f"r/{i}.csv": table(2) for i in range(500)})
    assert len(read_upload(path).frame) == 4


def test_a_line_beyond_all_measure_is_one_sentence(tmp_path):
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"step": 1, "text": "a" * 60_000_000}))
    assert refused(path) == "long.jsonl has a line of 60 MB; lines of up to 50 MB are read, so split it."


def test_too_many_scalars_are_one_sentence(tmp_path):
    def wide(letter: str) -> bytes:
        names = ",".join(f"{letter}{i}" for i in range(3000))
        return f"step,{names}\n".encode() + b"".join(b"%d%s\n" % (step, b",0.5" * 3000) for step in range(3))

    path = packed(tmp_path / "wide.zip", {"a/log.csv": wide("a"), "b/log.csv": wide("b")})
    assert refused(path) == "wide.zip holds 6,000 scalars; at most 5,000 can be shown, so split it."


def test_beyond_its_time_an_upload_ends_in_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "slow.csv"
    path.write_bytes(table(20_000))
    monkeypatch.setattr(uploads, "SECONDS", 0.1)
    assert refused(path) == "slow.csv takes more than 0 seconds to read; upload fewer or shorter logs at a time."


def test_beyond_its_memory_an_upload_ends_in_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "large.csv"
    path.write_bytes(table(200_000))
    monkeypatch.setattr(uploads, "MEMORY", 200_000_000)
    assert (
        refused(path) == "large.csv takes more than 200 MB of memory to read; upload fewer or shorter logs at a time."
    )


def test_the_pictures_of_a_notebook_come_with_its_frame(tmp_path):
    pictures = [notebook_picture((8, 8), level) for level in (0, 200)]
    write_notebook(tmp_path / "gan.ipynb", *pictures)
    content = (tmp_path / "gan.ipynb").read_bytes()
    archive = packed(tmp_path / "two.zip", {f"{name}/gan.ipynb": content for name in "ab"})
    for path, runs in ((tmp_path / "gan.ipynb", ["gan"]), (archive, ["a", "b"])):
        upload = read_upload(path)
        assert list(upload.pictures) == runs
        for samples in upload.pictures.values():
            assert [(sample.moment, sample.step, sample.cell) for sample in samples] == [
                ("epoch 1", 1, 1),
                ("epoch 2", 2, 1),
            ]


def test_pictures_beyond_their_budget_are_left_out_and_the_curves_stay(tmp_path, monkeypatch):
    path = write_notebook(tmp_path / "gan.ipynb", *(notebook_picture((8, 8), level) for level in range(4)))
    monkeypatch.setattr(uploads, "PICTURE_BYTES", 100)
    frame, pictures = read_upload(path)
    assert frame["value"].tolist() == read(path)["value"].tolist()
    assert not pictures
    assert frame.attrs["skipped_total"] == 1
    assert frame.attrs["skipped"][0].reason.startswith("its pictures are left out: they take ")


def test_much_in_few_bytes_ends_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MEMORY", 400_000_000)
    monkeypatch.setattr(uploads, "SECONDS", 20.0)
    parquet = tmp_path / "constant.parquet"
    pd.DataFrame({"step": 1, "loss": np.ones(5_000_000)}).to_parquet(parquet)
    database = tmp_path / "endless.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "CREATE VIEW metrics AS WITH RECURSIVE n(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM n) "
            "SELECT 'run' AS run_uuid, 'loss' AS key, 0.5 AS value, step, 0 AS timestamp, 0 AS is_nan FROM n"
        )
    for path in (parquet, database):
        assert path.stat().st_size < uploads.SMALL
        assert path.name in refused(path)
