"""Frame -> plotly figure and the words that say the same.

style    colours, dashes, what every figure has in common
curves   scalars over training
scores   metrics of runs
"""

from ganlib.figures.curves import POINTS, Span, curves, describe_curves
from ganlib.figures.scores import (
    class_heatmap,
    describe_scores,
    pareto,
    precision_recall,
    score_bars,
    score_cost,
    score_course,
)
from ganlib.figures.style import ARCHITECTURE_COLOURS, NAMED, PALETTE

__all__ = [
    "ARCHITECTURE_COLOURS",
    "NAMED",
    "PALETTE",
    "POINTS",
    "Span",
    "class_heatmap",
    "curves",
    "describe_curves",
    "describe_scores",
    "pareto",
    "precision_recall",
    "score_bars",
    "score_cost",
    "score_course",
]
