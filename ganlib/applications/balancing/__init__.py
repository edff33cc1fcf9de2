"""Whether generated images of rare classes help a classifier, beside what is done without a generator."""

from __future__ import annotations

from ganlib.applications.balancing.balance import balance
from ganlib.applications.balancing.config import BalanceConfig

__all__ = ["BalanceConfig", "balance"]
