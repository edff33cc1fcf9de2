"""Files that cannot be written, and JSON that no one of ours wrote."""

from __future__ import annotations

from errno import ENOSPC
from pathlib import Path

import pytest

from ganlib.errors import GanlibError
from ganlib.files import read_json, read_toml, write_atomically, writing
from ganlib.training.log import ScalarLog

FULL = Path("/dev/full")  # a disk without space


def test_a_full_disk_names_the_file_and_what_to_do(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(GanlibError) as raised, writing(path):
        raise OSError(ENOSPC, "No space left on device")
    assert str(raised.value) == (
        f"{path} cannot be written (No space left on device); free space on its disk, or choose a folder elsewhere, "
        "and repeat."
    )


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_row_of_a_log_on_a_full_disk_is_one_sentence(tmp_path):
    log = ScalarLog(tmp_path / "log.csv")
    log.append(1, 4, {"a": 1.0})
    log.path.unlink()
    log.path.symlink_to(FULL)
    with pytest.raises(GanlibError, match=r"log.csv cannot be written \(No space left on device\); free space"):
        log.append(2, 8, {"a": 1.0})


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(GanlibError, match=r"file/weights cannot be read or written \(.*\); check the path"):
        write_atomically(tmp_path / "file" / "weights", b"x")


@pytest.mark.parametrize(
    ("content", "value"),
    [(rb'"a\ud800b"', "a\ufffdb"), (rb'{"\udc00": ["\ud83d\ude00"]}', {"\ufffd": ["\U0001f600"]}), (b"[1, 2]", [1, 2])],
)
def test_half_a_surrogate_pair_is_replaced(content, value, tmp_path):
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json") == value


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 30 + b"]" * 30, b"[" * 10**5, b"9" * 5000])
def test_no_json_is_a_value_error(content, tmp_path):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"\w"):  # a reason
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("content", ["a = ", "a = " + "9" * 5000, "a = " + "[" * 5000, "\x00"])
def test_no_toml_is_one_sentence(content, tmp_path):
    (tmp_path / "a.toml").write_text(content)
    with pytest.raises(GanlibError, match=r"a\.toml is no valid TOML: "):
        read_toml(tmp_path / "a.toml", "a queue file")
