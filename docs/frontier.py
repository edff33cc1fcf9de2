"""python -m docs.frontier: writes docs/frontier.md, quality against compute, and its figures, from the records."""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from docs.two_sample import draw
from ganlib.commands.listing import with_interval
from ganlib.config import flags
from ganlib.data import display_name
from ganlib.errors import GanlibError
from ganlib.figures import PALETTE, pareto, score_cost
from ganlib.records import by_date, present, rank_protocols, read_evaluations
from ganlib.records.features import describe_features
from ganlib.runs import Run, find_run, scan
from ganlib.training import TrainingConfig
from ganlib.ui.training_cost import one_thread_minutes, one_thread_rates

GALLERY = Path(__file__).parents[1] / "checkpoints"
PAGE = Path(__file__).with_name("frontier.md")
SETS = ("cifar10-jpeg", "mnist")
EXTRACTORS = ("embedded", "efficientnet_lite0")
COST = "training, minutes"
PREAMBLE = """\
# Quality against compute

Made by `python -m docs.frontier` from the records in `checkpoints/`; do not edit by hand. The tab *Cost* of the
dashboard's page *FID comparison* shows the same with any extractor, metric and cost.

A row for each evaluated run and each of its evaluated snapshots. **Minutes** are of training on one thread of a shared
two-core CPU, by the training's own clock and its log without pauses; those of a run that a GPU trained are marked *:
what its images take one such thread, at the rate at which some seconds of the same training ran there
(`python -m ganlib speed RUN --training 8`). That processor has no AMX and trained in single precision: SNGAN is less
than half as fast on it as on the processors that trained the other runs. Images and minutes of a run that started from
the weights of another count those, too. FID on the features of the data set's classifier (embedded) and of
EfficientNet-Lite0, half the width of the 95 % interval behind ±; n images; class agreement: how often that classifier
sees the requested class. ◆: no other point has a lower FID (embedded) after as little time.

A command repeats the training of one point, with as many images; rates and stages keep the schedule of the whole run.
What it ends with is measured by

    python -m ganlib evaluate RUN --metrics fid class_agreement
    python -m ganlib evaluate RUN --extractor efficientnet_lite0 --metrics fid
"""
HEAD = "| run | images | minutes | FID (embedded) | FID (efficientnet_lite0) | class agreement | n | |"


class Point(NamedTuple):
    """A run's weights, or a snapshot, with the records of each extractor's FID and of the class agreement."""

    run: Run
    images: int  # by the run's own count
    minutes: float  # in all
    fids: Mapping[str, Any]
    agreement: float | None

    @property
    def total_images(self) -> int:
        return self.run.total_images - self.run.images_seen + self.images


def read_points(data: str) -> tuple[list[Point], pd.DataFrame]:
    """The points of a data set's runs, by run and images; and as a frame those whose FIDs (embedded) compare."""
    runs = {run.name: run for run in scan()[0] if run.generates and run.data_name == data}
    frame, _ = read_evaluations({run.path: name for name, run in runs.items()})
    weights = {name: run.weights_hash for name, run in runs.items()}
    frame = by_date(frame[frame["snapshot"].notna() | (frame["weights_hash"] == frame["run"].map(weights))])
    frame = frame[frame["options"] == ""]
    rates = one_thread_rates(frame)
    ends = {name: run.images_seen for name, run in runs.items()}
    frame = frame.assign(images=frame["snapshot"].fillna(frame["run"].map(ends)).astype("int64"))
    frame = frame.sort_values("snapshot", na_position="last", kind="stable")  # of one number of images the weights
    points = []
    for _, rows in frame.groupby(["run", "images"]):
        fids = {extractor: _fid(rows, extractor) for extractor in EXTRACTORS}
        fids = {extractor: fid for extractor, fid in fids.items() if fid is not None}
        if fids:
            run, images = runs[str(rows["run"].iloc[0])], int(rows["images"].iloc[0])
            points.append(_point(run, images, one_thread_minutes(run, images, rates, runs), rows, fids))
    embedded = frame[(frame["metric"] == "fid") & (frame["extractor"] == "embedded")]
    if embedded.empty:
        return points, pd.DataFrame()
    shared = rank_protocols(present(embedded, weights))[0]
    own = [(point, point.fids["embedded"]) for point in points if "embedded" in point.fids]
    compared = [fid._asdict() | {COST: point.minutes} for point, fid in own if fid.protocol == shared]
    return points, pd.DataFrame(compared)


