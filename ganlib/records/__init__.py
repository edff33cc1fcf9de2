"""``evaluation.json``: every number ever measured of a run, with all that it depends on. Read without torch.

metrics   what each metric is called, which way is better, how evaluate requests it: one table
record    a number, its interval and its protocol, to and from JSON
store     the file: read, and appended to by one process at a time
scores    the records of many runs as one frame: those of the present weights, and which of them compare
"""

from ganlib.records.metrics import GROUPS, METRICS, RANKED, Metric
from ganlib.records.record import Interval, Protocol, Record, Reference
from ganlib.records.scores import (
    COLUMNS,
    by_date,
    measured_on,
    present,
    read_evaluations,
    usual_protocols,
    usual_scores,
)
from ganlib.records.store import append_records, read_records

__all__ = [
    "COLUMNS",
    "GROUPS",
    "METRICS",
    "RANKED",
    "Interval",
    "Metric",
    "Protocol",
    "Record",
    "Reference",
    "append_records",
    "by_date",
    "measured_on",
    "present",
    "read_evaluations",
    "read_records",
    "usual_protocols",
    "usual_scores",
]
