"""Whether other features, and published values, put the runs in the same order."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ganlib.records.record import Protocol

FEWEST = 4  # runs whose order says something


def rank_agreement(scores: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """``extractor, protocol, runs, correlation``: Spearman's, with each protocol that differs in the extractor alone.

    ``scores``: rows of ``present`` of one metric. ``protocol``: the key of the one that is compared with.
    """
    shown = _without_extractor(protocol)
    others = scores[scores["protocol"] != protocol]
    rows = []
    for key, rest in others.groupby("protocol"):
        if _without_extractor(str(key)) == shown:
            pairs = pair_scores(scores, protocol, str(key))
            if len(pairs) >= FEWEST:
                rows.append((rest["extractor"].iloc[0], key, len(pairs), spearman(pairs["own"], pairs["other"])))
    return pd.DataFrame(rows, columns=["extractor", "protocol", "runs", "correlation"])


def pair_scores(scores: pd.DataFrame, protocol: str, other: str) -> pd.DataFrame:
    """``run, own, other``: of the runs that have a score under both protocols."""
    columns = {
        name: scores[scores["protocol"] == key].set_index("run")["value"]
        for name, key in (("own", protocol), ("other", other))
    }
    return pd.DataFrame(columns).dropna().rename_axis("run").reset_index()


def agreement_with(
    values: pd.Series[float], models: Mapping[str, str], better: str, order: Mapping[str, float]
) -> tuple[int, float] | None:
    """How many architectures are in ``order`` too, and Spearman's correlation with it; None where they are too few.

    ``values``: by run, of which the best of each architecture counts. ``models``: run -> architecture.
    """
    grouped = values.groupby(values.index.map(models))
    best = grouped.min() if better == "lower" else grouped.max()
    pairs = pd.DataFrame({"own": best, "other": pd.Series(order, dtype="float64")}).dropna()
    return (len(pairs), spearman(pairs["own"], pairs["other"])) if len(pairs) >= FEWEST else None


def spearman(a: pd.Series[float], b: pd.Series[float]) -> float:
    """Spearman's rank correlation, in [-1, 1]: Pearson's of the ranks, the mean rank where values are equal."""
    return float(a.rank().corr(b.rank()))


def _without_extractor(key: str) -> dict[str, object]:
    names = ("extractor", "extractor_name", "extractor_hash", "resizer")
    return {name: value for name, value in Protocol.from_key(key).to_dict().items() if name not in names}
