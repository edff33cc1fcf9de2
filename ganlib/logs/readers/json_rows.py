"""A JSON document of any shape -> rows: lists of objects, histories of lists, steps as keys, downloads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ganlib.logs.readers.columns import AXIS_COLUMNS
from ganlib.logs.readers.positions import BATCH_WORD, EPOCH_WORD, STEP_WORD
from ganlib.logs.readers.source import Source
from ganlib.logs.tags import SPLIT_NAMES, WALL_TIME_NAMES, axis_name, canonical_tag, normalize_name

Row = dict[str, Any]

ROW_KEYS = ("log_history", "history", "logs", "log")  # under which a document has its rows beside other things
MAX_DEPTH = 6
MAX_HISTORIES = 400  # objects with lists; a run takes milliseconds
MAX_EXAMPLES = 20  # of a long list, to see what it holds
SPLITS = frozenset(["train", "training", "val", "valid", "validation", "test", "eval", "evaluation", *SPLIT_NAMES])
_STEP_IN_KEY = re.compile(
    rf"(?:[^\d]*?(?:{EPOCH_WORD}|{STEP_WORD}|{BATCH_WORD}|kimg|images?|ticks?|rounds?|ckpt|checkpoint|snapshot)|[eist第])?"
    r"[\W_]{0,3}(\d{1,15})",
    re.IGNORECASE,
)
_METRIC = re.compile(r"loss|err|acc|fid|kid|score|psnr|ssim|lpips|mse|mae", re.IGNORECASE)
_EPOCH = re.compile(r"epoch|ep(?![a-z])", re.IGNORECASE)


def find_rows(document: Any, source: Source, depth: int = 0) -> list[Row]:
    """The rows of a document, or none. Values without a name of their own have the file's."""
    if depth > MAX_DEPTH:
        return []
    if isinstance(document, list):
        return _rows_of_list(document)
    if not isinstance(document, dict):
        return []
    for key in ROW_KEYS:
        if isinstance(document.get(key), list | dict) and (rows := find_rows(document[key], source, depth + 1)):
            return rows
    return (
        _rows_of_frame(document)
        or _rows_by_step(document, source.path.stem)
        or _rows_of_histories(document, source)
        or _rows_of_points(document)
        or _longest_list(document)
    )


def _rows_of_list(items: list[Any]) -> list[Row]:
    """A list of objects; of numbers; of [step, value] or, as TensorBoard downloads them, [wall time, step, value]."""
    if rows := [item for item in items if isinstance(item, dict)]:
        return rows
    if len(items) > 1 and all(map(_is_number, items)):
        return [{"value": item} for item in items]
    names = {2: ("step", "value"), 3: ("wall_time", "step", "value")}
    if not items or not isinstance(items[0], list) or len(items[0]) not in names:
        return []
    width = len(items[0])
    if not all(isinstance(item, list) and len(item) == width and all(map(_is_number, item)) for item in items):
        return []
    return [dict(zip(names[width], item, strict=True)) for item in items]


def _rows_of_frame(document: Row) -> list[Row]:
    """What ``DataFrame.to_json`` writes: columns of index -> value, or columns, index and data apart."""
    names, data = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(data, list):
        return [
            dict(zip(map(str, names), row, strict=True))
            for row in data
            if isinstance(row, list) and len(row) == len(names)
        ]
    columns = list(document.values())
    if not columns or not all(isinstance(column, dict) and _has_indices(column) for column in columns):
        return []
    indices = list(dict.fromkeys(key for column in columns for key in column))
    if any(isinstance(value, dict) for column in columns for value in list(column.values())[:MAX_EXAMPLES]):
        return []
    return [{name: column[index] for name, column in document.items() if index in column} for index in indices]


def _has_indices(column: Row) -> bool:
    return bool(column) and all(key.lstrip("-").isdecimal() for key in column)


def _rows_by_step(document: Row, name: str) -> list[Row]:
    """Steps as keys, of numbers (mimicry: step -> value, or one per seed) or of objects ("epoch_1": {...})."""
    matches = {key: _STEP_IN_KEY.fullmatch(key) for key in document}
    if not document or not all(matches.values()):
        return []
    axis = "epoch" if all(_EPOCH.search(key) for key in document) else "step"
    rows: list[Row] = []
    for key, match in matches.items():
        value, step = document[key], int(match[1]) if match else 0
        if isinstance(value, dict):
            rows.append({axis: step} | value)
        elif _has_indices({key: value}) and (number := _mean(value)) is not None:
            rows.append({axis: step, name: number})
    return rows


