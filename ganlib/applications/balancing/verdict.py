"""Sentences: do generated images help more than what is done without a generator, and from which ratio on?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ganlib.applications.balancing.comparisons import MEASURE, Comparison, families
from ganlib.applications.balancing.config import FILLING
from ganlib.balances import Balance
from ganlib.data.subset import parse_subset
from ganlib.errors import GanlibError

NAMES = {
    "none": "the images as they are",
    "reweighting": "re-weighting",
    "generated": "generated images",
    "filtered": "filtered generated images",
    "mixed": "generated images and copies",
}
EQUAL = 1.5  # times as many images in the largest class as in the smallest are no imbalance to speak of


def verdict(balance: Balance) -> str:
    """The first of ``verdicts``: of generated images as they come, where they were tried."""
    return verdicts(balance)[0]


def verdicts(balance: Balance) -> list[str]:
    """A sentence for each way to use a generator; of the best method where nothing is to be compared."""
    found = [_sentence(place(balance), family) for family in families(balance)]
    return found or [_best(balance)]


def place(balance: Balance) -> str:
    """ "At 50:1", as the set's name says it, or by its counts."""
    kind, _, text = balance.data.partition(":")
    counts = parse_counts(text) if kind == "subset" else ""
    least, most = min(balance.class_counts), max(balance.class_counts)
    if ":" in counts:
        ratio, _, step = counts.partition("-")
        return f"At {ratio}, in one step," if step else f"At {ratio}"
    if least == most:
        return f"At {most:,} images a class"
    if most < EQUAL * least:
        return f"At {least:,} to {most:,} images a class"
    return f"At {most / least:.0f}:1"


def parse_counts(subset: str) -> str:
    """ "50:1" of "mnist@50:1"; "" where it is no subset's name."""
    try:
        return parse_subset(subset).counts
    except GanlibError:
        return ""


def describe(method: str, ratio: float) -> str:
    name = NAMES.get(method, method)
    return f"{name} (ratio {ratio:g})" if method in FILLING else name


def points(mean: float, half: float) -> str:
    """+3.1 ± 0.9"""
    return f"{100 * mean:+.1f}".replace("-", "−") + f" ± {100 * half:.1f}"


def _sentence(where: str, family: Sequence[Comparison]) -> str:
    """Of one way to use a generator, or of every method where there is none."""
    pairs: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in family:
        pairs.setdefault((comparison.ours.method, comparison.other.method), []).append(comparison)
    clauses = [clause for pair in pairs.values() for clause in _clauses(sorted(pair, key=_ratio))]
    ordered = sorted(clauses, key=lambda clause: ("over", "against", "from").index(clause[1]))
    phrases, last = [], ""
    for (ours, preposition), group in groupby(ordered, key=lambda clause: clause[:2]):
        whom = f", and {preposition} ".join(clause[2] for clause in group)
        phrases.append(_phrase(ours, preposition, whom, family[0].seeds, again=ours == last))
        last = ours
    text = "; ".join(phrases)
    where += "," if text[0].isdigit() and not where.endswith(",") else ""
    count = len(family)
    correction = f", Holm's correction for {count} comparisons" if count > 1 else ""
    return f"{where} {text} (balanced accuracy, {family[0].seeds} seeds{correction})."


def _ratio(comparison: Comparison) -> float:
    return max(comparison.ours.ratio, comparison.other.ratio)


def _clauses(pair: list[Comparison]) -> list[tuple[str, str, str]]:
    """Method, preposition (over: wins, against: loses, from: not told) and whom, with where and by how much."""
    ours, other = pair[0].ours.method, NAMES.get(pair[0].other.method, pair[0].other.method)
    ratios = [_ratio(comparison) for comparison in pair]
    clauses = []
    for preposition, hits in (("over", [c for c in pair if c.wins]), ("against", [c for c in pair if c.loses])):
        if hits:
            difference = f"{points(hits[0].mean, hits[0].half)} points"
            where = _where([_ratio(hit) for hit in hits], ratios)
            clauses.append((ours, preposition, f"{other}{where}, {difference}"))
    if not clauses:
        differences = [f"{points(c.mean, c.half)} points{_where([r], [r])}" for c, r in zip(pair, ratios, strict=True)]
        clauses.append((ours, "from", f"{other}, {' and '.join(differences)}"))
    return clauses


def _where(hits: list[float], ratios: list[float]) -> str:
    if ratios == [0]:
        return ""
    if len(ratios) > 1 and hits == ratios[-len(hits) :]:
        return f" from a ratio of {hits[0]:g} on"
    return f" at a ratio of {' and '.join(f'{ratio:g}' for ratio in hits)}"


def _phrase(ours: str, preposition: str, whom: str, seeds: int, *, again: bool) -> str:
    name = NAMES.get(ours, ours)
    plural = name.endswith(("images", "copies"))
    if preposition == "from":
        return f"{seeds} seeds do not tell {('them' if plural else 'it') if again else name} from {whom}"
    subject = ("they" if plural else "it") if again else name
    return f"{subject} {'win' if preposition == 'over' else 'lose'}{'' if plural else 's'} {preposition} {whom}"


def _best(balance: Balance) -> str:
    best = balance.summary().sort_values(MEASURE, kind="stable").iloc[-1]
    return (
        f"{place(balance)} the best method is {describe(best['method'], best['ratio'])}, with a balanced accuracy of "
        f"{best[MEASURE]:.1%} ± {100 * best[f'{MEASURE}_half']:.1f} points; methods with and without a generator were "
        "not both tried."
    )
