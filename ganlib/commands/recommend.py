"""python -m ganlib recommend [DATA]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ganlib.errors import GanlibError
from ganlib.naming import nearest_names
from ganlib.records import present, read_evaluations, recommend, usual_scores
from ganlib.runs import scan


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Of the runs that have weights, under the protocol in which most of a data set's compare; the FID page has the "
        "others."
    )
    parser.add_argument("data", nargs="?", metavar="DATA", help="one data set (default: all that have scores)")


def run(args: argparse.Namespace) -> None:
    runs = {run.name: run for run in scan()[0] if not run.archived}
    data = {name: run.data_name for name, run in runs.items()}
    scores, unreadable = read_evaluations({run.path: name for name, run in runs.items()})
    for sentence in unreadable:  # of a run that might be the best
        print(f"ganlib: {sentence}", file=sys.stderr)
    scores = usual_scores(present(scores, {name: run.weights_hash for name, run in runs.items()}), data)
    scores = scores[scores["metric"].isin(["fid", "class_agreement"])].drop_duplicates(["run", "metric"])
    measured = sorted(set(scores[scores["metric"] == "fid"]["run"].map(data)))
    if args.data and args.data not in measured:
        close = nearest_names(args.data, measured) or measured
        raise GanlibError(
            f"No run of {args.data!r} has weights and an FID; there are scores of {', '.join(close) or 'none'}."
        )
    if not measured:
        raise GanlibError("No run with weights has an FID yet; `python -m ganlib evaluate RUN` measures it.")
    for name in [args.data] if args.data else measured:
        own = scores[scores["run"].map(data) == name]
        ranked, agreement = (own[own["metric"] == metric] for metric in ("fid", "class_agreement"))
        parameters = {run: sum(runs[run].parameters.values()) for run in ranked["run"]}
        print(f"{name}  ({ranked['protocol_label'].iloc[0]})")
        for recommendation in recommend(ranked, agreement, parameters):
            print(f"  {recommendation.criterion}: {recommendation.sentence}")
