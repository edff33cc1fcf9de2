"""What the pages share: the only package of ganlib that imports streamlit.

chrome    header, device, empty states, errors at the page's edge    catalog   cached runs, models, pictures, logs
controls  run, class, seed, options: widgets kept in the URL         pictures  grids, animations, downloads, links
cards     a run at a glance                                             curves    runs, scalars, findings
scores    metrics, protocols, what compares                             score_table  rankings as tables and files
sources   scalars of runs, of other tools, of uploads                links     what a link asks for, checked and made
jobs      evaluations in the background
"""

import gc

from ganlib.ui.cards import card
from ganlib.ui.catalog import evaluations, generates, runs
from ganlib.ui.chrome import empty, finish, no_models, page
from ganlib.ui.controls import (
    pick_classes,
    pick_comparison,
    pick_data,
    pick_options,
    pick_run,
    pick_seeds,
    pick_stages,
    pick_walk,
    same_for,
)
from ganlib.ui.curves import (
    architectures,
    beside_pictures,
    differences,
    download_curves,
    findings,
    pick_axis,
    pick_groups,
    pick_logged_runs,
    pick_look,
    pick_marks,
    pick_range,
    pick_some,
    pick_tags,
    said_missing,
    scored,
    snapshots,
)
from ganlib.ui.jobs import evaluate_now
from ganlib.ui.pictures import (
    animation,
    downloads,
    film_strip,
    grid_of,
    share_samples,
    share_walk,
    snapshot_of,
    stages_shown,
)
from ganlib.ui.score_table import absentees, published_scores, report, score_table
from ganlib.ui.scores import (
    axis_title,
    best_snapshots,
    courses,
    current_scores,
    doubts,
    floor_of,
    pick_cost,
    pick_metric,
    pick_protocol,
    precision_and_recall,
    said_best,
    same_images,
    unscored,
    with_costs,
)
from ganlib.ui.sources import follow, logs, skipped

# Streamlit collects garbage after every run. What is imported by now will never be any: it need not be looked through.
gc.freeze()

__all__ = [
    "absentees",
    "animation",
    "architectures",
    "axis_title",
    "beside_pictures",
    "best_snapshots",
    "card",
    "courses",
    "current_scores",
    "differences",
    "doubts",
    "download_curves",
    "downloads",
    "empty",
    "evaluate_now",
    "evaluations",
    "film_strip",
    "findings",
    "finish",
    "floor_of",
    "follow",
    "generates",
    "grid_of",
    "logs",
    "no_models",
    "page",
    "pick_axis",
    "pick_classes",
    "pick_comparison",
    "pick_cost",
    "pick_data",
    "pick_groups",
    "pick_logged_runs",
    "pick_look",
    "pick_marks",
    "pick_metric",
    "pick_options",
    "pick_protocol",
    "pick_range",
    "pick_run",
    "pick_seeds",
    "pick_some",
    "pick_stages",
    "pick_tags",
    "pick_walk",
    "precision_and_recall",
    "published_scores",
    "report",
    "runs",
    "said_best",
    "said_missing",
    "same_for",
    "same_images",
    "score_table",
    "scored",
    "share_samples",
    "share_walk",
    "skipped",
    "snapshot_of",
    "snapshots",
    "stages_shown",
    "unscored",
    "with_costs",
]
