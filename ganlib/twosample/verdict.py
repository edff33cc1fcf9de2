"""One sentence: can the sides be told apart, by what, and with how many images?"""

from __future__ import annotations

import pandas as pd

from ganlib.twosample.result import Comparison
from ganlib.twosample.separation import ALPHA

CLASSIFIER_TESTS = ("small network", "logistic regression")


def verdict(comparison: Comparison) -> str:
    """Of the classifiers, the search for copies and training on them; states the power of what found nothing."""
    sentences = filter(None, [_classifiers(comparison), _copies(comparison), _training(comparison)])
    return " ".join(sentences) or "No classifier was trained to tell them apart."


def _classifiers(comparison: Comparison) -> str:
    tests = comparison.tests
    rows = tests[(tests["statistic"] == "ROC-AUC") & tests["test"].isin(CLASSIFIER_TESTS)]
    if rows.empty:
        return ""
    best = rows.sort_values("value", kind="stable").iloc[-1]
    name = f"{best['test']} ({best['subject']})"
    interval = f"{best['value']:.3f} ({best['low']:.3f} to {best['high']:.3f})"
    # The best of several was chosen: each p-value counts as many times.
    if best["p_value"] * len(rows) >= ALPHA:
        detectable = min(comparison.facts.get("detectable_auc", {}).values(), default=1.0)
        return (
            f"No classifier tells them apart: the best AUC on held-out images is {interval}, by the {name}; with as "
            f"many images one of {detectable:.3f} would have shown."
        )
    sufficient = best["sufficient"]
    enough = "" if pd.isna(sufficient) else f"; {int(sufficient):,} images a side suffice to tell them apart at 95 %"
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
