"""Named comparisons of runs: a question, what a source reported, what was measured, a verdict. Without torch.

checks       single values of that file
definition   the file of an experiment: its variants as recipes, its claims
fit          whether a run is the training that the file describes
entries      its recipes as entries of a queue file
measures     one number of a run: of its records, of its curves, of what the diagnosis finds in them
collection   the measured values of all runs of an experiment, and why those that are missing are
verdict      reproduced, not reproduced, refuted or open, of a claim of our own: whether it holds: from an interval
"""

from ganlib.experiments.collection import ClaimData, Collected, Measurement, collect
from ganlib.experiments.definition import (
    MOMENTS,
    STAGE,
    Claim,
    Experiment,
    Matrix,
    Recorded,
    Variant,
    read_experiment,
    read_experiments,
)
from ganlib.experiments.entries import queue_entries
from ganlib.experiments.fit import missing_runs
from ganlib.experiments.verdict import WORDS, Judgement, Verdict, decisive, deviating, judge, overall

__all__ = [
    "MOMENTS",
    "STAGE",
    "WORDS",
    "Claim",
    "ClaimData",
    "Collected",
    "Experiment",
    "Judgement",
    "Matrix",
    "Measurement",
    "Recorded",
    "Variant",
    "Verdict",
    "collect",
    "decisive",
    "deviating",
    "judge",
    "missing_runs",
    "overall",
    "queue_entries",
    "read_experiment",
    "read_experiments",
]
