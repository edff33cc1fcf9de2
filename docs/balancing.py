"""python -m docs.balancing: writes docs/balancing.md, what balancing with the gallery's generators brought, and how it
is measured."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pandas as pd

from ganlib.applications.balancing.conditions import conditions
from ganlib.applications.balancing.config import BalanceConfig
from ganlib.applications.balancing.costs import costs
from ganlib.applications.balancing.verdict import verdicts
from ganlib.balances import Balance, balances, read_balance
from ganlib.data import display_name
from ganlib.figures.balancing import readable_summary
from ganlib.runs import Run, scan
from ganlib.settings import GALLERY

PAGE = Path(__file__).with_name("balancing.md")
SETS = (("mnist", "mnist-cdcgan"), ("cifar10-jpeg", "cifar10-sngan"))  # data set, its generators
IMBALANCES, SIZES = ("10:1", "50:1", "100:1"), ("10", "50", "200")  # and images a class
RATIOS = {IMBALANCES: ("1", "2"), SIZES: ("2",)}  # nothing is missing at 1 where classes are equal
FEWER = {("cifar10-jpeg", IMBALANCES): ("0.5", "1")}  # of rare classes few generated images pass the filter
SEEDS = {("cifar10-jpeg", IMBALANCES): "3"}  # else 5
TEMPLATE = """\
# Balancing classes, and small data sets

Made by `python -m docs.balancing` from the results in `checkpoints/`; do not edit by hand. The dashboard's page
*Balance* shows the same with curves, recall of each class and confusions.

One classifier is trained on real images alone, re-weighted, with copies, augmented copies or generated images up to
half of, once or twice the largest class, and tested on all real test images. Generators are trained on the same
few images as the classifiers. A classifier sees {images:,} images, which takes two minutes of one thread at the rate
measured on two shared cores: 330 images of 32 pixels in a second of CPU time, 400 with colours. What is compared is
fixed beforehand: generated images against re-weighting (where classes are equal: the images as they are), oversampling
and augmentation to the same ratio, seed by seed, with Holm's correction for the number of pairs.

## Commands

Each writes its result into the folder of its generator, which `python -m ganlib queue checkpoints/queue.toml` trains
where it is missing. By the rate above all take eight hours of two cores, two commands at a time with one thread each;
the generators' training comes on top. A command that was interrupted goes on with the next classifier. Beside fifteen
other trainings an H100 took 7 minutes for a table of small data.

```
{commands}
```

## Results

{results}
"""


def settings() -> list[tuple[str, str, str]]:
    """Data set, generator and command of each."""
    rows = []
    for (data, generator), (parts, usual) in product(SETS, RATIOS.items()):
        ratios = FEWER.get((data, parts), usual)
        for part in parts:
            name = f"{generator}-{part.replace(':', 'to')}" + ("" if ":" in part else "each")
            subset = f"subset:{data}@{part}"
            words = ["python", "-m", "ganlib", "balance", subset, "--generator", name, "--ratios", *ratios]
            rows.append((subset, name, shlex.join([*words, "--seeds", SEEDS.get((data, parts), "5")])))
    return rows


def render() -> str:
    commands = "\n".join(command for *_, command in settings())
    folders = [folder for run in sorted(GALLERY.iterdir()) for folder in balances(run)]
    runs = scan([GALLERY])[0]
    results = "\n".join(_section(read_balance(folder), runs) for folder in folders).rstrip() or "None is stored."
    return TEMPLATE.format(images=BalanceConfig.train_images, commands=commands, results=results)


def _section(balance: Balance, runs: Sequence[Run]) -> str:
    generator = f" with {balance.generator}" if balance.generator else ""
    counts = ", ".join(f"{count:,}" for count in balance.class_counts)
    lines = [f"### {display_name(balance.data)}{generator}\n", *(f"{sentence}\n" for sentence in verdicts(balance))]
    lines.append(f"Training images of the classes: {counts}. {conditions(balance)}\n")
    return "\n".join([*lines, _table(readable_summary(balance.summary(), costs(balance, runs))), ""])


def _table(frame: pd.DataFrame) -> str:
    rows = [list(frame.columns), ["-"] * frame.shape[1], *frame.astype(str).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
