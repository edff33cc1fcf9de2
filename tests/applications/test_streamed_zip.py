"""ZIP without a list of members in memory: zipfile reads it as its own, also where 16 and 32 bits do not suffice."""

from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import pytest

from ganlib.applications.export.manifest import Manifest, Row
from ganlib.applications.export.streamed_zip import STORED, Member, add, add_file, read_member, write_directory


def names_of(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_members_and_files_are_what_zipfile_reads(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"a,b\n" * 700_000)  # more than a block
    with (tmp_path / "x.zip").open("w+b") as file:
        add(file, "0/a.png", b"first")
        add(file, "chá/é.png", b"")
        add_file(file, tmp_path / "table.csv")
        write_directory(file)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["0/a.png", "chá/é.png", "table.csv"]
        assert [archive.read(name) for name in archive.namelist()] == [b"first", b"", b"a,b\n" * 700_000]
        assert archive.getinfo("table.csv").compress_size < 20_000
        assert {(m.date_time, m.external_attr >> 16) for m in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), 0o644)}


def test_headers_are_those_of_zipfile(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("0/a.png"), b"first")
    with (tmp_path / "x.zip").open("rb") as file:
        member = read_member(file)
        assert member is not None
        assert (tmp_path / "x.zip").read_bytes().startswith(member.header + file.read(member.size))


def test_more_members_than_16_bits_count_take_the_memory_of_few(tmp_path):
    with (tmp_path / "x.zip").open("w+b") as file:
        for i in range(70_000):
            add(file, f"{i:010d}.png", b"%d" % i)
        tracemalloc.start()
        write_directory(file)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4e6  # 1 MB of entries at a time; zipfile would hold 30 MB
    names = names_of(tmp_path / "x.zip")
    assert len(names) == 70_000
    assert names[-1] == "0000069999.png"


def test_members_behind_4_gigabytes(tmp_path):
    large = Member(b"large", 0, STORED, 0, 2**32 - 2, 2**32 - 2, 0)
    with (tmp_path / "x.zip").open("w+b") as file:
        file.write(large.header)
        file.seek(large.size, 1)  # a hole, which takes no room
        add(file, "small", b"behind")
        write_directory(file)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.getinfo("large").file_size == 2**32 - 2
        assert archive.read("small") == b"behind"


@pytest.mark.parametrize("left", [b"", b"file,se"])
def test_a_manifest_whose_first_row_was_killed_begins_anew(tmp_path, left):
    (tmp_path / "manifest.csv").write_bytes(left)
    manifest, row = Manifest(tmp_path / "manifest.csv", {}, "abc"), Row("0/1.png", 1, "0", 0, {})
    manifest.cut()
    assert list(manifest.rows()) == []
    manifest.append([row])
    assert list(manifest.rows()) == [row]


def test_the_rows_of_a_long_manifest_take_no_memory(tmp_path):
    manifest = Manifest(tmp_path / "manifest.csv", {}, "abc")
    rows = [Row(f"0/{i:010d}.png", i, "0", 0, {"confidence": 0.5}) for i in range(20_000)]
    manifest.append(rows)
    with (tmp_path / "manifest.csv").open("ab") as file:
        file.write(b"0/" + b"9" * 200_000)  # longer than what is read at a time
    tracemalloc.start()
    manifest.cut()
    count = sum(1 for _ in manifest.rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 5e5
    assert list(manifest.rows()) == rows
