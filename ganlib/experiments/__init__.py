"""What runs wrote down, as pandas frames: curves, metric records, recipes. Reads only, without torch."""

from ganlib.experiments.configs import differing, recipes
from ganlib.experiments.decimation import decimate
from ganlib.experiments.diagnosis import Finding, diagnose
from ganlib.experiments.frame import LogError, Skipped, concat
from ganlib.experiments.logs import COLUMNS, elapsed, read_log, read_runs
from ganlib.experiments.marks import growths
from ganlib.experiments.metrics import METRICS
from ganlib.experiments.naming import run_names
from ganlib.experiments.published import published
from ganlib.experiments.reading import read
from ganlib.experiments.records import read_evaluations
from ganlib.experiments.smoothing import smooth, smoothed

__all__ = [
    "COLUMNS",
    "METRICS",
    "Finding",
    "LogError",
    "Skipped",
    "concat",
    "decimate",
    "diagnose",
    "differing",
    "elapsed",
    "growths",
    "published",
    "read",
    "read_evaluations",
    "read_log",
    "read_runs",
    "recipes",
    "run_names",
    "smooth",
    "smoothed",
]
