"""The name that stands before a number in a printed line: "d_loss: ", "[D loss: ", "'lr': tensor(", "the loss is "."""

from __future__ import annotations

import re
from typing import NamedTuple

from ganlib.logs.tags import canonical_tag

MAX_PLACE = 60  # characters of a place in the code
MAX_NAME = 120  # characters before the number that are looked at
DEFAULT_WORDS, MAX_WORDS = 2, 4  # of a name; more than two only where they are one of a known scalar

# Words that are names without a colon, too: "loss 0.5".
_METRIC = re.compile(
    r"loss|verlust|\bperte|p[ée]rdida|\bperda|perdita|потер[яи]|[损損]失|손실|(?:^|[^a-z])(?:err(?:or)?s?(?:[dg]|[^a-z]|$)|(?:acc|accuracy|lr|fid|kid|score|scores|mse|psnr|ssim|lpips|bce"
    r"|elbo|kl|grad\w{0,8})(?:[^a-z]|$))",
    re.IGNORECASE,
)
_RUN = re.compile(r"[^\s,;:|=<>{}\"'`\0-\x1f]+")
_WRAPPER = re.compile(r"(?:(?:\w+\.)?(?:tensor|array|float\d*|bfloat\d+|item|mean|scalar|variable))$", re.IGNORECASE)
_LINK_WORDS = frozenset(["is", "was", "are", "of", "at", "to", "about", "equals", "reached", "now", "=", "~"])
_STOP_WORDS = frozenset([
    "the", "a", "an", "and", "then", "with", "of", "for", "is", "now", "at", "our", "current", "currently", "to", "in",
    "on", "this", "its", "so", "but", "when", "while", "as", "we", "got",
])  # fmt: skip
# Where a message comes from, and not a scalar: "train.py:45", "train:main:45", "cuda:0".
_PLACE = re.compile(r"(?:\.(?:py|ipynb|cc|cpp|cu|jl|lua|js)|\w:[A-Za-z_]\w*|(?<![\w.])(?:cuda|mps|xpu|npu|hip|xla))$")
_OPENING = "[({\"'$~≈#"
_MARKS = " \t:=>-→~|"


class Name(NamedTuple):
    words: tuple[str, ...]  # of the line, the last of them nearest to the number
    text: str
    opened: str = ""  # the bracket between the name and the number

    def longer(self, count: int) -> str:
        return " ".join(self.words[-count:])


def is_metric(name: str) -> bool:
    return _METRIC.search(name) is not None or canonical_tag(name).name != name.strip()


def is_wrapper(text: str) -> bool:
    """Whether a call that only wraps its number is named at the end of the text: "tensor"."""
    return _WRAPPER.search(text) is not None


def name_before(text: str) -> Name | None:
    """The name at the end of the text before a number; None where the number has none."""
    rest, opened = _without_opening(text[-MAX_NAME:].rstrip())
    end = rest.rstrip(_MARKS)
    between = rest[len(end) :]
    has_mark = any(mark in between for mark in (":", "=", "→", "->"))
    if (">" in between and not has_mark) or "|" in between or not end:
        return None
    if end[-1] in "\"'" and has_mark:  # of a dictionary
        quoted = end[:-1].rpartition(end[-1])[2].strip()
        return Name((quoted,), quoted, opened) if quoted and _has_letter(quoted) else None
    if between == ":" and _is_place(end):
        return None
    words = _words_at_end(end)
    linked = False
    while words and words[-1] in _LINK_WORDS:
        words, linked = words[:-1], True
    if not words:
        return None
    text = _choose(words)
    if (not has_mark or linked) and not is_metric(text):
        return None
    return Name(tuple(words), text, opened)


def _is_place(end: str) -> bool:
    return _PLACE.search(end[-MAX_PLACE:]) is not None and not is_metric(end.rpartition(":")[2])


def _without_opening(text: str) -> tuple[str, str]:
    """The text without the brackets, quotes and calls ("tensor(") just before the number."""
    opened = ""
    while text and text[-1] in _OPENING:
        bracket, text = text[-1], text[:-1].rstrip()
        opened = bracket if bracket in "[({" else opened
        if bracket == "(" and (wrapper := _WRAPPER.search(text)):
            text, opened = text[: wrapper.start()].rstrip(), ""
    return text, opened


def _words_at_end(text: str) -> list[str]:
    """Up to four words that a single blank parts from each other; none in a call or a quotation."""
    runs = list(_RUN.finditer(text))
    if not runs or runs[-1].end() != len(text) or (runs[-1].start() and text[runs[-1].start() - 1] in "\"'`"):
        return []
    words: list[str] = []
    following = len(text)
    for run in reversed(runs[-MAX_WORDS:]):
        if words and (text[run.end() : following] != " " or run[0][-1] in "].-!?"):
            break
        word, following = _clean(run[0]), run.start()
        if not word or not _has_letter(word):
            return words
        words.insert(0, word)
        if run[0][0] in "([":  # "[D loss"
            break
    return words


def _clean(run: str) -> str | None:
    """A word without the brackets and signs around it; None within a call: "FloatProgress(value"."""
    word = run.lstrip("-+*./&#!?~").rstrip("-+*.&#!?~")
    while word and not _is_balanced(word):
        if word[0] in "([":
            word = word[1:]
        elif word[-1] in ")]":
            word = word[:-1]
        elif (closed := max(map(word.rfind, ")]"))) > max(map(word.rfind, "([")):  # "1.2it/s]G: 0.5"
            word = word[closed + 1 :]
        else:
            return None
    return word.strip("-+*.&#!?~")


def _is_balanced(word: str) -> bool:
    return word.count("(") == word.count(")") and word.count("[") == word.count("]")


def _has_letter(word: str) -> bool:
    return any(map(str.isalpha, word))


def _choose(words: list[str]) -> str:
    for count in range(min(MAX_WORDS, len(words)), 1, -1):
        if words[-count].lower() not in _STOP_WORDS and canonical_tag(name := " ".join(words[-count:])).name != name:
            return name
    words = words[-DEFAULT_WORDS:]
    while len(words) > 1 and words[0].lower() in _STOP_WORDS:
        words = words[1:]
    return " ".join(words)
