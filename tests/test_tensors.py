"""Reading files of tensors, also while somebody overwrites them."""

from __future__ import annotations

import re
import struct
import zipfile
from pickle import UnpicklingError

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save

from ganlib.tensors import load_tensors, read_header, read_safetensors
from helpers.gallery import PROJECT

TENSORS = {
    "a": torch.arange(6.0).reshape(2, 3),
    "b": torch.tensor(3, dtype=torch.int64),
    "c": torch.empty(0, 4),
    "d": torch.tensor([1.5, -2, 3], dtype=torch.bfloat16),
    "e": torch.tensor([True, False, True]),
}
CONTENT = save(TENSORS, {"images": "8"})


def test_tensors_texts_and_shapes_are_those_written(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(CONTENT)
    tensors, metadata = read_safetensors(path)
    assert {name: (t.dtype, t.tolist()) for name, t in tensors.items()} == {
        name: (t.dtype, t.tolist()) for name, t in TENSORS.items()
    }
    assert metadata == {"images": "8"}
    header = read_header(path)
    assert (header.metadata, header.shapes) == (metadata, {"a": (2, 3), "b": (), "c": (0, 4), "d": (3,), "e": (3,)})


def test_a_tensor_may_begin_anywhere(tmp_path):
    """Other writers align nothing."""
    header = (
        b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}'
    )
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\x07" + struct.pack("<f", 2.5))
    tensors, _ = read_safetensors(path)
    assert (tensors["a"].item(), tensors["b"].item()) == (7, 2.5)


def test_tensors_outlive_their_file_being_overwritten_in_place(tmp_path):
    """Mapped into memory, they would end the process with SIGBUS."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"a": torch.ones(1_000_000)}))
    tensors, _ = read_safetensors(path)
    with path.open("r+b") as file:
        file.truncate(10)
    assert tensors["a"].sum() == 1_000_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "its header is cut off"),
        (CONTENT[:7], "its header is cut off"),
        (CONTENT[:-1], "it has"),
        (CONTENT + b"\0", "it has"),
        ((2**63).to_bytes(8, "little") + CONTENT[8:], "its header is cut off"),
        ((2).to_bytes(8, "little") + b"[]", "its header is damaged"),
        (CONTENT.replace(b"[0,8]", b"[0,9]"), "9 bytes for the shape"),
        (CONTENT.replace(b"[0,8]", b"[8,16]"), "overlap or leave gaps"),
        (CONTENT.replace(b'"I64"', b'"X64"'), "its header is damaged"),
        (CONTENT.replace(b"[2,3]", b"[-2,-3]"), "bytes for the shape"),
        ((2).to_bytes(8, "little") + b"\xff\xff", "its header is damaged"),
        ((24).to_bytes(8, "little") + b'{"__metadata__":{"a":1}}', "its metadata are no texts"),
    ],
)
def test_a_damaged_header_is_an_error_of_one_kind(content, reason, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    for read in (read_header, read_safetensors):
        with pytest.raises(SafetensorError, match=reason):
            read(path)


def test_records_that_claim_more_than_the_file_has_are_not_read(tmp_path):
    torch.save({"a": torch.arange(300)}, tmp_path / "whole.pt")
    assert load_tensors(tmp_path / "whole.pt")["a"].tolist() == [*range(300)]
    content = (tmp_path / "whole.pt").read_bytes()
    place = content.index((2400).to_bytes(4, "little"), content.index(b"PK\1\2"))  # in the central directory
    packed = content[:place] + content[place : place + 4] + (2**32 - 2).to_bytes(4, "little") + content[place + 8 :]
    (tmp_path / "claims.pt").write_bytes(packed)
    with pytest.raises(UnpicklingError, match=r"its records claim 4,29\d,\d{3},\d{3} bytes, more than the file has"):
        load_tensors(tmp_path / "claims.pt")
    with zipfile.ZipFile(tmp_path / "whole.pt") as whole:
        records = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb:
        for name, record in records.items():
            bomb.writestr(name, bytes(10**6) if name.endswith("data/0") else record)
    with pytest.raises(UnpicklingError, match="more than the file has"):
        load_tensors(tmp_path / "bomb.pt")


def test_this_module_alone_reads_safetensors():
    files = [path for path in (PROJECT / "ganlib").rglob("*.py") if path.name != "tensors.py"]
    assert [path for path in files if re.search(r"\b(safe_open|load_file|torch\.load)\(", path.read_text())] == []
