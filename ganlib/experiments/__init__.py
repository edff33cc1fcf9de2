"""Named comparisons of runs: a question, what a source reported, what was measured, a verdict. Without torch.

definition   the file of an experiment: its variants as recipes, its claims
entries      its recipes as entries of a queue file
measures     one number of a run: of its records, of its curves, of what the diagnosis finds in them
collection   the measured values of all runs of an experiment, and why those that are missing are
verdict      reproduced, not reproduced, refuted or open: from the interval of a difference
"""

from ganlib.experiments.collection import ClaimData, Collected, Measurement, collect
from ganlib.experiments.definition import (
    MOMENTS,
    STAGE,
    Claim,
    Experiment,
    Matrix,
    Variant,
    read_experiment,
    read_experiments,
)
from ganlib.experiments.entries import queue_entries
from ganlib.experiments.verdict import Judgement, Verdict, decisive, judge, overall, readable

__all__ = [
    "MOMENTS",
    "STAGE",
    "Claim",
    "ClaimData",
    "Collected",
    "Experiment",
    "Judgement",
    "Matrix",
    "Measurement",
    "Variant",
    "Verdict",
    "collect",
    "decisive",
    "judge",
    "overall",
    "queue_entries",
    "read_experiment",
    "read_experiments",
    "readable",
]
