"""What an experiment's view and its report consist of: tables, figures, pictures, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from ganlib import figures
from ganlib.errors import GanlibError
from ganlib.experiments import MOMENTS, Judgement, Variant, Verdict, decisive, deviating
from ganlib.figures.report import Report
from ganlib.logs import RECIPE, assign_x, differing
from ganlib.naming import readable
from ganlib.runs import Run
from ganlib.ui import sources, thumbnails
from ganlib.ui.catalog import all_recipes
from ganlib.ui.experiment_matrix import draw_matrix
from ganlib.ui.experiments import Result

TILES = (3, 2)  # of a moment's picture
GAP = 12  # pixels between the moments of a report's picture
SMOOTHING = 0.6


class Moment(NamedTuple):
    images: int
    share: float  # of the training
    picture: Image.Image


def claims_table(result: Result) -> pd.DataFrame:
    """A row a claim: reported beside measured."""
    rows = [
        {
            "Claim": judgement.claim.statement,
            "Reported": judgement.claim.reported or "–",
            "Measured": judgement.sentence,
            "Verdict": judgement.word,
        }
        for judgement in result.judgements
    ]
    return pd.DataFrame(rows)


def values_frame(result: Result) -> pd.DataFrame:
    """Every measured value once, as ``figures.measured_values`` takes it."""
    titles = {variant.name: variant.title for variant in result.experiment.variants}
    rows = [
        (data.claim.measure.label, titles[m.variant], m.run, m.value, m.low, m.high)
        for data in result.claims
        for m in data.measurements
        if not (data.problem or data.claim.measure.finding)
    ]
    frame = pd.DataFrame(rows, columns=["measure", "variant", "run", "value", "low", "high"])
    order = {variant.title: i for i, variant in enumerate(result.experiment.variants)}
    return frame.drop_duplicates(["measure", "variant", "run"]).sort_values(
        "variant", key=lambda column: column.map(order), kind="stable"
    )


def values_figure(result: Result) -> tuple[go.Figure, str]:
    """And its text alternative."""
    frame = values_frame(result)
    colours = {variant.title: result.colour(variant.name) for variant in result.experiment.variants}
    references: dict[str, list[float]] = {}
    for claim in (data.claim for data in result.claims):
        if isinstance(claim.second, float):
            references.setdefault(claim.measure.label, []).append(claim.second)
    return (
        figures.measured_values(frame, colours=colours, references=references),
        figures.describe_values(frame),
    )


def curves_figure(result: Result, *, seeds: bool) -> tuple[go.Figure, str] | None:
    """The experiment's scalars over images seen, several seeds as mean and band; None where nothing is logged."""
    shown = result.shown_runs(seeds=seeds)
    frame = sources.read_server_logs(list(shown))
    frame = assign_x(frame[frame["run"].isin(shown)], "images")
    frame = frame[frame["tag"].isin(result.experiment.scalars)]
    if frame.empty:
        return None
    names = {run: _line_name(variant, run) for run, variant in shown.items()}
    frame = sources.rename_runs(frame, lambda run: names.get(run, run))
    colours = {names[run]: result.colour(variant.name) for run, variant in shown.items()}
    groups = {names[run]: variant.title for run, variant in shown.items()} if seeds else {}
    figure = figures.curves(frame, x="training images", colours=colours, smoothing=SMOOTHING, groups=groups)
    return figure, figures.describe_curves(frame)


def _line_name(variant: Variant, run: str) -> str:
    if len(variant.runs) == 1:
        return variant.title
    return f"{variant.title}, seed {variant.seeds[variant.runs.index(run)]}" if variant.seeds else run


def moments(run: Run, total: int) -> list[Moment]:
    """The run's pictures nearest to each of ``MOMENTS``, each once; ``total``: images of the whole training."""
    blocks = {images: thumbnails.block_at(run, images, *TILES) for images in run.folder.samples_near(MOMENTS, total)}
    return [Moment(images, images / total, block) for images, block in blocks.items() if block is not None]


def pictures(result: Result) -> dict[str, list[Moment]]:
    """Title of each variant -> the moments of its first run that has pictures."""
    found = {}
    for name, variant in result.shown_runs(seeds=False).items():
        run = result.runs[name]
        total = int((variant.recipe or {}).get("images", 0)) or max(run.images_seen, 1)
        if shown := moments(run, total):
            found[variant.title] = shown
    return found


