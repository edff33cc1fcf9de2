"""What papers and other tools report, to be read beside our own numbers and never ranked with them.

The same network is published at FIDs that differ by a factor of two (WGAN-GP: 22.3 and 54.0), for implementations and
protocols differ. ``published_cifar10.csv`` holds the values with their sources.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

FILE = Path(__file__).with_name("published_cifar10.csv")


def published(data: str, extractor: str) -> pd.DataFrame:
    """``model``, one column a metric (NaN where not reported), ``source``, ``protocol``; empty where none is known.

    Known are values of CIFAR-10 on Inception features.
    """
    frame = pd.read_csv(FILE)
    return frame if data.startswith("cifar10") and extractor == "inception" else frame[:0]
