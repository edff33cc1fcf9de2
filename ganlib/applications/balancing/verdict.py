"""One sentence: do generated images help more than what is done without a generator?"""

from __future__ import annotations

from ganlib.applications.balancing.config import WITH_GENERATOR
from ganlib.balances import Balance

MEASURE = "balanced_accuracy"


def verdict(balance: Balance) -> str:
    """Of the best method with generated images against the best without, seed by seed."""
    summary = balance.summary()
    generates = summary["method"].isin(WITH_GENERATOR)
    with_generator, without = summary[generates], summary[~generates]
    imbalance = f"{max(balance.class_counts) / max(min(balance.class_counts), 1):.0f}:1"
    if with_generator.empty or without.empty:
        best = summary.sort_values(MEASURE, kind="stable").iloc[-1]
        return (
            f"At {imbalance} the best method is {describe(best['method'], best['ratio'])}, with a balanced accuracy of "
            f"{best[MEASURE]:.1%} ± {100 * best[f'{MEASURE}_half']:.1f} points; methods with and without a generator "
            "were not both tried."
        )
    ours, other = (frame.sort_values(MEASURE, kind="stable").iloc[-1] for frame in (with_generator, without))
    mean, half = balance.difference((ours["method"], ours["ratio"]), (other["method"], other["ratio"]), MEASURE)
    difference = f"{100 * mean:+.1f}".replace("-", "−") + f" ± {100 * half:.1f} points of balanced accuracy"
    names = describe(ours["method"], ours["ratio"]), describe(other["method"], other["ratio"])
    seeds = f"{int(ours['seeds'])} seeds"
    if mean > half:
        return f"At {imbalance} {names[0]} win over {names[1]}: {difference} ({seeds})."
    if -mean > half:
        return f"At {imbalance} {names[0]} lose against {names[1]}: {difference} ({seeds})."
    return f"At {imbalance}, {seeds} do not tell {names[0]} from {names[1]}: {difference}."


def describe(method: str, ratio: float) -> str:
    names = {
        "none": "the images as they are",
        "generated": "generated images",
        "filtered": "filtered generated images",
        "mixed": "generated images and copies",
    }
    name = names.get(method, method)
    return f"{name} (ratio {ratio:g})" if method in WITH_GENERATOR else name