def matrix(result: Result) -> tuple[str, Image.Image] | None:
    """Title and picture of the experiment's matrix of images; None where it has none or its run is not there."""
    wanted = result.experiment.matrix
    if wanted is None or wanted.run not in result.runs:
        return None
    return wanted.title, draw_matrix(wanted, result.runs[wanted.run])


def configurations(result: Result) -> pd.DataFrame:
    """Settings in which the variants differ, a column each; empty where fewer than two are there."""
    table = all_recipes()
    shown = {run: v.title for run, v in result.shown_runs(seeds=False).items() if run in table.index}
    if len(shown) < 2:
        return pd.DataFrame()
    relevant = [key for key in table.columns if key.split(".")[0] in RECIPE]
    differences = differing(table.loc[list(shown), relevant]).T.rename(columns=shown)
    cells = differences.map(lambda value: "" if pd.isna(value) else str(value)).rename_axis(columns=None)
    cells.insert(0, "Setting", cells.index)
    return cells


def conclusions(result: Result) -> tuple[list[str], list[str]]:
    """What one may conclude, and what not."""
    allowed = [_finding(judgement) for judgement in result.judgements if judgement.verdict is not Verdict.OPEN]
    open_claims = [j.claim.statement for j in result.judgements if j.verdict is Verdict.OPEN]
    limited = [f"Not decided: {statement}" for statement in open_claims]
    if any(judgement.trainings == 1 for judgement in result.judgements):
        limited.append("One training on a side: other seeds may differ by more than the interval says.")
    if result.experiment.limits:
        limited.append(f"Scale: {result.experiment.limits}")
    if deviating(result.judgements) and result.experiment.reason:
        limited.append(f"Most likely reason for the difference: {result.experiment.reason}")
    return allowed or ["Nothing yet."], limited


def _finding(judgement: Judgement) -> str:
    measure = judgement.claim.measure
    size = "" if measure.finding else f" ({measure.label}, difference {readable(abs(judgement.difference))})"
    if judgement.verdict is Verdict.REPRODUCED:
        return f"{judgement.claim.statement}{size}"
    if judgement.verdict is Verdict.REFUTED:
        return f"The opposite of: {judgement.claim.statement}{size}"
    return f"No difference that matters, in contrast to: {judgement.claim.statement}"


def build_report(results: Sequence[Result]) -> Report:
    """One experiment or all as a page of their own."""
    report = Report(results[0].experiment.title if len(results) == 1 else "Experiments")
    if len(results) > 1:
        rows = [(r.experiment.title, r.experiment.source, r.word, decisive(r.judgements).sentence) for r in results]
        report.add(pd.DataFrame(rows, columns=["Experiment", "Source", "Verdict", "Answer"]), "Verdicts")
    for result in results:
        _add_to_report(report, result)
    return report


def _add_to_report(report: Report, result: Result) -> None:
    experiment = result.experiment
    report.add(f"{experiment.question} ({experiment.source_title})", f"{experiment.title}: {result.word}")
    report.add(f"Reported: {experiment.reported}")
    report.add(claims_table(result))
    if not values_frame(result).empty:
        figure, alt = values_figure(result)
        report.add(figure, "Measured values", alt)
    if curves := curves_figure(result, seeds=True):
        report.add(curves[0], "Curves", curves[1])
    for title, shown in pictures(result).items():
        shares = ", ".join(f"{moment.share:.0%}" for moment in shown)
        report.add(_side_by_side([m.picture for m in shown]), f"{title}: after {shares} of the training", alt=title)
    with suppress(GanlibError):  # of a matrix that the run cannot draw
        if drawn := matrix(result):
            report.add(drawn[1], drawn[0], alt=drawn[0])
    configuration = configurations(result)
    if not configuration.empty:
        report.add(configuration, "Configuration")
    allowed, limited = conclusions(result)
    for heading, sentences in (("What one may conclude", allowed), ("What one may not", limited)):
        for number, sentence in enumerate(sentences):
            report.add(sentence, "" if number else heading)


def _side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    block = Image.new("RGB", (width, max(image.height for image in images)), "white")
    left = 0
    for image in images:
        block.paste(image, (left, 0))
        left += image.width + GAP
    return block
