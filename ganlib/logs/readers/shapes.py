"""The shape of a printed line: its text without its numbers. It says what each number is.

A log has few shapes and many lines, so that each shape is analysed once and the numbers of all its lines are converted
together.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from ganlib.logs.readers.names import Name, is_wrapper, name_before
from ganlib.logs.readers.numerals import UNITS
from ganlib.logs.readers.positions import NUMBER, TAKEN, find_position
from ganlib.logs.tags import EVALUATION_TAGS, canonical_tag

MAX_LINE = 20_000  # characters; a longer line is a picture or a tensor that was printed
_LETTER = "A-Za-z\u00c0-\u024f"
_DIGITS = r"[0-9]*+(?:_[0-9]++)*+(?:\.[0-9]*+)?(?:[eE][-+]?[0-9]++)?"
_DECIMALS = r"[0-9]++(?:[eE][-+]?[0-9]++)?"
_WORDS = ("epoch", "Epoch", "EPOCH", "iter", "Iter", "iteration", "Iteration", "step", "Step", "batch", "Batch")
_GLUED = "|".join(f"(?<={word}.)" for word in _WORDS)  # "epoch3"


def _compile_number(with_nan: bool) -> re.Pattern[str]:
    """Any number that is not a part of a word.

    Each begins with one set of characters, which the search skips to: seven times faster than any other form.
    """
    nan = r"|[nN][aA][nN](?!\w)|[iI][nN][fF](?:inity)?(?!\w)" if with_nan else ""
    forms = [
        rf"(?<=[0-9])(?<![{_LETTER}0-9_.@].){_DIGITS}",
        rf"(?<=[-+])(?<![\w.)\]].)(?:[0-9]{_DIGITS}|\.{_DECIMALS}{nan})",
        rf"(?<=\.)(?<![\w.].){_DECIMALS}",
        rf"(?<=[0-9])(?:{_GLUED})[0-9]*+(?![\w.])",
    ]
    if with_nan:
        forms += [r"(?<=[nN])(?<![\w.].)[aA][nN](?!\w)", r"(?<=[iI])(?<![\w.].)[nN][fF](?:inity)?(?!\w)"]
    return re.compile(f"([-+.0-9{'nNiI' if with_nan else ''}](?:{'|'.join(forms)}))")


# Text, number, text, number, …, text. The second is faster, for text in which there is no NaN or infinity.
split_numbers, split_finite_numbers = _compile_number(True).split, _compile_number(False).split
_UNIT = re.compile(rf"[{_LETTER}µμ%_][\w%µ]*(?:/[A-Za-z]+)?")
_CALL = re.compile(r"\w\(|[()]")
# Between two numbers: an expression, a version, a range.
_ADJACENT_SIGNS = frozenset(["", "'", "’", ".", "-", "+", "*", "**", "^", ":", "\\", "#", "@", "_"])
_TIME_LEFT = re.compile(r"(?:^|\W)ETA$|(?i:(?:time|est\w*)[_ ](?:left|remaining)|remaining[_ ]time)$")
_LONGER_UNIT = re.compile(r" ?(d|h|hrs?|hours|m|mins?|minutes) ?")
_TIME_UNIT = re.compile(r" ?(?:[smhd]|secs?|mins?|hours?|seconds?|minutes?|days?)(?![A-Za-z])|:")
_SAVING = re.compile(r"\W{0,9}sav(?:ing|ed)\b", re.IGNORECASE)
_SLASH = frozenset(["/", " / ", "/ ", " /"])
_DEVIATION = re.compile(r" ?(?:±|\+/-|\+-) ?")
_MEAN = re.compile(r" ?\((?:(?:avg|average|mean|ema|running|smooth(?:ed)?)\.?[:= ]{0,3})?")
_OF_NAME = re.compile(r"[ \t]*[:=][ \t]*")
_LIST_SEPARATOR = re.compile(r"[ \t]*[,;]?[ \t]*")


class Field(NamedTuple):
    """One scalar of a line."""

    name: str
    number: int  # the first of those that it is written with
    length: int = 1  # how many numbers
    kind: Literal["number", "commas", "time"] = "number"
    factor: float = 1
    factors: tuple[float, ...] = ()  # of numbers that add up, "1h 02m 03s", in the last one's unit


class Shape(NamedTuple):
    position: tuple[tuple[str, int], ...] = ()
    fields: tuple[Field, ...] = ()
    unreadable: str = ""  # what makes a number of the line none
    literals: tuple[int, ...] = ()  # numbers that belong to a name: "loss 1: 0.5"


NOTHING = Shape()


@lru_cache(maxsize=2**14)
def analyse(texts: tuple[str, ...], literals: tuple[tuple[int, str], ...] = ()) -> Shape:
    """The shape of lines with these texts around their numbers; ``literals``: the numbers that belong to names."""
    position = find_position(NUMBER.join(texts))
    return _Analysis(position.rest, position.times, position.split, dict(literals)).shape(position.roles)


class _Analysis:
    """The scalars of one shape."""

    def __init__(self, shape: str, times: tuple[tuple[int, int], ...], split: str, literals: dict[int, str]) -> None:
        self.before = re.split(f"[{NUMBER}{TAKEN}]", shape)  # text before each number, and after the last
        self.is_taken = [sign == TAKEN for sign in shape if sign in (NUMBER, TAKEN)]
        self.in_call = _numbers_in_calls(shape)
        self.split, self.literals = split, literals
        self.unknown_literals: list[int] = []
        self.fields: list[tuple[Name, str, Field]] = []
        self.unreadable = ""
        for first, count in times:
            name = name_before(self._text_before(first))
            if name and canonical_tag(name.text).name == "elapsed":
                self._add(name, Field(name.text, first, count, "time"))
        number = 0
        while number < len(self.is_taken):
            number = number + 1 if self.is_taken[number] else self._read(number)

    def shape(self, roles: tuple[tuple[str, int], ...]) -> Shape:
        named = _distinct_names([(name, suffix) for name, suffix, _ in self.fields])
        fields = tuple(
            field._replace(name=self._with_split(name)) for name, (*_, field) in zip(named, self.fields, strict=True)
        )
        if self.split:  # the batches of another split do not count the training's
            known = dict(roles)
            counted = {"batch", "batches", "count", "counts", *(("step", "steps") if "steps" in known else ())}
            roles = tuple((role, number) for role, number in roles if role not in counted)
        if not fields and "epoch" in dict(roles) and _SAVING.match(self.before[0]):
            # CycleGAN's "saving the latest model (epoch 2, total_iters 5000)" counts images, its rows count steps.
            roles = tuple((role, number) for role, number in roles if role.startswith("epoch"))
        return Shape(roles, fields, self.unreadable, tuple(self.unknown_literals))

    def _text_before(self, number: int) -> str:
        """The text before a number, without the unit of the number before: "s" in "1.5s fid 30"."""
        text = self.before[number]
        unit = _UNIT.match(text) if number else None
        return text[unit.end() :] if unit and unit[0] in UNITS and unit.end() < len(text) else text

    def _with_split(self, name: str) -> str:
        if not self.split or self.split in name.lower() or canonical_tag(name).name in EVALUATION_TAGS:
            return name
        return f"{self.split}/{name}"

    def _add(self, name: Name, field: Field, suffix: str = "") -> None:
        self.fields.append((name, suffix, field))

    def _read(self, number: int) -> int:
        """Adds the scalar that a number begins; the next number."""
        name = name_before(self._text_before(number))
        if name is None or (self.in_call[number] and self.in_call[number] != name.opened):
            return number + 1
        after = self.before[number + 1]
        if _is_time_left(name.text, after):
            return number + 1
        if _OF_NAME.fullmatch(after) and self._is_free(number + 1):
            return self._read_numbered(name, number)
        if name.opened and (last := self._end_of_list(number)) > number:
            for index in range(number, last + 1):
                self._add(name, Field("", index), f"/{index - number}")
            return last + 1
        if after == "," and self._is_free(number + 1):
            last = number + 1
            while self.before[last + 1] == "," and self._is_free(last + 1):
                last += 1
            return self._add_if_whole(name, Field("", number, last - number + 1, "commas"), last)
        if after in _SLASH and self._is_free(number + 1):
            return self._read_parts(name, number)
        if after == " " and self._is_free(number + 1) and self.before[number + 2] == "," and self._is_free(number + 2):
            self.unreadable = self.unreadable or f"the number of {name.text!r} may be in groups of digits"
            return number + 3  # "1 234,5"
        if factors := self._time_factors(number):
            last = number + len(factors) - 1
            return self._add_if_whole(name, Field("", number, len(factors), factors=factors), last)
        following = self._add_if_whole(name, Field("", number), number)
        if self._is_free(number + 1):
            if _DEVIATION.fullmatch(after):
                return self._add_if_whole(name, Field("", number + 1), number + 1, "/std")
            if _MEAN.fullmatch(after) and self.before[number + 2].startswith(")"):  # current value and mean so far
                return self._add_if_whole(name, Field("", number + 1), number + 1, "/mean")
        return following

    def _time_factors(self, number: int) -> tuple[float, ...]:
        """Of a time that begins with this number and has several units, the longest first: "1h 02m"; else none."""
        seconds, last = list[float](), number
        while self._is_free(last + 1) and (unit := _LONGER_UNIT.fullmatch(self.before[last + 1])):
            seconds.append(UNITS[unit[1]])
            last += 1
        end = _UNIT.match(self.before[last + 1])
        seconds.append(UNITS.get(end[0], 1) if end else 1)
        is_time = last > number and all(longer > shorter for longer, shorter in pairwise(seconds))
        return tuple(unit / seconds[-1] for unit in seconds) if is_time else ()

    def _read_numbered(self, name: Name, number: int) -> int:
        """ "loss 1: 0.5", where the first number belongs to the name."""
        if number not in self.literals:
            self.unknown_literals.append(number)
            return number + 2
        words = (*name.words, self.literals[number])
        numbered = Name(words, f"{name.text} {self.literals[number]}")
        return self._add_if_whole(numbered, Field("", number + 1), number + 1)

    def _read_parts(self, name: Name, number: int) -> int:
        """ "real/fake acc: 0.9/0.8": a name for each number."""
        last = number + 1
        while self.before[last + 1] in _SLASH and self._is_free(last + 1):
            last += 1
        count = last - number + 1
        parts = _parts_of_name(name.text, count)
        for index in range(count):
            part = Name((parts[index],), parts[index]) if parts else name
            suffix = f"/{index + 1}" if index and not parts else ""
            self._add_if_whole(part, Field("", number + index), number + index, suffix, count - 1 - index)
        return last + 1

    def _add_if_whole(self, name: Name, field: Field, last: int, suffix: str = "", in_parts: int = 0) -> int:
        """Adds the field unless something is attached to its last number; the number after it."""
        after = self.before[last + 1]
        is_last = last + 1 >= len(self.is_taken)
        unit = _UNIT.match(after)
        factor = UNITS.get(unit[0]) if unit else 1
        attached = (
            factor is None
            or (after[:1] in (".", "-", "'") and after[1:2].isalnum() and not after[1:2].isalpha())
            or (after[:1] == "." and after[1:2].isalpha())
            or (not is_last and not in_parts and (after in _ADJACENT_SIGNS or (unit is not None and unit[0] == after)))
        )
        if attached:
            self.unreadable = self.unreadable or f"the number of {name.text!r} is followed by {after[:12]!r}"
        else:
            self._add(name, field._replace(factor=factor or 1), suffix)
        return last + 1

    def _end_of_list(self, number: int) -> int:
        """The last number of a list that this one begins, itself where it is alone in its brackets."""
        last = number
        while self._is_free(last + 1) and _LIST_SEPARATOR.fullmatch(self.before[last + 1]) and self.before[last + 1]:
            last += 1
        return last if self.before[last + 1].lstrip()[:1] in ("]", ")", "}") else number

    def _is_free(self, number: int) -> bool:
        return number < len(self.is_taken) and not self.is_taken[number]


def _is_time_left(name: str, after: str) -> bool:
    """Whether a number is a time to come, which is no scalar; "eta" without a unit may be a setting (DDIM)."""
    return _TIME_LEFT.search(name) is not None or (name.lower() == "eta" and _TIME_UNIT.match(after) is not None)


def _numbers_in_calls(shape: str) -> list[str]:
    """For each number the bracket of the call that it is an argument of: "FloatProgress(value=0.0, max=68.0)"; two for
    one in brackets of its own, as in a network that is printed: "Conv2d(3, 64, kernel_size=(4, 4))".
    """
    result: list[str] = []
    if "(" not in shape:
        return [""] * sum(shape.count(sign) for sign in (NUMBER, TAKEN))
    calls: list[bool] = []
    for offset, sign in enumerate(shape):
        if sign == "(":
            word = shape[max(offset - 20, 0) : offset]
            calls.append(word[-1:].isalnum() and not is_wrapper(word))
        elif sign == ")" and calls:
            calls.pop()
        elif sign in (NUMBER, TAKEN):
            result.append("" if not any(calls) else "(" if calls[-1] else "((")
    return result


def _parts_of_name(name: str, count: int) -> list[str]:
    """ "real/fake acc" -> ["real acc", "fake acc"]; nothing if the name has not that many parts."""
    words = name.split(" ")
    for index, word in enumerate(words):
        if len(parts := word.split("/")) == count and all(parts):
            return [" ".join([*words[:index], part, *words[index + 1 :]]) for part in parts]
    return []


def _distinct_names(names: list[tuple[Name, str]]) -> list[str]:
    """The names of a line's scalars; of two that are alike, each with more of the words before it."""
    texts = [name.text + suffix for name, suffix in names]
    for count in (2, 3, 4):
        repeated = {text for text, times in Counter(texts).items() if times > 1}
        if not repeated:
            break
        texts = [
            (name.longer(count) if len(name.words) > 1 else name.text) + suffix if text in repeated else text
            for (name, suffix), text in zip(names, texts, strict=True)
        ]
    seen: Counter[str] = Counter()
    for index, text in enumerate(texts):
        seen[text] += 1
        if seen[text] > 1:
            texts[index] = f"{text}.{seen[text] - 1}"
    return texts
