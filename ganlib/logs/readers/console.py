"""Console output of training scripts: lines with a step or epoch and "name: number" pairs, in any order.

"[Epoch 3/200] [Batch 12/938] [D loss: 0.61] [G loss: 1.2]" (PyTorch-GAN), "30 [D loss: 0.6, acc.: 54%] [G loss: 1.2]"
(Keras-GAN), "[3/25][100/1583] Loss_D: 0.5 D(x): 0.7" (PyTorch's DCGAN example), "(epoch: 1, iters: 100, time: 0.1)
D_A: 0.3" (CycleGAN and pix2pix), Keras' progress lines.
"""

from __future__ import annotations

import re
from pathlib import Path

from ganlib.logs.frame import Scalars
from ganlib.logs.readers.records import records_to_scalars
from ganlib.logs.readers.source import Source, iter_lines

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf)(?:%|s|ms)?(?![\w:/-])"
_NAME = r"[A-Za-z][\w./()]*(?: [A-Za-z][\w./()]*)?"
_PAIR = re.compile(rf"({_NAME})( *[:=]+ *| +)(?:tensor\()?({_NUMBER})", re.IGNORECASE)
_METRIC_NAME = re.compile(r"loss|err|acc|lr|fid|kid|score|grad", re.IGNORECASE)  # is a name even without a colon
_POSITIONS = (
    (re.compile(r"\[ *(\d+) */ *(\d+) *\] *\[ *(\d+) */ *(\d+) *\]"), ("epoch", "epochs", "batch", "batches")),
    (re.compile(r"\bepochs?\W{1,3}(\d+)(?: *(?:/|of) *(\d+))?", re.I), ("epoch", "epochs")),
    (re.compile(r"\b(?:batch|minibatch)\W{1,3}(\d+)(?: *(?:/|of) *(\d+))?", re.I), ("batch", "batches")),
    (re.compile(r"\b(?:global[_ ]step|step|iter(?:ation)?s?|itr)\W{1,3}(\d+)(?: *(?:/|of) *(\d+))?", re.I),
     ("step", "steps")),
    (re.compile(r"^ *(\d+)/(\d+) +\["), ("batch", "batches")),
    (re.compile(r"^ *(\d+)-(\d+):? +\[(?=[A-Za-z])"), ("epoch", "batch")),
    (re.compile(r"^ *(\d+):? +\[(?=[A-Za-z])"), ("step",)),
)  # fmt: skip
# CycleGAN and pix2pix print losses under the names that others give to the outputs of D.
CYCLEGAN = {"D": "loss/D", "G": "loss/G", "G_GAN": "loss/G", "D_real": "loss/D/real", "D_fake": "loss/D/fake"}
_CYCLEGAN = re.compile(rb"^\(epoch: \d+, iters: \d+, ", re.MULTILINE)
_TIMES = re.compile(r"\d{4}-\d\d-\d\d[ T]|\d+:\d\d:\d\d(?:[.,]\d+)?")


def matches(head: str, path: Path) -> bool:
    """Whether two lines have the same names and a position each, or one has several names, an epoch and a step."""
    known_names: set[tuple[str, ...]] = set()
    epoch_state: dict[str, int] = {}
    for line in head.split("\n")[:2000]:
        position, pairs = _parse_line(line, epoch_state)
        names = tuple(name for name, _ in pairs)
        if names in known_names or (len(position) > 1 and len(names) > 1):
            return True
        if names:
            known_names.add(names)
    return False


def read(text: bytes, source: Source) -> list[Scalars]:
    if _CYCLEGAN.search(text):
        source.aliases = CYCLEGAN
    records, lines = [], []
    epoch_state: dict[str, int] = source.state.setdefault("epoch", {})
    width = 0
    for number, line, cut in iter_lines(text):
        position, pairs = _parse_line(line, epoch_state)
        if not pairs:
            continue
        if cut and len(pairs) < width:
            source.skip(number, "the last line is half written")
            continue
        width = len(pairs)
        records.append({**position, **{name: value for name, value in pairs}})
        lines.append(number)
    return records_to_scalars(records, lines, source)


def _parse_line(line: str, epoch_state: dict[str, int]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Position and pairs of a line; no pairs without a position. ``epoch_state``: the current and the first epoch."""
    line = _TIMES.sub(" ", line)
    numbers: dict[str, int] = {}
    for pattern, names in _POSITIONS:
        if match := pattern.search(line):
            numbers = {
                name: int(number) for name, number in zip(names, match.groups(), strict=True) if number
            } | numbers
            line = line[: match.start()] + " " + line[match.end() :]
    if "epoch" in numbers:
        epoch_state["epoch"] = numbers["epoch"]
        epoch_state.setdefault("first", int(numbers["epoch"] == 1))
    position: dict[str, int] = {key: numbers[key] for key in ("epoch", "step", "batch") if key in numbers}
    if "epoch" in epoch_state and "step" not in position:
        position["epoch"] = epoch_state["epoch"]
    for part, total in (("batch", "batches"), ("step", "steps")):
        if part in position and "epoch" in position and position[part] <= numbers.get(total, -1):
            position["step"] = (position["epoch"] - epoch_state["first"]) * numbers[total] + position.pop(part)
            break
    if not position:
        return position, []
    pairs = [(name, number) for name, mark, number in _PAIR.findall(line) if mark.strip() or _METRIC_NAME.search(name)]
    return position, pairs
