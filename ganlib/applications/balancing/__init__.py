"""Whether generated images of rare classes help a classifier, beside what is done without a generator."""

from __future__ import annotations

from ganlib.applications.balancing.balance import balance
from ganlib.applications.balancing.config import BalanceConfig
from ganlib.applications.balancing.result import Balance, read_balance

__all__ = ["Balance", "BalanceConfig", "balance", "read_balance"]
