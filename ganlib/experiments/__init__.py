"""What runs wrote down, as pandas frames: curves, metric records, recipes. Reads only, without torch."""

from ganlib.experiments.axes import AXES, along, axes, elapsed
from ganlib.experiments.configs import RECIPE, differing, matching, recipes, seed_groups
from ganlib.experiments.decimation import decimate
from ganlib.experiments.diagnosis import Finding, diagnose
from ganlib.experiments.follow import Follower
from ganlib.experiments.frame import COLUMNS, DTYPES, LogError, Skipped, concat
from ganlib.experiments.marks import growths, marks
from ganlib.experiments.metrics import METRICS
from ganlib.experiments.naming import run_names
from ganlib.experiments.published import published
from ganlib.experiments.reading import read
from ganlib.experiments.records import read_evaluations
from ganlib.experiments.scored import with_scores
from ganlib.experiments.smoothing import smooth

__all__ = [
    "AXES",
    "COLUMNS",
    "DTYPES",
    "METRICS",
    "RECIPE",
    "Finding",
    "Follower",
    "LogError",
    "Skipped",
    "along",
    "axes",
    "concat",
    "decimate",
    "diagnose",
    "differing",
    "elapsed",
    "growths",
    "marks",
    "matching",
    "published",
    "read",
    "read_evaluations",
    "recipes",
    "run_names",
    "seed_groups",
    "smooth",
    "with_scores",
]
