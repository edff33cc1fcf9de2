"""Small damages of files: of any bytes, and of what text, JSON, ZIP, tar, safetensors and PNG are made of.

Each takes the content and a random generator and returns other content; a failed attempt to take a file apart falls
back to its bytes. The same generator state gives the same result.
"""

from __future__ import annotations

import io
import json
import re
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any

Mutation = Callable[[bytes, Random], bytes]
LARGEST = 400_000  # bytes of a mutated file
SWOLLEN = (*(10**4,) * 12, *(10**6,) * 3, 10**7)  # zeros; many take time to be packed
NUMBERS = (  # as text
    *("nan", "inf", "-inf", "1e400", "-1", "0", "1e308", "-1e308", "1e-320", "2147483648", "9223372036854775808"),
    *("18446744073709551616", "9" * 400, "9" * 5000, "1e9", "1_000", "0x10", "٣", "1.5", "true", "null", '""', "[]"),
)
TEXTS = (
    *("", "\0", "\n", " ", "..", "../../etc/passwd", "/etc/passwd", "C:\\Windows\\win.ini", "CON", "\\\\host\\share"),
    *("<script>alert(1)</script>", "![a](http://127.0.0.1:9/x.png)", "=1+1", "@SUM(1)", "\u202e", "é", "\ufeff"),
    *("x" * 5000, "__class__", "a" * 300 + "!", "%s%n", "${HOME}", "step", "epoch", "nan", "1,5", "1e5"),
)
INTEGERS = (0, 1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)
FRAGMENTS = (b"\n", b"\r", b",", b"nan", b"\0", b"{", b"[", b'"', b"\xff", b"\xed\xa0\x80", b"9" * 400, b"[" * 3000)
NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
WORD = re.compile(r"[A-Za-z_]\w*")