def _fid(rows: pd.DataFrame, extractor: str) -> Any:
    """The last record, that of the most images first."""
    own = rows[(rows["metric"] == "fid") & (rows["extractor"] == extractor)].sort_values("n_fake", kind="stable")
    return next(own[-1:].itertuples(index=False), None)


def _point(run: Run, images: int, minutes: float, rows: pd.DataFrame, fids: Mapping[str, Any]) -> Point:
    same_images = rows["n_fake"] == next(iter(fids.values())).n_fake
    agreement = rows.loc[(rows["metric"] == "class_agreement") & same_images, "value"]
    return Point(run, images, minutes, fids, float(agreement.iloc[-1]) if len(agreement) else None)


def table(points: list[Point], compared: pd.DataFrame) -> list[str]:
    lines = [HEAD, "|-|-|-|-|-|-|-|-|"]
    best = (
        compared[pareto(compared[COST].to_numpy(), compared["value"].to_numpy(), "lower")]
        if len(compared)
        else compared
    )
    front = set(zip(best["run"], best["images"], strict=True)) if len(best) else set()
    for point in points:
        n = next(iter(point.fids.values())).n_fake
        fids = [with_interval(point.fids[name], n) if name in point.fids else "–" for name in EXTRACTORS]
        agreement = "–" if point.agreement is None else f"{point.agreement:.1%}"
        minutes = "–" if isnan(point.minutes) else f"{point.minutes:.0f}{' *' if point.run.trained_by_gpu else ''}"
        cells = [point.run.name, f"{point.total_images:,}", minutes, *fids, agreement, f"{n:,}"]
        lines.append(f"| {' | '.join(cells)} | {'◆' if (point.run.name, point.images) in front else ''} |")
    return lines


def command(run: Run, images: int) -> str:
    """The training that ends at this point: the run's recipe, or what its start's recipe lacks of it."""
    words = ["python", "-m", "ganlib", "train"]
    start, repeated = run.recipe.start, run
    if start is None:
        words += ["--like", run.name]
    else:
        repeated = find_run(start.run)
        words += [run.model_name, "--start", start.run, "--data", run.data_name, *_changes(run, repeated)]
    limited = TrainingConfig.from_dict(repeated.training).max_minutes  # a slower machine would end earlier
    return " ".join([*words, "--images", str(images), *(["--max-minutes", "0"] if limited else [])])


def _changes(run: Run, before: Run) -> list[str]:
    """Flags of the fields that differ from those of the run that it started from."""
    if before.model_name != run.model_name:
        raise GanlibError(f"{run.name} started from {before.name}, which is of another architecture.")
    budget = {"images": 0, "max_minutes": 0.0}
    earlier, later = (TrainingConfig.from_dict(r.training | budget) for r in (before, run))
    return flags(run.config, before.config) + flags(later, earlier)


def render() -> str:
    """The page for the runs that ``GANLIB_GALLERY`` and ``GANLIB_RUNS`` name."""
    lines = [PREAMBLE]
    for data in SETS:
        points, compared = read_points(data)
        if not points:
            continue
        lines += [f"## {display_name(data)}", "", f"![FID against minutes of training]({figure_name(data)}.png)", ""]
        lines += [*table(points, compared), "", "```"]
        lines += [command(point.run, point.images) for point in points]
        lines += ["```", ""]
    return "\n".join(lines)


def figure_name(data: str) -> str:
    return f"frontier_{data.partition('-')[0]}"


def draw_figures() -> None:
    features = describe_features("embedded")
    assert features is not None
    title = f"FID on {features.name} features (lower is better)"
    colours = {run.name: PALETTE[run.model_class.colour] for run in scan()[0]}
    frames = {figure_name(data): read_points(data)[1] for data in SETS}
    draw(
        {
            name: score_cost(
                frame, title=title, cost=COST, colours={run: colours[run] for run in frame["run"].unique()}
            )
            for name, frame in frames.items()
            if len(frame)
        }
    )


def main() -> None:
    os.environ["GANLIB_GALLERY"] = str(GALLERY)
    os.environ.pop("GANLIB_RUNS", None)
    PAGE.write_text(render(), encoding="utf-8")
    draw_figures()


if __name__ == "__main__":
    main()
