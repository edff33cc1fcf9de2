"""What papers and other tools report, to be read beside our own numbers and never ranked with them.

The same network is published at FIDs that differ by a factor of two (WGAN-GP: 22.3 and 54.0), for implementations and
protocols differ. ``published_cifar10.csv`` holds the values with their sources.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

ORDER = "StudioGAN's benchmark"  # whose rows have a column ``architecture``: our name for it
FILE = Path(__file__).with_name("published_cifar10.csv")


def published(data: str, extractor: str) -> pd.DataFrame:
    """``model``, one column a metric (NaN where not reported), ``source``, ``protocol``; empty where none is known.

    Known are values of CIFAR-10 on Inception features.
    """
    frame = pd.read_csv(FILE)
    return frame if data.startswith("cifar10") and extractor == "inception" else frame[:0]


def published_order(data: str, metric: str) -> dict[str, float]:
    """Architecture -> value, of the one source that measured most of ours alike; empty where none is known."""
    frame = pd.read_csv(FILE)
    if not data.startswith("cifar10") or metric not in frame:
        return {}
    known = frame.dropna(subset=["architecture", metric])
    return {str(row["architecture"]): float(row[metric]) for _, row in known.iterrows()}
