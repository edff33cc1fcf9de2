"""Where in the training a printed line stands: "[3/25][100/1583]", "Epoch 3/25", "iter: 100", a progress bar.

The patterns are for the shape of a line, in which each number is a NUL.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NUMBER, TAKEN, BREAK = "\0", "\2", "\1"

EPOCH_WORD = (
    r"(?:epochs?|epochen?|ep|[ée]poques?|[ée]poca?s?|epok[aei]?|эпох[аиуе]?|에폭|에포크|에포치|エポック|轮次?|周期|回合"
    r"|世代)"
)
BATCH_WORD = r"(?:mini-?)?(?:batch(?:es)?|lote|пакет|батч|バッチ|배치|批次?)"
STEP_WORD = (
    r"(?:global[_ ]?steps?|total[_ ](?:steps|iters)|steps?|iter(?:ation)?s?|itrs?|it|n_?iter|updates?|iteraci[oó]n"
    r"|itération|iterazione|итераци[яи]|шаг|迭代(?:次数)?|步数?|イテレーション|ステップ|反復|스텝|반복|schritt|étape|paso|passo)"
)
_GAP = r"[^\w\0\1\2]{0,4}"
_OF = r"(?: {0,3}(?:/|of|out of|von|de|из) {0,3}(\0))?"
_BEFORE = r"(?<![A-Za-z0-9_/])"
_SUFFIX = r"(?:[ _-]?(?:no|num|number|nr|idx|index|id)\.?)?"
_SPLIT = r"(?:\((?:train|val|test)\))?"  # MMEngine's "Epoch(train)  [1][ 50/460]", "Iter(val) [3/3]"

# Pattern, the roles of its groups, and texts of which the shape must have one: most lines have none.
_POSITIONS = tuple(
    (re.compile(pattern, re.IGNORECASE), roles, texts)
    for pattern, roles, texts in (
        (r"\[ {0,8}(\0) {0,3}/ {0,3}(\0) {0,3}\][ ,]{0,3}\[ {0,8}(\0) {0,3}/ {0,3}(\0) {0,3}\]",
         ("epoch", "epochs", "batch", "batches"), ("[",)),
        (rf"{_BEFORE}{EPOCH_WORD}{_SUFFIX}{_SPLIT}{_GAP} {{0,8}}(\0){_OF}", ("epoch", "epochs"), ("ep", "ép")),
        (rf"第 ?(\0) ?(?:/ ?(\0) ?)?(?:个 ?)?(?:轮|代|回|{EPOCH_WORD})", ("epoch", "epochs"), ("第",)),
        (r"(\0)%\|[^|]{0,300}\| {0,12}(\0)k? {0,3}/ {0,3}(\0)k? {0,3}(?=\[|$)", ("", "count", "counts"), ("%|",)),
        (r"(?:^|[: ])(\0)it \[(?=\0:)", ("count",), ("it [",)),
        (rf"{_BEFORE}{BATCH_WORD}{_SUFFIX}{_GAP} {{0,8}}(\0){_OF}", ("batch", "batches"), ("batch", "lote")),
        (rf"{_BEFORE}{STEP_WORD}{_SUFFIX}{_SPLIT}{_GAP} {{0,8}}(\0)(?![A-Za-z]){_OF}", ("step", "steps"),
         ("step", "it", "update", "schritt", "paso", "étape", "passo")),
        (rf"{_BEFORE}{STEP_WORD}{_SUFFIX}{_GAP} {{0,8}}(\0)[kK](?![A-Za-z])", ("thousands",), ("step", "it", "update")),
        (r"^[ >*#]{0,12}(\0), {0,4}(\0)/(\0),", ("epoch", "batch", "batches"), ("/",)),
        (r"^ {0,12}(\0)-(\0):? {1,4}(?=\[[A-Za-z])", ("epoch", "batch"), ("-",)),
        (r"^[ >*#]{0,12}\( {0,4}(\0), {0,4}(\0) {0,4}\) {0,3}[:|-]? {0,4}(?=[\[(<{'\"]{0,2}[^\W\d])",
         ("epoch", "batch"), ("(",)),
        (r"^ {0,12}(\0)/(\0)(?= |:|$)", ("count", "counts"), ("/",)),
        (r"^[ >*#\[(]{0,12}(\0)[\])]?[:,.]?[ \t|:-]{0,8}(?=[\[(<{'\"]{0,2}[^\W\d])", ("lead",), ("",)),
    )
)  # fmt: skip
_COUNT = re.compile(r"(?:(?<![:= ])|(?<=[^:=] )|(?<=  )|^)[\[(]? {0,8}(\0) {0,3}/ {0,3}(\0)")
_TIMES = re.compile(
    r"(\0)[-/](\0)[-/](\0)(?:[T ,_-]{1,2}(\0):(\0)(?::(\0))?(?:,(\0))?)?"
    r"|(?:(\0) days?,? )?(\0):(\0)(?::(\0))?(?:,(\0))?"
)
_TIME_SIGN = re.compile(r"\0[:/-]\0")
# A line about other data than the training's: its position counts these.
_SPLIT_LINE = re.compile(
    r"[\W\d_]{0,40}(val|test|eval)(?:id|idation|idating|ing|uation|uating|uate)?(?![A-Za-z_])", re.I
)
_SPLIT_IN_BRACKETS = re.compile(r"(?:epoch|iter)\((val|test)\)", re.IGNORECASE)


class Position(NamedTuple):
    roles: tuple[tuple[str, int], ...]  # and which of the line's numbers
    rest: str  # the shape, what was used replaced
    times: tuple[tuple[int, int], ...]  # clock times: the first number of each, and how many it has
    split: str = ""


def find_position(shape: str) -> Position:
    """The position that a line's shape names."""
    offsets = [match.start() for match in re.finditer(NUMBER, shape)]
    index = {offset: number for number, offset in enumerate(offsets)}
    times = []
    for match in _TIMES.finditer(shape) if _TIME_SIGN.search(shape) else ():
        used = [index[match.start(group)] for group in range(1, 13) if match[group]]
        if match[4] is None and match[1] is None:
            times.append((used[0], len(used)))
        shape = _take(shape, match.start(), match.end())
    roles: dict[str, int] = {}
    bracketed = _SPLIT_IN_BRACKETS.search(shape)
    lower, is_ascii = shape.lower(), shape.isascii()
    for pattern, names, texts in _POSITIONS:
        if is_ascii and not any(text in lower for text in texts):
            continue
        if position := pattern.search(shape):
            found = {name: index[position.start(group)] for group, name in enumerate(names, 1) if position[group]}
            has_count = set(roles) & {"step", "batch", "count", "thousands"}
            if set(found) & set(roles) - {""} or ("lead" in found and has_count):
                continue
            roles |= found
            shape = _take(shape, position.start(), position.end())
    if not set(roles) & {"batch", "count", "step"} and (count := _COUNT.search(shape)):
        roles |= {"count": index[count.start(1)], "counts": index[count.start(2)]}
        shape = _take(shape, count.start(), count.end())
    split = _SPLIT_LINE.match(shape) or bracketed
    known = tuple((name, number) for name, number in roles.items() if name)
    return Position(known, shape, tuple(times), split[1].lower() if split else "")


def _take(shape: str, start: int, end: int) -> str:
    """The shape with a span blanked: of the same length, and its numbers marked as taken."""
    span = "".join(TAKEN if sign == NUMBER else BREAK for sign in shape[start:end])
    return shape[:start] + span + shape[end:]
