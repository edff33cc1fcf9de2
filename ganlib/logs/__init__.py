"""What runs wrote down, as pandas frames: curves, metric records, recipes. Reads only, without torch."""

from ganlib.logs.axes import AXES, along, axes, elapsed
from ganlib.logs.decimation import decimate
from ganlib.logs.diagnosis import Finding, diagnose
from ganlib.logs.follow import Follower
from ganlib.logs.frame import COLUMNS, DTYPES, LogError, Skipped, concat
from ganlib.logs.marks import growths, marks
from ganlib.logs.metrics import METRICS
from ganlib.logs.naming import run_names
from ganlib.logs.published import published
from ganlib.logs.reading import read
from ganlib.logs.recipes import RECIPE, differing, matching, recipes, seed_groups
from ganlib.logs.records import read_evaluations
from ganlib.logs.scored import with_scores
from ganlib.logs.smoothing import smooth

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