def _mean(value: Any) -> float | None:
    values = value if isinstance(value, list) else [value]
    if not values or not all(map(_is_number, values)):
        return None
    return sum(float(item) for item in values) / len(values)


def _rows_of_histories(document: Row, source: Source) -> list[Row]:
    """Lists of numbers, at any depth: tag -> value by epoch (Keras). Lists of other lengths get rows of their own."""
    histories = list(islice(_iter_histories(document, ()), MAX_HISTORIES + 1))
    if len(histories) > MAX_HISTORIES:
        source.skip(None, f"what follows {MAX_HISTORIES} histories, which are all that is read of a file")
        histories.pop()
    # {"dcgan": {"loss": [...]}, "wgan": {"loss": [...]}}: runs, and not the parts of one.
    tags: dict[str, set[str]] = {}
    for path, lists in histories:
        if path:
            tags.setdefault(path[0], set()).update(lists)
    several = len(tags) > 1 and not SPLITS.intersection(tags) and bool(set.intersection(*tags.values()))
    same_length = len({len(values) for _, lists in histories for values in lists.values()}) == 1
    rows: list[Row] = []
    for path, lists in histories:
        parents = path[1:] if several else path if len(histories) > 1 or SPLITS.intersection(path) else ()
        prefix = "".join(f"{part}/" for part in parents)
        run = {"run": path[0]} if several and path else {}
        for length in dict.fromkeys(map(len, lists.values())):
            alike = {key: values for key, values in lists.items() if len(values) == length}
            axes = {key for key in alike if axis_name(key) in AXIS_COLUMNS}
            names = {key: key if key in axes else f"{prefix}{key}" for key in alike}
            counts = any(normalize_name(key) not in WALL_TIME_NAMES for key in axes)  # beside a time rows are counted
            counted = {} if counts else {"epoch" if same_length else "step": range(length)}
            columns = {**counted, **{names[key]: values for key, values in alike.items()}}
            rows += [run | dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return rows


def _iter_histories(document: Row, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, list[Any]]]]:
    lists = {key: value for key, value in document.items() if isinstance(value, list) and _is_history(value)}
    # A configuration has lists, too ("betas"): histories are those of metrics, and what goes along with them.
    lengths = {len(values) for key, values in lists.items() if _is_metric(key)}
    if len(lists) == len(document) and min(map(len, lists.values()), default=0) > 2:
        lengths |= set(map(len, lists.values()))
    if histories := {key: values for key, values in lists.items() if len(values) in lengths}:
        yield path, histories
    if len(path) < MAX_DEPTH:
        for key, value in document.items():
            if isinstance(value, dict):
                yield from _iter_histories(value, (*path, str(key)))


def _is_metric(key: str) -> bool:
    return _METRIC.search(key) is not None or canonical_tag(key).name != key


def _is_history(values: list[Any]) -> bool:
    """Whether a list is of numbers; some may be missing, and a few written as text ("NaN")."""
    numbers = sum(map(_is_number, values))
    texts = len(values) - numbers - values.count(None)
    return numbers > 0 and numbers >= texts and not any(isinstance(item, list | dict) for item in values)


def _rows_of_points(document: Row) -> list[Row]:
    """Points under the name of their scalar: [step, value], TensorBoard's three, or objects with a value and a step."""
    while len(document) == 1 and isinstance(only := next(iter(document.values())), dict):  # {"scalars": {…}}
        document = only
    rows: list[Row] = []
    for name, points in document.items():
        if isinstance(points, list) and points and _is_metric(name):
            own = _rows_of_list(points)
            if not all("value" in row and len(row) > 1 for row in own):
                return []
            rows += [{name if key == "value" else key: cell for key, cell in row.items()} for row in own]
    return rows


def _longest_list(document: Row) -> list[Row]:
    """The longest list of objects beside other things."""
    lists = [value for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    longest = max(lists, key=len, default=[])
    if len(longest) > 1:
        return [item for item in longest if isinstance(item, dict)]
    return []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
