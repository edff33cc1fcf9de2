"""A ZIP of any number of members in the memory of one: where each lies is read from the file itself at its end.

Python's ``zipfile`` holds an object of each member until it writes the directory. Members of this one are small and
stored as they are, one behind the other, so that the header before each leads to the next; only ``add_file`` packs.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

LOCAL = struct.Struct("<4s5H3L2H")  # signature … packed size, size, length of the name and of what follows it
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
OFFSET_64 = struct.Struct("<2HQ")  # an extra field
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")
MADE_ON_UNIX, VERSION, VERSION_64 = 3 << 8, 20, 45
STORED, DEFLATED, UTF_8 = 0, 8, 0x800
EPOCH = 0, 33  # time and date of 1 January 1980: the same images are the same bytes
MODE = 0o644 << 16
MOST_16, MOST_32 = 0xFFFF, 0xFFFFFFFF
BLOCK = 1 << 20  # bytes packed at a time


class Member(NamedTuple):
    """``name``: as in the file, ASCII or UTF-8, as ``flags`` say."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def header(self) -> bytes:
        fields = self.flags, self.method, *EPOCH, self.crc, self.packed, self.size, len(self.name), 0
        return LOCAL.pack(b"PK\3\4", VERSION, *fields) + self.name

    @property
    def entry(self) -> bytes:
        """Of the directory."""
        far = self.offset >= MOST_32
        extra = OFFSET_64.pack(1, 8, self.offset) if far else b""
        version = VERSION_64 if far else VERSION
        fields = self.flags, self.method, *EPOCH, self.crc, self.packed, self.size, len(self.name), len(extra), 0, 0, 0
        where = MOST_32 if far else self.offset
        return CENTRAL.pack(b"PK\1\2", MADE_ON_UNIX | version, version, *fields, MODE, where) + self.name + extra


def encoded_name(name: str) -> tuple[bytes, int]:
    """And the flag that says how."""
    return (name.encode("ascii"), 0) if name.isascii() else (name.encode(), UTF_8)


def add(file: BinaryIO, name: str, content: bytes) -> None:
    """A member at the file's position, stored."""
    encoded, flags = encoded_name(name)
    member = Member(encoded, flags, STORED, zlib.crc32(content), len(content), len(content), 0)
    file.write(member.header)
    file.write(content)


def add_file(file: BinaryIO, path: Path) -> None:
    """A member at the file's position, packed in blocks: a manifest may be long."""
    start, (name, flags) = file.tell(), encoded_name(path.name)
    file.write(Member(name, flags, DEFLATED, 0, 0, 0, 0).header)
    crc = packed = size = 0
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    with path.open("rb") as source:
        while True:
            block = source.read(BLOCK)
            piece = packer.compress(block) if block else packer.flush()
            crc, size, packed = zlib.crc32(block, crc), size + len(block), packed + len(piece)
            file.write(piece)
            if not block:
                break
    end = file.tell()
    file.seek(start)
    file.write(Member(name, flags, DEFLATED, crc, packed, size, 0).header)
    file.seek(end)


def read_member(file: BinaryIO) -> Member | None:
    """The one at the file's position, which is its content's afterwards; None where none begins there."""
    offset = file.tell()
    header = file.read(LOCAL.size)
    if len(header) < LOCAL.size:
        return None
    signature, _, flags, method, _, _, crc, packed, size, length, extra = LOCAL.unpack(header)
    name = file.read(length + extra)[:length]
    return Member(name, flags, method, crc, packed, size, offset) if signature == b"PK\3\4" else None


def _members(file: BinaryIO, end: int) -> Iterator[Member]:
    file.seek(0)
    while file.tell() < end and (member := read_member(file)):
        yield member
        file.seek(member.packed, os.SEEK_CUR)


def write_directory(file: BinaryIO) -> None:
    """At the file's position, behind its last member."""
    start = position = file.tell()
    count, entries = 0, bytearray()

    def write() -> None:
        nonlocal position
        file.seek(position)
        file.write(entries)
        position = file.tell()
        entries.clear()

    for member in _members(file, start):
        entries += member.entry
        count += 1
        if len(entries) >= BLOCK:
            after = file.tell()
            write()
            file.seek(after)
    write()
    length = position - start
    if count >= MOST_16 or position >= MOST_32:
        sizes = END_64.size - 12, MADE_ON_UNIX | VERSION_64, VERSION_64, 0, 0, count, count, length, start
        file.write(END_64.pack(b"PK\6\6", *sizes))
        file.write(LOCATOR_64.pack(b"PK\6\7", 0, position, 1))
    shown = min(count, MOST_16)
    file.write(END.pack(b"PK\5\6", 0, 0, shown, shown, min(length, MOST_32), min(start, MOST_32), 0))
