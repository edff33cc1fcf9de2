"""python -m docs.directions [RUN…] [--invert N]: measures runs of the gallery, writes docs/directions.md.

What is measured goes into docs/directions.csv and docs/inversion.csv, where a row replaces an older one of its run; the
page is written from these.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ganlib.applications.catalogue import MEASURED_ON, measure_for, measured_directions, methods_of
from ganlib.applications.classifier import load_classifier
from ganlib.applications.effects import MONOTONE
from ganlib.applications.inversion import Inversion, InversionConfig
from ganlib.images import from_uint8
from ganlib.metrics.references import load_split
from ganlib.models import GenerativeModel
from ganlib.runs import Run, find_run

FOLDER = Path(__file__).parent
GALLERY = FOLDER.parent / "checkpoints"
PAGE = FOLDER / "directions.md"
TABLES = {"directions": FOLDER / "directions.csv", "inversion": FOLDER / "inversion.csv"}
KEYS = {"directions": ["run", "method"], "inversion": ["run"]}
METHODS = ("sefa", "statistics")
TEMPLATE = """\
# Directions and inversion of the gallery's runs

Made by `python -m docs.directions RUN… --invert N`; do not edit by hand.

## Directions

How many directions of a method change something monotonically: a mean rank correlation with the strength of at least
{monotone:g} over {seeds} seeds that they were not found on. Each is named by the largest such change, with its
correlation.

{directions}
## Inversion

Test pictures, chosen by a fixed random order, inverted in the class that the classifier sees. Distance: mean squared
error of pixels plus distance of EfficientNet features, as `ganlib invert` prints it. Class kept: the classifier sees
the same class in the inversion; in brackets of the pictures where it was right. Seconds: of one core, for each picture.

{inversion}"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m docs.directions")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="of the gallery (default: only write the page)")
    parser.add_argument("--invert", type=int, default=0, metavar="N", help="test pictures to invert (default: none)")
    args = parser.parse_args(argv)
    os.environ.setdefault("GANLIB_GALLERY", str(GALLERY))
    for name in args.runs:
        run = find_run(name)
        _store("directions", measure_run(run))
        if args.invert:
            _store("inversion", [invert_pictures(run, args.invert)])
    PAGE.write_text(render(), encoding="utf-8")


def measure_run(run: Run) -> list[dict[str, object]]:
    """A row for each method."""
    model = run.load()
    assert isinstance(model, GenerativeModel)
    measure = measure_for(run, torch.device("cpu"))
    rows: list[dict[str, object]] = []
    for method in METHODS:
        if method not in methods_of(run, model):
            continue
        found = measured_directions(run, model, method, measure)
        named = [m for m in found.values() if m.named is not None]
        names = [f"{m.name(run.classes)} {abs(m.named.monotone):.2f}" for m in named if m.named is not None]
        rows.append(
            {"run": run.name, "method": method, "found": len(found), "monotone": len(named), "names": "; ".join(names)}
        )
    return rows


def invert_pictures(run: Run, n: int) -> dict[str, object]:
    model, classifier, split = run.load(), load_classifier(run, torch.device("cpu")), load_split(run, "test", None)
    assert isinstance(model, GenerativeModel)
    distances: list[float] = []
    kept: list[bool] = []
    right: list[bool] = []
    start = time.process_time()
    for i in np.random.default_rng(0).permutation(len(split.images))[:n]:
        target = from_uint8(np.array(split.images[i])[None])
        seen = None if classifier is None else int(classifier.classify(target).argmax())
        inversion = Inversion(model, target, seen if model.conditional else None, InversionConfig())
        while not inversion.done:
            inversion.step()
        assert inversion.image is not None
        distances.append(inversion.distance)
        if classifier is not None:
            kept.append(int(classifier.classify(inversion.image).argmax()) == seen)
            right.append(seen == int(split.labels[i]))
    seconds = (time.process_time() - start) / n
    return {
        "run": run.name,
        "pictures": n,
        "distance": float(np.mean(distances)),
        "kept": int(sum(kept)),
        "right": int(sum(right)),
        "kept_right": sum(k and r for k, r in zip(kept, right, strict=True)),
        "seconds": seconds,
    }


def _store(table: str, rows: list[dict[str, object]]) -> None:
    """Adds rows to a table, in place of those of the same run and method."""
    file, keys = TABLES[table], KEYS[table]
    frame = pd.DataFrame(rows)
    if file.exists():
        frame = pd.concat([pd.read_csv(file), frame]).drop_duplicates(keys, keep="last")
    frame.sort_values(keys).to_csv(file, index=False, float_format="%.4g")


def render() -> str:
    """The page, from the tables."""
    directions, inversion = (
        pd.read_csv(file, keep_default_na=False).to_dict("records") if file.exists() else [] for file in TABLES.values()
    )
    lines = ["| run | method | monotone | names |", "|-|-|-|-|"]
    for r in directions:
        lines.append(f"| {r['run']} | {r['method']} | {r['monotone']} of {r['found']} | {r['names'] or '–'} |")
    pictures = ["| run | pictures | distance | class kept | seconds |", "|-|-|-|-|-|"]
    for r in inversion:
        kept = f"{r['kept'] / r['pictures']:.0%} ({r['kept_right']} of {r['right']})"
        pictures.append(f"| {r['run']} | {r['pictures']} | {r['distance']:.3f} | {kept} | {r['seconds']:.1f} |")
    return TEMPLATE.format(
        monotone=MONOTONE,
        seeds=len(MEASURED_ON),
        directions="\n".join([*lines, ""]),
        inversion="\n".join([*pictures, ""]),
    )


if __name__ == "__main__":
    main()
