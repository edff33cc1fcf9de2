"""What the GANs of machinelearningmastery.com print: ">1, 131/390, d1=0.7, d2=0.6 g=0.7", ">5, d[0.6,0.7], g[0.9]"."""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines

_LINE = re.compile(r">(\d{1,15})(?:, *(\d{1,15})/(\d{1,15}))?, *([A-Za-z]\w{0,15} ?[=\[].*)")
_NUMBER = r"-?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf)"
_PAIR = re.compile(rf"([A-Za-z]\w{{0,15}}) ?(?:=({_NUMBER})|\[({_NUMBER}(?:, ?{_NUMBER})*)\])(?![\w.])")
MIN_LINES = 2
# By name and position in the brackets: the discriminator's and the critic's losses on real and generated images.
_NAMES = {
    ("d1", 0): "loss/D/real", ("d2", 0): "loss/D/fake", ("c1", 0): "loss/D/real", ("c2", 0): "loss/D/fake",
    ("d", 0): "loss/D/real", ("d", 1): "loss/D/fake", ("dr", 0): "loss/D/real", ("df", 0): "loss/D/fake",
    ("dr", 1): "loss/D/real class", ("df", 1): "loss/D/fake class", ("g", 0): "loss/G", ("g", 1): "loss/G class",
    ("c", 0): "loss/classify", ("c", 1): "accuracy", ("q", 0): "loss/Q",
    ("dA", 0): "loss/D_A/real", ("dA", 1): "loss/D_A/fake", ("dB", 0): "loss/D_B/real", ("dB", 1): "loss/D_B/fake",
}  # fmt: skip


def matches(head: str, path: Path) -> bool:
    lines = [line for line in head.split("\n") if line.startswith(">")]
    matches = [match for line in lines[:50] if (match := _LINE.fullmatch(line))]
    return sum(_PAIR.search(match[4]) is not None for match in matches) >= MIN_LINES


def read(text: bytes, source: Source) -> list[Scalars]:
    """Along the steps; of a line with epoch and batch the batches are counted through."""
    records, lines = [], []
    for number, line, cut in iter_lines(text):
        match = _LINE.fullmatch(line.rstrip())
        if match is None or cut:
            if line.startswith(">"):  # others say how well the generator fools D, or where a file was saved
                source.skip(number, "the line is half written" if cut else "it is no line of losses")
            continue
        first, batch, batches, pairs = match.groups()
        step = int(first) if batch is None else (int(first) - 1) * int(batches) + int(batch)
        record: dict[str, str | int] = {"step": step}
        found = _PAIR.findall(pairs)
        if len(found) < pairs.count("=") + pairs.count("["):
            source.skip(number, "not all of its numbers can be read")
        for name, value, values in found:
            for index, item in enumerate((value or values).split(",")):
                tag = _NAMES.get((name, index)) or (name if not index else f"{name}/{index}")
                record[tag] = item.strip()
        records.append(record)
        lines.append(number)
    return records_to_scalars(records, lines, source)