def mutate_bytes(content: bytes, rng: Random) -> bytes:
    """One to six changes at random places."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(damaged) + 1)
        match rng.randrange(8):
            case 0:
                del damaged[at:]
            case 1:
                damaged[at : at + 1] = rng.randbytes(1)
            case 2:
                damaged[at:at] = rng.choice(FRAGMENTS)
            case 3:
                del damaged[at : at + rng.randrange(1, 40)]
            case 4:  # a part again
                part = damaged[at : at + rng.randrange(1, 200)]
                damaged[at:at] = part * rng.choice((1, 2, 50))
            case 5:  # a part elsewhere
                part = damaged[at : at + rng.randrange(1, 200)]
                other = rng.randrange(len(damaged) + 1)
                damaged[other : other + len(part)] = part
            case 6:  # a length, a count or an offset
                size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
                damaged[at : at + size] = (rng.choice(INTEGERS) % 2 ** (8 * size)).to_bytes(size, order)
            case 7 if damaged and at < len(damaged):
                damaged[at] ^= 1 << rng.randrange(8)
    return bytes(damaged[:LARGEST])


def mutate_text(content: bytes, rng: Random) -> bytes:
    """Numbers, words and lines replaced, repeated, swapped or left out."""
    text = content.decode("utf-8", "surrogateescape")
    for _ in range(rng.choice((1, 1, 2, 4))):
        lines = text.split("\n")
        at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                text = _replace_one(NUMBER, rng.choice(NUMBERS), text, rng)
            case 1:
                text = _replace_one(WORD, rng.choice(TEXTS), text, rng)
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
                text = "\n".join(lines)
            case 3:
                text = "\n".join(lines[:at] + [lines[at]] * rng.choice((2, 3, 200)) + lines[at + 1 :])
            case 4:
                text = "\n".join(lines[:at] + lines[at + 1 :])
            case 5:
                mark = rng.choice(",;\t|:= ")
                text = text.replace(mark, rng.choice(("", mark * 2, "\t", ";", "\0")))
    return text.encode("utf-8", "surrogatepass" if "\ud800" <= max(text, default="") < "\udc80" else "surrogateescape")[
        :LARGEST
    ]


def _replace_one(pattern: re.Pattern[str], value: str, text: str, rng: Random) -> str:
    found = list(pattern.finditer(text[:50_000]))
    if not found:
        return text + value
    match = rng.choice(found)
    return text[: match.start()] + value + text[match.end() :]


def mutate_json(content: bytes, rng: Random) -> bytes:
    """A value somewhere inside replaced by one of another kind or size, repeated, renamed, wrapped or left out."""
    document = json.loads(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(document))
        if not places:
            return json.dumps(_any_value(rng)).encode()
        holder, key = rng.choice(places)
        match rng.randrange(5):
            case 0 | 1:
                holder[key] = _any_value(rng)
            case 2:
                del holder[key]
            case 3:
                depth = rng.choice((1, 5, 25, 900))
                for _ in range(depth):
                    holder[key] = [holder[key]] if rng.random() < 0.5 else {"a": holder[key]}
            case 4 if isinstance(holder, dict):
                holder[rng.choice(TEXTS)] = holder[key]
            case 4:
                holder[key:key] = [holder[key]] * rng.choice((1, 100))
    try:
        return json.dumps(document, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")[:LARGEST]
    except RecursionError:
        return content


def _places(value: Any) -> Any:
    pending = [value]
    while pending:
        holder = pending.pop()
        pairs = list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder))
        for key, inner in pairs[:200]:
            yield holder, key
            if isinstance(inner, (dict, list)):
                pending.append(inner)


def _any_value(rng: Random) -> Any:
    numbers = (0, -1, 1, 0.5, 10**18, 2**63, 10**400, -(10**30), float("nan"), float("inf"), 1e308, True, False, None)
    structures: tuple[Any, ...] = ([], {}, [[]], {"a": {}}, ["a"] * 3, [1, 2], list(range(2000)))
    return rng.choice((*numbers, *TEXTS, "\ud800", *structures))


def mutate_zip(content: bytes, rng: Random, *, inner: Mutation = mutate_bytes, stored: bool = False) -> bytes:
    """A member damaged, renamed, doubled, left out or swollen; the archive itself stays whole."""
    members = list(_zip_members(content))
    at = rng.randrange(len(members))
    name, data = members[at]
    match rng.randrange(7):
        case 0 | 1 | 2:
            members[at] = name, inner(data, rng)
        case 3:
            members[at] = rng.choice([text for text in TEXTS if text]), data
        case 4:
            members.append((name, data))
        case 5:
            del members[at]
        case 6:
            members[at] = name, data + b"\0" * rng.choice(SWOLLEN)
    buffer = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, data in members:
                information = zipfile.ZipInfo(name or "a")
                information.compress_type = method
                information.external_attr = rng.choice((0o100644, 0o120777, 0o100644, 0o100644)) << 16
                archive.writestr(information, data, compresslevel=1)
    return buffer.getvalue()


@lru_cache
def _zip_members(content: bytes) -> tuple[tuple[str, bytes], ...]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return tuple((info.filename, archive.read(info)) for info in archive.infolist())


def mutate_tar(content: bytes, rng: Random) -> bytes:
    """A member damaged, renamed, or turned into a link or a device."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = [(info, file.read() if (file := archive.extractfile(info)) else b"") for info in archive]
    info, data = members[at := rng.randrange(len(members))]
    match rng.randrange(4):
        case 0:
            members[at] = info, mutate_bytes(data, rng)
        case 1:
            info.name = rng.choice([text for text in TEXTS if text])
        case 2:
            info.type = rng.choice(
                (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
            )
            info.linkname = rng.choice((info.name, "/etc/passwd", "..", ".", members[0][0].name))
        case 3:
            members.append(members[at])
    buffer = io.BytesIO()
    options = rng.choice(({"mode": "w"}, {"mode": "w:gz", "compresslevel": 1}, {"mode": "w:xz", "preset": 0}))
    with tarfile.open(fileobj=buffer, **options) as archive:
        for info, data in members:
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def mutate_safetensors(content: bytes, rng: Random) -> bytes:
    """The header's JSON or its length; a header that still fits is the more dangerous one."""
    length = int.from_bytes(content[:8], "little")
    header, data = content[8 : 8 + length], content[8 + length :]
    if rng.random() < 0.2:
        return rng.choice(INTEGERS).to_bytes(8, "little") + header + data
    header = mutate_json(header, rng)
    if rng.random() < 0.3:
        data = mutate_bytes(data, rng)
    return len(header).to_bytes(8, "little") + header + data


def mutate_png(content: bytes, rng: Random) -> bytes:
    """A chunk damaged, with a checksum that fits."""
    chunks, at = [], 8
    while at + 8 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    name, data = chunks[i := rng.randrange(len(chunks))]
    chunks[i] = name, mutate_bytes(data, rng)
    if rng.random() < 0.2:
        chunks.insert(rng.randrange(len(chunks)), rng.choice(chunks))
    parts = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return content[:8] + b"".join(parts)
