"""What training scripts print: lines with a place in the training and "name: number" pairs, in any order.

"[Epoch 3/200] [Batch 12/938] [D loss: 0.61] [G loss: 1.2]" (PyTorch-GAN), "30 [D loss: 0.6, acc.: 54%] [G loss: 1.2]"
(Keras-GAN), "[3/25][100/1583] Loss_D: 0.5 D(x): 0.7" (PyTorch's DCGAN example), "(epoch: 1, iters: 100, time: 0.1)
D_A: 0.3" (CycleGAN and pix2pix), Keras' progress lines.
"""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import tabulated
from ganlib.logs.readers.source import Source, lines_of

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf)(?:%|s|ms)?(?![\w:/-])"
_NAME = r"[A-Za-z][\w./()]*(?: [A-Za-z][\w./()]*)?"
_PAIR = re.compile(rf"({_NAME})( *[:=]+ *| +)(?:tensor\()?({_NUMBER})", re.IGNORECASE)
_MEASURE = re.compile(r"loss|err|acc|lr|fid|kid|score|grad", re.IGNORECASE)  # a name even without a colon
_PLACES = (
    (re.compile(r"\[ *(\d+) */ *(\d+) *\] *\[ *(\d+) */ *(\d+) *\]"), ("epoch", "epochs", "batch", "batches")),
    (re.compile(r"\bepochs?\W{1,3}(\d+)(?: *(?:/|of) *(\d+))?", re.I), ("epoch", "epochs")),
    (re.compile(r"\b(?:batch|minibatch)\W{1,3}(\d+)(?: *(?:/|of) *(\d+))?", re.I), ("batch", "batches")),
    (re.compile(r"\b(?:global[_ ]step|step|iter(?:ation)?s?|itr)\W{1,3}(\d+)(?: *(?:/|of) *(\d+))?", re.I),
     ("step", "steps")),
    (re.compile(r"^ *(\d+)/(\d+) +\["), ("batch", "batches")),
    (re.compile(r"^ *(\d+)-(\d+):? +\[(?=[A-Za-z])"), ("epoch", "batch")),
    (re.compile(r"^ *(\d+):? +\[(?=[A-Za-z])"), ("step",)),
)  # fmt: skip
# CycleGAN and pix2pix print losses under the names that others give to the discriminator's opinion.
CYCLEGAN = {"D": "loss/D", "G": "loss/G", "G_GAN": "loss/G", "D_real": "loss/D/real", "D_fake": "loss/D/fake"}
_CYCLEGAN = re.compile(rb"^\(epoch: \d+, iters: \d+, ", re.MULTILINE)
_CLOCK = re.compile(r"\d{4}-\d\d-\d\d[ T]|\d+:\d\d:\d\d(?:[.,]\d+)?")


def matches(head: str, path: Path) -> bool:
    """Whether two lines have the same names and a place each, or one has an epoch and a step of it."""
    seen: set[tuple[str, ...]] = set()
    epoch: dict[str, int] = {}
    for line in head.split("\n")[:2000]:
        place, pairs = _row(line, epoch)
        names = tuple(name for name, _ in pairs)
        if names in seen or (len(place) > 1 and len(names) > 1):
            return True
        if names:
            seen.add(names)
    return False


def read(text: bytes, source: Source) -> list[Scalars]:
    if _CYCLEGAN.search(text):
        source.dialect = CYCLEGAN
    records, lines = [], []
    epoch: dict[str, int] = source.memory.setdefault("epoch", {})
    width = 0
    for number, line, cut in lines_of(text):
        place, pairs = _row(line, epoch)
        if not pairs:
            continue
        if cut and len(pairs) < width:
            source.skip(number, "the last line is half written")
            continue
        width = len(pairs)
        records.append({**place, **{name: value for name, value in pairs}})
        lines.append(number)
    return tabulated(records, lines, source)


def _row(line: str, seen: dict[str, int]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The place and the pairs of a line; no pairs where it has none or no place. ``seen`` keeps the epochs."""
    line = _CLOCK.sub(" ", line)
    found: dict[str, int] = {}
    for pattern, names in _PLACES:
        if match := pattern.search(line):
            found = {name: int(number) for name, number in zip(names, match.groups(), strict=True) if number} | found
            line = line[: match.start()] + " " + line[match.end() :]
    if "epoch" in found:
        seen["epoch"] = found["epoch"]
        seen.setdefault("first", int(found["epoch"] == 1))
    place: dict[str, int] = {key: found[key] for key in ("epoch", "step", "batch") if key in found}
    if "epoch" in seen and "step" not in place:
        place["epoch"] = seen["epoch"]
    for part, total in (("batch", "batches"), ("step", "steps")):
        if part in place and "epoch" in place and place[part] <= found.get(total, -1):
            place["step"] = (place["epoch"] - seen["first"]) * found[total] + place.pop(part)
            break
    if not place:
        return place, []
    pairs = [(name, number) for name, mark, number in _PAIR.findall(line) if mark.strip() or _MEASURE.search(name)]
    return place, pairs
