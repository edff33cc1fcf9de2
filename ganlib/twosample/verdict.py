"""One sentence: can the sides be told apart, by what, and with how many images?"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from ganlib.twosample.result import Comparison
from ganlib.twosample.separation import ALPHA, detectable_among

CLASSIFIER_TESTS = ("small network", "logistic regression")


def verdict(comparison: Comparison) -> str:
    """Of the classifiers, the search for copies and training on them; states the power of what found nothing."""
    sentences = filter(None, [_classifiers(comparison), _copies(comparison), _training(comparison)])
    return " ".join(sentences) or "No classifier was trained to tell them apart."


class BestClassifier(NamedTuple):
    test: pd.Series  # its row of ``tests``
    differs: bool  # whether it tells the sides apart, though it was chosen among several
    detectable: float  # AUC that one of so many tests would have shown at 95 %
    units: str  # what ``sufficient`` counts


def best_classifier(comparison: Comparison) -> BestClassifier | None:
    """Of those that were trained on images of the sides; None where none was."""
    tests = comparison.tests
    rows = tests[(tests["section"] == "classifier") & (tests["statistic"] == "ROC-AUC")]
    rows = rows[rows["test"].isin(CLASSIFIER_TESTS)]
    if rows.empty:
        return None
    best = rows.sort_values("value", kind="stable").iloc[-1]
    # The best of several was chosen: each p-value counts as many times.
    differs = bool(best["p_value"] * len(rows) < ALPHA)
    detectable = min(comparison.facts.get("detectable_auc", {}).values(), default=1.0)
    units = "independent groups" if comparison.facts.get("grouped") else "images"
    return BestClassifier(best, differs, detectable_among(detectable, len(rows)), units)


def _classifiers(comparison: Comparison) -> str:
    chosen = best_classifier(comparison)
    if chosen is None:
        return ""
    best = chosen.test
    name = f"{best['test']} ({best['subject']})"
    interval = f"{best['value']:.3f} ({best['low']:.3f} to {best['high']:.3f})"
    if not chosen.differs:
        return (
            f"No classifier tells them apart: the best AUC on held-out images is {interval}, by the {name}; with as "
            f"many images one of {chosen.detectable:.3f} would have shown."
        )
    enough = ""
    if pd.notna(best["sufficient"]):
        enough = f"; {int(best['sufficient']):,} {chosen.units} a side suffice to tell them apart at 95 %"
    return f"They can be told apart: the {name} has an AUC of {interval} on held-out images{enough}."


def _copies(comparison: Comparison) -> str:
    found = comparison.facts.get("memorisation")
    if not found:
        return ""
    subject, most = max(found.items(), key=lambda item: item[1]["copies"])
    if not most["copies"]:
        return (
            f"None of {most['n']:,} synthetic images is nearer to a training image than chance has it; "
            f"{most['fewest']:,} copies would have shown."
        )
    return (
        f"{most['copies']:,} of {most['n']:,} synthetic images are copies of training images (in {subject}; as near "
        f"lie {most['held_out_share']:.2%} of held-out images)."
    )


def _training(comparison: Comparison) -> str:
    rows = comparison.tests[comparison.tests["section"] == "training"].set_index("subject")
    if rows.empty:
        return ""

    def accuracy(source: str) -> str:
        row = rows.loc[source]
        return f"{row['value']:.1%} ({row['low']:.1%} to {row['high']:.1%})"

    return (
        f"A classifier trained on synthetic images is right about {accuracy('synthetic')} of real ones, trained on as "
        f"many real images about {accuracy('real')}, on both about {accuracy('both')}."
    )
