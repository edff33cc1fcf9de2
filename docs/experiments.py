"""python -m docs.experiments: writes docs/experiments.md, the verdicts, from the shipped runs' records and curves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ganlib.experiments import WORDS, Experiment, Judgement, collect, decisive, deviating, judge, read_experiments
from ganlib.runs import Run, scan
from ganlib.settings import EXPERIMENTS, GALLERY

PAGE = Path(__file__).with_name("experiments.md")
HEAD = """\
# Experiments of the sources, run again

Made by `python -m docs.experiments` from the records and curves in `checkpoints/` and `experiments/runs/`; do not
edit by hand. The dashboard's page *Experiments* shows the same with curves and pictures.

Each experiment is a file in `experiments/`: question, what was reported, recipes, claims. A claim compares one number
of two variants, or of one with a value; what decides is the 95 % interval of the difference, over trainings with
other seeds where there are several, and a margin from which on a difference matters. **reproduced**: it is as
reported; **refuted**: it is the other way; **not reproduced**: the interval lies within the margin, no difference
that matters; **open**: anything else, more trainings are needed or some are missing. Where the source reports nothing
to compare with, the claim is ganlib's own and **holds** or **does not hold**. A run counts where it was trained by the
file's recipe to its end, and gives no verdict where its discriminator learned nothing. The first claim, or all claims
that the file marks, answer the question: their verdict, the weakest of several, is the experiment's.

`python -m ganlib experiments --run` trains, halves and evaluates what is missing; `--archive` then keeps recipes,
curves, records and pictures in `experiments/runs/`, without weights, and such runs are not trained again.
"""


def render() -> str:
    experiments, errors = read_experiments(EXPERIMENTS)
    assert not errors
    shipped = {run.name: run for run in scan([GALLERY, EXPERIMENTS / "runs"])[0]}
    judged = [(e, [judge(data) for data in collect(e, shipped).claims]) for e in experiments]
    counts = Counter(decisive(judgements).word for _, judgements in judged)
    summary = ", ".join(f"{counts[word]} {word}" for word in WORDS)
    rows = [f"| [{e.title}](#{e.name}) | {e.source} | {decisive(judgements).word} |" for e, judgements in judged]
    table = "\n".join(["| experiment | source | verdict |", "|-|-|-|", *rows])
    sections = [_section(*pair) for pair in judged] + [_trainings(experiments, shipped)]
    return "\n".join([HEAD, f"Of {len(judged)}: {summary}.\n", table, "", *sections])


def _section(experiment: Experiment, judgements: list[Judgement]) -> str:
    lines = [
        f'<a id="{experiment.name}"></a>\n',
        f"## {experiment.title}\n",
        f"{experiment.question} Reported ({experiment.source_title}): {experiment.reported}\n",
        "| claim | measured | verdict |",
        "|-|-|-|",
        *(f"| {j.claim.statement} | {_cell(j.sentence)} | {j.word} |" for j in judgements),
        "",
    ]
    if experiment.limits:
        lines.append(f"Limits: {experiment.limits}\n")
    if experiment.reason and deviating(judgements):
        lines.append(f"Most likely reason of the difference: {experiment.reason}\n")
    return "\n".join(lines)


def _trainings(experiments: list[Experiment], runs: dict[str, Run]) -> str:
    """What the recipes have cost: a run that several experiments share is its first one's."""
    rows, totals, seen = [], [0.0, 0.0], set[str]()
    for experiment in experiments:
        names = {run for variant in experiment.variants if variant.recipe for run in variant.runs} - seen
        seen |= names
        trained = [runs[name] for name in names if name in runs]
        for gpu in (False, True):
            totals[gpu] += sum(run.training_seconds / 3600 for run in trained if run.trained_by_gpu is gpu)
        if names:
            each = (_minutes([run for run in trained if run.trained_by_gpu is gpu]) for gpu in (False, True))
            rows.append(f"| {experiment.title} | {len(trained)} of {len(names)} | {' | '.join(each)} |")
    return "\n".join(
        [
            "## What the trainings took\n",
            "Minutes each: of one thread, on a machine that did other work as well, and of what a GPU trained, in "
            "whole or in part.\n",
            "| experiment | trained | one thread | GPU |",
            "|-|-|-|-|",
            *rows,
            f"\nTogether {totals[False]:.1f} hours of one thread and {totals[True]:.1f} hours with a GPU so far.\n",
        ]
    )


def _minutes(runs: list[Run]) -> str:
    """ "3 of 4 to 38": how many of them, and the least and the most."""
    minutes = [run.training_seconds / 60 for run in runs]
    return f"{len(runs)} of {min(minutes):.0f} to {max(minutes):.0f}" if minutes else "–"


def _cell(sentence: str) -> str:
    return "trainings are missing" if sentence.startswith("Runs are missing") else sentence.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
