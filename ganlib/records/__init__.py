"""``evaluation.json``: every number ever measured of a run, with all that it depends on. Read without torch.

metrics   what each metric is called, which way is better, how evaluate requests it: one table
record    a number, its interval and its protocol, to and from JSON
store     the file: read, and appended to by one process at a time
scores    the records of many runs as one frame: those of the present weights, and which of them compare
features  what extractors are called, and what they can and cannot tell
agreement whether other features put the runs in the same order
recommendation which run to take, and whether the images suffice to tell
"""

from ganlib.records.agreement import agreement_with, pair_scores, rank_agreement
from ganlib.records.features import EMBEDDED, describe_features
from ganlib.records.metrics import GROUPS, METRICS, RANKED, Metric
from ganlib.records.recommendation import Recommendation, images_needed, recommend
from ganlib.records.record import Interval, Protocol, Record, Reference
from ganlib.records.scores import (
    COLUMNS,
    by_date,
    measured_on,
    present,
    rank_protocols,
    read_evaluations,
    usual_protocols,
    usual_scores,
    with_snapshots,
)
from ganlib.records.store import append_records, read_records

__all__ = [
    "COLUMNS",
    "EMBEDDED",
    "GROUPS",
    "METRICS",
    "RANKED",
    "Interval",
    "Metric",
    "Protocol",
    "Recommendation",
    "Record",
    "Reference",
    "agreement_with",
    "append_records",
    "by_date",
    "describe_features",
    "images_needed",
    "measured_on",
    "pair_scores",
    "present",
    "rank_agreement",
    "rank_protocols",
    "read_evaluations",
    "read_records",
    "recommend",
    "usual_protocols",
    "usual_scores",
    "with_snapshots",
]
