"""What runs and other tools logged, as tidy pandas frames. Reads only, without torch.

``reading``
    Any log, run folder or tree of runs -> one frame (``read``); ``readers`` has one module per format, ``merging``
    puts the files of a run together, ``tags`` maps their names to canonical tags, ``frame`` defines the columns.
``follow``
    The same for logs that are still being written (``Follower``).
``tree``, ``cache``
    A tree of many runs, listed from the heads of their logs (``LogTree``); parsed logs on disk.
``diagnosis``
    What the curves say about the training: findings with evidence and advice (``diagnose``).
``axes``, ``annotations``, ``snapshot_metrics``
    For charts: horizontal axes, points worth a label, metrics of snapshots as scalars.
``notebook_pictures``, ``sample_diversity``
    The pictures that a notebook showed during its trainings, and how many different ones, as a scalar.
``smoothing``, ``decimation``
    Curves smoothed as in TensorBoard, and with fewer points.
``recipes``
    The recipes of runs side by side.
"""

from ganlib.logs.annotations import find_annotations
from ganlib.logs.axes import AXES, assign_x, available_axes
from ganlib.logs.decimation import decimate
from ganlib.logs.diagnosis import Finding, diagnose
from ganlib.logs.follow import Follower
from ganlib.logs.frame import LogError, concat
from ganlib.logs.notebook_pictures import NotebookPicture, notebook_pictures
from ganlib.logs.notebook_samples import NotebookSample, notebook_samples
from ganlib.logs.reading import read
from ganlib.logs.recipes import RECIPE, differing, matching, recipes, seed_groups
from ganlib.logs.sample_diversity import add_sample_diversity
from ganlib.logs.smoothing import smooth
from ganlib.logs.snapshot_metrics import add_snapshot_metrics
from ganlib.logs.tree import LogTree, RunLogs

__all__ = [
    "AXES",
    "RECIPE",
    "Finding",
    "Follower",
    "LogError",
    "LogTree",
    "NotebookPicture",
    "NotebookSample",
    "RunLogs",
    "add_sample_diversity",
    "add_snapshot_metrics",
    "assign_x",
    "available_axes",
    "concat",
    "decimate",
    "diagnose",
    "differing",
    "find_annotations",
    "matching",
    "notebook_pictures",
    "notebook_samples",
    "read",
    "recipes",
    "seed_groups",
    "smooth",
]
