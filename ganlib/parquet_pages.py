"""What the pages of a Parquet file say that they unpack to: pyarrow reserves as much before it unpacks one.

Structures as in https://github.com/apache/parquet-format, written in Thrift's compact protocol; by field number. Read
here and not through pyarrow, which has no view of pages and dies of damaged statistics of a column (version 26).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"PAR1"
HEADER = 2**12  # bytes that nearly all headers of pages fit into
LARGEST_HEADER = 2**24  # as pyarrow has it; statistics may hold whole values
DEEPEST = 32  # structures within structures

Fields = dict[int, Any]


def page_sizes(path: Path) -> Iterator[int]:
    """Bytes that each page unpacks to. ValueError where what leads to the pages is damaged."""
    try:
        with path.open("rb") as file:
            footer, end = _read_footer(file)
            for group in footer[4]:
                for chunk in group[1]:
                    yield from _sizes_in_chunk(file, chunk[3], end)
    except (AttributeError, EOFError, KeyError, TypeError):  # a field that is missing, or of another kind
        raise ValueError("the places of its pages are unknown") from None


def _read_footer(file: BinaryIO) -> tuple[Fields, int]:
    """The footer and where it begins."""
    end = file.seek(0, 2) - 8
    file.seek(max(end, 0))
    tail = file.read(8)
    begin = end - int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or begin < 0:
        raise ValueError("it has no footer")
    file.seek(begin)
    return _CompactReader(file.read(end - begin)).structure(), begin


def _sizes_in_chunk(file: BinaryIO, column: Fields, file_end: int) -> Iterator[int]:
    """As pyarrow walks through the pages of a column chunk: from the dictionary until all values have come."""
    values, length, place, dictionary = column[5], column[7], column[9], column.get(11, 0)
    place = dictionary if 0 < dictionary < place else place
    end = place + length
    if not 0 <= place <= end <= file_end:
        raise ValueError("a column lies outside the file")
    while values > 0 and place < end:
        header, size = _read_header(file, place)
        if min(header[2], header[3]) < 0:
            raise ValueError("a page of negative size")
        yield header[2]
        values -= (header.get(5) or header.get(8) or {}).get(1, 0)  # of a data page, or one of version 2
        place += size + header[3]


def _read_header(file: BinaryIO, place: int) -> tuple[Fields, int]:
    """A page's header and its length in bytes."""
    length = HEADER
    while True:
        file.seek(place)
        data = file.read(length)
        reader = _CompactReader(data)
        try:
            return reader.structure(), reader.place
        except EOFError:
            if len(data) < length or length >= LARGEST_HEADER:
                raise ValueError("a page's header has no end") from None
            length *= 64


class _CompactReader:
    """EOFError where the bytes end too early, ValueError where they are none of the protocol."""

    def __init__(self, data: bytes) -> None:
        self._data, self.place = data, 0

    def structure(self, depth: int = 0) -> Fields:
        if depth > DEEPEST:
            raise ValueError("structures nested too deep")
        fields: Fields = {}
        number = 0
        while (head := self._byte()) & 15:
            number = number + (head >> 4) if head >> 4 else self._integer()
            fields[number] = head & 15 == 1 if head & 15 in (1, 2) else self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2, 3):  # of lists; a field's boolean is its kind
            return self._byte()
        if kind in (4, 5, 6):
            return self._integer(64 if kind == 6 else 32)
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._unsigned())
        if kind in (9, 10):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._element(head & 15, depth) for _ in range(count)]
        if kind == 12:
            return self.structure(depth + 1)
        raise ValueError(f"no value of kind {kind}")  # Parquet has no maps

    def _element(self, kind: int, depth: int) -> Any:
        if depth >= DEEPEST:
            raise ValueError("lists nested too deep")
        return self._value(kind, depth + 1)

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        begin, self.place = self.place, self.place + count
        if self.place > len(self._data):
            raise EOFError
        return self._data[begin : self.place]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number without end")

    def _integer(self, bits: int = 32) -> int:
        """Of as many bits as pyarrow keeps of it."""
        value = self._unsigned() % 2**bits
        return (value >> 1) ^ -(value & 1)
