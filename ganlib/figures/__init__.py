"""Frame -> plotly figure and its text alternative; nothing here knows an architecture.

style    palette, dashes, what every figure has in common    curves   scalars over training
human    rates of human error                                experiments   measured values of an experiment
report   HTML report, LaTeX table                            scores   metrics of runs
frontier of scores against their cost                        interpolation   distance from frame to frame
inversion       distance of an inversion, step by step
"""

from ganlib.figures.curves import MAX_POINTS, Span, curves, curves_height, describe_curves
from ganlib.figures.experiments import describe_values, measured_values
from ganlib.figures.frontier import describe_frontier, score_cost
from ganlib.figures.human import human_error_bars
from ganlib.figures.interpolation import interpolation_steps
from ganlib.figures.inversion import inversion_losses
from ganlib.figures.scores import (
    class_heatmap,
    describe_scores,
    pareto,
    precision_recall,
    score_bars,
    score_history,
    score_pairs,
)
from ganlib.figures.style import PALETTE

__all__ = [
    "MAX_POINTS",
    "PALETTE",
    "Span",
    "class_heatmap",
    "curves",
    "curves_height",
    "describe_curves",
    "describe_frontier",
    "describe_scores",
    "describe_values",
    "human_error_bars",
    "interpolation_steps",
    "inversion_losses",
    "measured_values",
    "pareto",
    "precision_recall",
    "score_bars",
    "score_cost",
    "score_history",
    "score_pairs",
]
