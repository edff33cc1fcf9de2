"""python -m ganlib list [models | runs | data | scores | metrics | RUN]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from typing import Any

import pandas as pd

from ganlib.data import list_data
from ganlib.models import MODELS, Trainable
from ganlib.records import METRICS, RANKED, by_date, measured_on, present, read_evaluations, usual_scores
from ganlib.runs import Run, RunError, find_run, no_runs, scan
from ganlib.settings import run_roots

TITLE_SUFFIXES = dict.fromkeys(("fid", "fid_infinity", "kid"), " (embedded)") | {"ppl": " in z"}


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("what", nargs="?", metavar="WHAT", help="models, runs, data, scores, metrics or a run's name")


def run(args: argparse.Namespace) -> None:
    sections = {"models": list_models, "runs": list_runs, "data": list_data_sets}
    if args.what is None:
        for name, show in sections.items():
            print(f"{name}")
            show()
            print()
    elif args.what in sections:
        sections[args.what]()
    elif args.what == "scores":
        list_scores()
    elif args.what == "metrics":
        list_metrics()
    else:
        named = find_run(args.what)
        snapshots = named.folder.snapshot_images()
        print(f"{named.name}: {named.images_seen:,} images seen, weights {named.weights_hash}")
        print("snapshots: " + (", ".join(map(str, snapshots)) or "none"))


def list_models() -> None:
    table((name, _summary(MODELS[name])) for name in MODELS)


def _summary(model: type[Trainable]) -> str:
    """The first line of the file's docstring; of the class's own where a file holds several architectures."""
    text = vars(model).get("__doc__") or sys.modules[model.__module__].__doc__ or ""
    return text.partition("\n")[0]


def list_runs() -> None:
    runs, broken = scan()
    rows = []
    for r in runs:
        try:
            rows.append((r.name, r.model_name, r.data_name, f"{r.images_seen:,} images", str(r.path)))
        except RunError as damage:  # shows when the file's header is read
            broken.append(damage)
    table(rows)
    if not rows and not broken:
        print(f"  {no_runs(run_roots())}")
    for error in broken:
        print(f"  ! {error}")


def list_scores() -> None:
    """The evaluated runs as a Markdown table, each number with its sample size; the README shows the gallery's."""
    titles = "architecture", "parameters", "images seen", "training", "FID (embedded)", "class agreement", "n"
    print(f"| run | {' | '.join(titles)} | linear probe of D |")
    print(f"|-|{'-|' * len(titles)}-|")
    for run, scores in _evaluated():
        fid = scores["fid"]
        cells = [
            run.name,
            run.model_name,
            f"{sum(run.parameters.values()) / 1e6:.2f} M",
            f"{run.images_seen:,}",
            f"{run.training_seconds / 60:.0f} min",
            _with_interval(fid),
            _percent(scores.get("class_agreement")),
            f"{fid.n_fake:,}",
            _percent(scores.get("probe_accuracy")),
        ]
        print(f"| {' | '.join(cells)} |")


def _percent(score: Any) -> str:
    return f"{score.value:.1%}" if score else "–"


def _with_interval(score: Any) -> str:
    half = (score.high - score.low) / 2
    if isnan(half):
        return f"{score.value:.2f}"
    decimals = 3 if half < 0.005 else 2  # no interval reads as zero
    return f"{score.value:.{decimals}f} ± {half:.{decimals}f}"


def list_metrics() -> None:
    """All other metrics of the same runs and the same images, likewise."""
    names = [name for name in RANKED if name != "class_agreement"]  # which ``list scores`` has
    labels = [METRICS[name].label + TITLE_SUFFIXES.get(name, "") for name in names]
    print(f"| run | n | {' | '.join(labels)} |")
    print(f"|-|-{'|-' * len(labels)}|")
    for run, scores in _evaluated():
        values = [f"{scores[name].value:#.3g}".rstrip(".") if name in scores else "–" for name in names]
        print(f"| {run.name} | {scores['fid'].n_fake:,} | {' | '.join(values)} |")


def _evaluated() -> Iterator[tuple[Run, dict[str, Any]]]:
    """Runs with an FID of the embedded extractor at default options, and by metric the rows of the same images.

    A run that has no FID under the protocol that is usual for its data set shows its latest.
    """
    runs: dict[str, Run] = {}
    weights, errors = {}, []
    for run in sorted(scan()[0], key=lambda run: (run.data_name, run.name)):
        try:
            weights[run.name] = run.weights_hash
            runs[run.name] = run
        except RunError as error:
            errors.append(str(error))
    frame, unreadable = read_evaluations({run.path: name for name, run in runs.items()})
    for sentence in errors + unreadable:
        print(f"ganlib: {sentence}", file=sys.stderr)
    scores = present(frame, weights)
    scores = by_date(scores[scores["options"] == ""])
    fids = scores[(scores["metric"] == "fid") & (scores["extractor"] == "embedded")]
    usual = usual_scores(fids, {name: run.data_name for name, run in runs.items()})
    for name, run in runs.items():
        own = pd.concat([fids[fids["run"] == name], usual[usual["run"] == name]])
        if own.empty:
            continue
        same = measured_on(scores[scores["run"] == name], own["protocol"].iloc[-1])
        same = same[(same["metric"] != "ppl") | (same["space"] == "z")]
        yield run, {str(row.metric): row for row in same.itertuples()}


def list_data_sets() -> None:
    table((d.name, d.description) for d in list_data())


def table(rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
