"""python -m ganlib list [models | runs | data | scores | metrics | RUN]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ganlib.data import list_data
from ganlib.errors import GanlibError
from ganlib.logs import METRICS
from ganlib.models import MODELS
from ganlib.records import Record, current, read_records
from ganlib.runs import Run, RunError, find_run, scan

MEASURED = ("fid", "fid_infinity", "kid", "isc", "precision", "recall", "density", "coverage", "ppl", "cas")

SAID_OF = dict.fromkeys(("fid", "fid_infinity", "kid"), " (embedded)") | {"ppl": " in z"}


def add(subparsers: Any, argv: Sequence[str]) -> None:
    parser = subparsers.add_parser("list", help="show models, runs and data sets, or one run's snapshots")
    parser.add_argument("what", nargs="?", metavar="WHAT", help="models, runs, data, scores, metrics or a run's name")
    parser.set_defaults(run=run)


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
        found = find_run(args.what)
        snapshots = found.folder.snapshot_images()
        print(f"{found.name}: {found.images_seen:,} images seen, weights {found.weights_hash}")
        print("snapshots: " + (", ".join(map(str, snapshots)) or "none kept"))


def list_models() -> None:
    table((name, (sys.modules[MODELS[name].__module__].__doc__ or "").splitlines()[0]) for name in MODELS)


def list_runs() -> None:
    runs, broken = scan()
    rows = []
    for r in runs:
        try:
            rows.append((r.name, r.model_name, r.data_name, f"{r.images_seen:,} images", str(r.path)))
        except RunError as damage:  # shows when the file's header is read
            broken.append(damage)
    table(rows)
    for error in broken:
        print(f"  ! {error}")


def list_scores() -> None:
    """The evaluated runs as a Markdown table, each number with its sample size; the README shows the gallery's."""
    print("| run | architecture | parameters | images seen | training | FID (embedded) | asked class | n | SVM on D |")
    print("|-|-|-|-|-|-|-|-|-|")
    for run, latest in _scored():
        fid, agreement, probe = (latest.get(metric) for metric in ("fid", "class_agreement", "probe_accuracy"))
        assert fid
        cells = [
            run.name,
            run.model_name,
            f"{sum(run.parameters.values()) / 1e6:.2f} M",
            f"{run.images_seen:,}",
            f"{run.training_seconds / 60:.0f} min",
            _with_interval(fid),
            f"{agreement['value']:.1%}" if agreement else "–",
            f"{fid['protocol']['n_fake']:,}",
            f"{probe['value']:.1%}" if probe else "–",
        ]
        print(f"| {' | '.join(cells)} |")


def _with_interval(fid: Record) -> str:
    if not fid["interval"]:
        return f"{fid['value']:.2f}"
    half = (fid["interval"]["high"] - fid["interval"]["low"]) / 2
    decimals = 3 if half < 0.005 else 2  # no interval reads as zero
    return f"{fid['value']:.{decimals}f} ± {half:.{decimals}f}"


def list_metrics() -> None:
    """All other metrics of the same runs and the same images, likewise."""
    labels = [METRICS[name].label + SAID_OF.get(name, "") for name in MEASURED]
    print(f"| run | n | {' | '.join(labels)} |")
    print(f"|-|-{'|-' * len(labels)}|")
    for run, latest in _scored():
        values = [f"{latest[name]['value']:#.3g}".rstrip(".") if name in latest else "–" for name in MEASURED]
        print(f"| {run.name} | {latest['fid']['protocol']['n_fake']:,} | {' | '.join(values)} |")


def _scored() -> Iterator[tuple[Run, dict[str, Record]]]:
    """Runs with an FID of the embedded extractor at default options, and the latest records of the same images."""
    for run in sorted(scan()[0], key=lambda r: (r.data_name, r.name)):
        try:
            records = current(read_records(run.folder.evaluation), run.weights_hash)
        except GanlibError as error:
            print(f"ganlib: {error}", file=sys.stderr)
            continue
        plain = [r for r in records if not r["protocol"]["options"]]
        fids = [r for r in plain if r["metric"] == "fid" and r["protocol"]["extractor"] == "embedded"]
        if fids:
            of = fids[-1]["protocol"]
            yield run, {r["metric"]: r for r in plain if _same_images(r["protocol"], of)}


def _same_images(protocol: dict[str, Any], of: dict[str, Any]) -> bool:
    """And the same extractor, where there is one; 0 images are those of a metric that makes none."""
    extractor = protocol["extractor"] is None or protocol.get("extractor_hash") == of.get("extractor_hash")
    return extractor and protocol["n_fake"] in (of["n_fake"], 0) and protocol.get("space", "z") == "z"


def list_data_sets() -> None:
    table((d.name, d.description) for d in list_data())


def table(rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
