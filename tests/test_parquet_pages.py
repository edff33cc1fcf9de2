"""Sizes of the pages of Parquet files: as pyarrow writes them, and where a page claims what it has not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from ganlib.data import load_data
from ganlib.errors import GanlibError
from ganlib.logs import LogError, read
from ganlib.parquet_pages import page_sizes

HUGE = bytes([0xC0, 0xFF, 0xFF, 0xFF, 0x0F])  # 2,147,483,616 as a zigzag varint


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"compression": "zstd", "data_page_version": "2.0"},
        {"use_dictionary": False, "row_group_size": 500, "compression": "none"},
        {"write_statistics": False, "write_page_index": True, "write_page_checksum": True},
    ],
)
def test_pages_have_the_bytes_that_the_footer_counts_without_their_headers(written, tmp_path):
    rng = np.random.default_rng(0)
    n = 3000
    columns: dict[str, Any] = {"number": rng.normal(size=n), "name": [f"run {i % 7}" for i in range(n)]}
    columns["picture"] = [{"bytes": rng.bytes(int(size)), "path": None} for size in rng.integers(0, 2000, n)]
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet", **written)
    footer = parquet.ParquetFile(tmp_path / "a.parquet").metadata
    total = sum(footer.row_group(i).total_byte_size for i in range(footer.num_row_groups))
    sizes = list(page_sizes(tmp_path / "a.parquet"))
    assert len(sizes) >= 4 * footer.num_row_groups
    assert 0 < total - sum(sizes) < 4500 * len(sizes)  # a header has statistics of whole pictures


def claim_gigabytes(path: Path) -> None:
    """In the first page's header: of what kind it is, then to how many bytes it unpacks."""
    content = path.read_bytes()
    place = content.index(b"\x15", 4)  # a field of 32 bits
    begin = end = content.index(b"\x15", place + 1) + 1
    while content[end] > 127:
        end += 1
    path.write_bytes(content[:begin] + HUGE + content[end + 1 :])


def test_a_log_whose_page_claims_gigabytes_is_refused_before_they_are_reserved(tmp_path):
    parquet.write_table(pa.table({"loss": np.linspace(1, 0, 50)}), tmp_path / "log.parquet")
    claim_gigabytes(tmp_path / "log.parquet")
    assert next(iter(page_sizes(tmp_path / "log.parquet"))) == 2_147_483_616
    with pytest.raises(LogError, match="it unpacks to 2,147 MB; at most 400 MB are read"):
        read(tmp_path / "log.parquet")


def test_a_shard_whose_page_claims_gigabytes_is_refused(tmp_path):
    parquet.write_table(pa.table({"image": [b"no picture"] * 10}), tmp_path / "set.parquet")
    claim_gigabytes(tmp_path / "set.parquet")
    with pytest.raises(GanlibError, match=r"A page of set\.parquet unpacks to 2,147 MB, .* smaller data_page_size"):
        load_data(f"shards:{tmp_path / 'set.parquet'}")


def test_damaged_files_have_page_sizes_or_a_value_error(tmp_path):
    parquet.write_table(pa.table({"a": range(50), "b": ["x", "y"] * 25}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    rng = np.random.default_rng(0)
    outcomes: set[bool | str] = set()
    for _ in range(400):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            damaged[place] = rng.integers(0, 256)
        if rng.random() < 0.2:
            del damaged[rng.integers(0, len(content)) : -8]
        (tmp_path / "b.parquet").write_bytes(damaged)
        try:
            outcomes.add(min(page_sizes(tmp_path / "b.parquet")) >= 0)
        except ValueError as error:
            outcomes.add(str(error))
    assert {True, "the places of its pages are unknown", "a column lies outside the file"} <= outcomes
    assert False not in outcomes


def test_a_footer_nested_without_end_is_a_value_error(tmp_path):
    footer = b"\x1c" * 5000
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(ValueError, match="nested too deep"):
        list(page_sizes(tmp_path / "a.parquet"))
