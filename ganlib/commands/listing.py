"""python -m ganlib list [models | runs | data | scores | metrics | RUN]"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from typing import Any

import pandas as pd

from ganlib.data import list_data
from ganlib.models import MODELS, Trainable
from ganlib.records import EMBEDDED, METRICS, RANKED, by_date, measured_on, present, read_evaluations, usual_scores
from ganlib.run_folder import RunError
from ganlib.runs import Run, find_run, no_runs, scan
from ganlib.settings import run_roots

LISTED = (EMBEDDED, "efficientnet_lite0")  # extractors; others are on the FID page


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
        start = named.recipe.start
        before = f" ({start.images:,} of them by {start.run}, whose weights it started from)" if start else ""
        print(f"{named.name}: {named.total_images:,} images seen{before}, weights {named.weights_hash}")
        print("snapshots: " + (", ".join(map(str, snapshots)) or "none"))


def list_models() -> None:
    in_file = Counter(MODELS[name].__module__ for name in MODELS)
    table((name, _summary(MODELS[name], alone=in_file[MODELS[name].__module__] == 1)) for name in MODELS)


def _summary(model: type[Trainable], alone: bool) -> str:
    """The first line of the file's docstring; of the class's own where a file holds several architectures."""
    text = (sys.modules[model.__module__].__doc__ if alone else model.__doc__) or ""
    return text.partition("\n")[0]


def list_runs() -> None:
    runs, broken = scan()
    rows = []
    for r in runs:
        try:
            seen = f"{r.total_images:,} images{', archived' if r.archived else ''}"
            rows.append((r.name, r.model_name, r.data_name, seen, str(r.path)))
        except RunError as damage:  # shows when the file's header is read
            broken.append(damage)
    table(rows)
    if not rows and not broken:
        print(f"  {no_runs(run_roots())}")
    for error in broken:
        print(f"  ! {error}")


def list_scores() -> None:
    """The evaluated runs as a Markdown table, each number with its sample size, as docs/gallery.md has it."""
    fids = [f"FID ({name})" for name in LISTED]
    titles = "architecture", "parameters", "images seen", "training", *fids, "class agreement", "n"
    print(f"| run | {' | '.join(titles)} | linear probe of D |")
    print(f"|-|{'-|' * len(titles)}-|")
    for run, by_extractor in _evaluated():
        scores = next(iter(by_extractor.values()))
        measured = [by_extractor.get(name, {}).get("fid") for name in LISTED]
        n = scores["fid"].n_fake
        cells = [
            run.name,
            run.model_name,
            f"{sum(run.parameters.values()) / 1e6:.2f} M",
            f"{run.total_images:,}",
            _training_time(run),
            *(with_interval(fid, n) if fid else "–" for fid in measured),
            _percent(scores.get("class_agreement")),
            f"{n:,}",
            _percent(scores.get("probe_accuracy")),
        ]
        print(f"| {' | '.join(cells)} |")


def _training_time(run: Run) -> str:
    """With that behind the weights it started from: "12 min", "124 + 7 min on NVIDIA H200"."""
    if not run.trained_by_gpu:
        return f"{run.total_seconds / 60:.0f} min"
    before = f"{run.recipe.start.seconds / 60:.0f} + " if run.recipe.start else ""
    return f"{before}{run.training_seconds / 60:.0f} min on {run.recipe.hardware}"


def _percent(score: Any) -> str:
    return f"{score.value:.1%}" if score else "–"


def with_interval(score: Any, n: int) -> str:
    """ "2.77 ± 0.05", with its own number of images where that is not the row's ``n``."""
    half = (score.high - score.low) / 2
    other = "" if score.n_fake == n else f" (n {score.n_fake:,})"
    if isnan(half):
        return (f"{score.value:.2f}" if score.value < 100 else f"{score.value:.0f}") + other
    decimals = 3 if half < 0.005 else 2 if half < 2 else 0  # no interval reads as zero
    return f"{score.value:.{decimals}f} ± {half:.{decimals}f}{other}"


def list_metrics() -> None:
    """All other metrics that any of these runs has, of the same images, likewise, a row an extractor."""
    evaluated = list(_evaluated())
    measured = {name for _, by_extractor in evaluated for scores in by_extractor.values() for name in scores}
    # ``list scores`` has the agreement; what cannot be requested by name only some models have.
    names = [name for name in RANKED if name != "class_agreement" and (METRICS[name].group or name in measured)]
    labels = [METRICS[name].label + (" in z" if name == "ppl" else "") for name in names]
    print(f"| run | extractor | n | {' | '.join(labels)} |")
    print(f"|-|-|-{'|-' * len(labels)}|")
    for run, by_extractor in evaluated:
        for extractor, scores in by_extractor.items():
            values = [f"{scores[name].value:#.3g}".rstrip(".") if name in scores else "–" for name in names]
            print(f"| {run.name} | {extractor} | {scores['fid'].n_fake:,} | {' | '.join(values)} |")


def _evaluated() -> Iterator[tuple[Run, dict[str, dict[str, Any]]]]:
    """Runs with an FID at default options by one of ``LISTED`` or more: extractor -> metric -> row of the same images.

    A run that has no FID under the protocol that is usual for its data set and the extractor shows its latest. What
    takes no extractor stands with the first.
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
    data = {name: run.data_name for name, run in runs.items()}
    fids = {name: scores[(scores["metric"] == "fid") & (scores["extractor"] == name)] for name in LISTED}
    usual = {name: usual_scores(rows, data) for name, rows in fids.items()}
    for name, run in runs.items():
        by_extractor: dict[str, dict[str, Any]] = {}
        for extractor in LISTED:
            own = pd.concat([rows[rows["run"] == name] for rows in (fids[extractor], usual[extractor])])
            if own.empty:
                continue
            same = measured_on(scores[scores["run"] == name], own["protocol"].iloc[-1])
            same = same[(same["metric"] != "ppl") | (same["space"] == "z")]
            if by_extractor:
                same = same[same["extractor"] != ""]
            by_extractor[extractor] = {str(row.metric): row for row in same.itertuples()}
        if by_extractor:
            yield run, by_extractor


def list_data_sets() -> None:
    table((d.name, d.description) for d in list_data())


def table(rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
