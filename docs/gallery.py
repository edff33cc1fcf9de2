"""python -m docs.gallery: writes docs/gallery.md, the scores of the shipped gallery, from its records."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Hashable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pandas as pd

from ganlib.commands.listing import LISTED, list_metrics, list_scores
from ganlib.data import display_name
from ganlib.metrics.published import ORDER, published_order
from ganlib.records import METRICS, agreement_with, by_date, present, rank_agreement, rank_protocols, read_evaluations
from ganlib.records.agreement import FEWEST
from ganlib.runs import scan

GALLERY = Path(__file__).parents[1] / "checkpoints"
PAGE = Path(__file__).with_name("gallery.md")
SIMILAR = ("psnr", "ssim", "feature_distance", "target_fid", "source_fid")
TEMPLATE = """\
# The gallery

Made by `python -m docs.gallery` from the records in `checkpoints/`; do not edit by hand.

## Scores

`python -m ganlib list scores` prints this table:

{scores}
- **class agreement**: the fraction of the n generated images that a classifier of the data set assigns to the
  requested class.
- **linear probe of D**: the test accuracy of a linear SVM on D's features (`python -m ganlib probe`); on raw pixels it
  is 39.3 % on CIFAR-10, 96.1 % on digits and 48.4 % on flowers.
- **training**: time on one core of a shared two-core CPU, or on the GPU that is named, beside fifteen other trainings.
  Of a run that started from another's weights the time of that run stands before the plus sign.
- The code of `digits-infogan`, trained without labels, separates the test images with an accuracy of 69.1 %, that of
  `mnist-infogan` with 51.3 %. SGAN's classifier, trained with 4,000 labels, has 55.6 % on CIFAR-10, and 51.3 % when
  trained on these labels alone.

FID (embedded) is measured on the features of that classifier, which this project trains per data set and ships: as
many generated images against the training split, the interval from disjoint blocks of seeds, classes requested in turn.
FID (efficientnet_lite0) is measured on the same images, or on fewer where n stands beside it, by features of ImageNet,
enlarged to 64 pixels: it also compares data sets, on another scale, and does not know their classes. Neither compares
with published FID, which uses Inception: `--extractor inception` computes that where torch-fidelity can download its
weights or `--extractor-weights PATH` names them. [training.md](training.md) lists all extractors.

### Do they order the runs alike?

Spearman's rank correlation of the FIDs of a data set's runs by the two extractors (runs that have both, on as many
images), and of the best run of each architecture with {order} (architectures that it has), where at least
{fewest} can be compared:

{agreement}
## Classifiers

Accuracy on the test split, and the FID of the test images against the training images, which a perfect generator of as
many images would have; where the split is small (n), that is no lower bound.

{classifiers}
## Pictures as the condition

Test images degraded and transformed, against the wanted ones (PSNR in dB, SSIM, distance in features of
EfficientNet-Lite0; 95 % intervals), and the FID of the outputs to real images of the target, beside that of the inputs
where they are of another domain. `python -m ganlib apply RUN FOLDER --out FOLDER` takes one's own pictures. Of faces
the gallery shows what becomes of generated ones.

{transformations}
## Other metrics

`python -m ganlib list metrics` prints what else was measured on the same images:

{metrics}
- **PPL**: the mean of squared steps along paths through z, without the lowest and highest percentile, in features of
  the same classifier.
- **CAS**: the accuracy on real test images of a small classifier trained on 100,000 generated images, n of them
  different (`--metrics cas`).

The dashboard shows the intervals and the FID of each class.
"""


def render() -> str:
    """The page for the runs that ``GANLIB_GALLERY`` and ``GANLIB_RUNS`` name."""
    return TEMPLATE.format(
        scores=_printed(list_scores),
        agreement=_printed(list_agreement),
        order=ORDER,
        fewest=FEWEST,
        metrics=_printed(list_metrics),
        classifiers=_printed(list_classifiers),
        transformations=_printed(list_transformations),
    )


def list_agreement() -> None:
    runs = {run.name: run for run in scan()[0] if run.generates}
    frame, _ = read_evaluations({run.path: name for name, run in runs.items()})
    scores = present(frame, {name: run.weights_hash for name, run in runs.items()})
    scores = scores[(scores["metric"] == "fid") & (scores["options"] == "") & scores["extractor"].isin(LISTED)]
    models = {name: run.model_name for name, run in runs.items()}
    first, second = LISTED
    print(f"| data set | {first} and {second} | {first} and published | {second} and published |")
    print("|-|-|-|-|")
    for data, rows in scores.groupby(scores["run"].map({name: run.data_name for name, run in runs.items()})):
        order = published_order(str(data), "fid")
        cells = [_between(rows, first, second)]
        for extractor in LISTED:
            own = rows[rows["extractor"] == extractor]
            own = own[own["protocol"].isin(rank_protocols(own)[:1])]
            known = agreement_with(own.set_index("run")["value"], models, METRICS["fid"].better, order)
            cells.append(f"{known[1]:.2f} ({known[0]})" if known else "–")
        if set(cells) != {"–"}:
            print(f"| {display_name(str(data))} | {' | '.join(cells)} |")


def _between(scores: pd.DataFrame, first: str, second: str) -> str:
    """Correlation and number of runs, under the protocol of ``first`` that most runs have."""
    own = scores[scores["extractor"] == first]
    if own.empty:
        return "–"
    agreement = rank_agreement(scores, rank_protocols(own)[0])
    found = agreement[agreement["extractor"] == second].sort_values("runs")
    return f"{found.correlation.iloc[-1]:.2f} ({found.runs.iloc[-1]})" if len(found) else "–"


def list_classifiers() -> None:
    runs = sorted((run for run in scan()[0] if run.model_name == "classifier"), key=lambda run: run.name)
    frame, _ = read_evaluations({run.path: run.name for run in runs})
    scores = by_date(present(frame, {run.name: run.weights_hash for run in runs}))
    print(f"| run | accuracy | {' | '.join(f'FID of test images ({name})' for name in LISTED)} | n |")
    print(f"|-|-|{'-|' * len(LISTED)}-|")
    for run in runs:
        own = scores[scores["run"] == run.name]
        floors = own[own["metric"] == "fid_floor"].set_index("extractor")
        values = [f"{floors.value[name]:#.3g}".rstrip(".") if name in floors.index else "–" for name in LISTED]
        n = f"{int(floors.n_fake.iloc[-1]):,}" if len(floors) else "–"
        accuracy = own.loc[own["metric"] == "accuracy", "value"]
        print(f"| {run.name} | {accuracy.iloc[-1]:.1%} | {' | '.join(values)} | {n} |")


def list_transformations() -> None:
    runs = {run.name: run for run in scan()[0] if run.transforms}
    frame, _ = read_evaluations({run.path: name for name, run in runs.items()})
    scores = by_date(present(frame, {name: run.weights_hash for name, run in runs.items()}))
    scores = scores.assign(task=[json.loads(protocol)["task"] for protocol in scores["protocol"]])
    print(f"| run | model | parameters | images seen | task | {' | '.join(METRICS[name].label for name in SIMILAR)} |")
    print(f"|-|-|-|-|-|{'-|' * len(SIMILAR)}")
    for _, rows in scores.groupby(["run", "task"]):
        name, task = str(rows["run"].iloc[0]), rows["task"].iloc[0]
        run, own = runs[name], {record["metric"]: record for record in rows.to_dict("records")}
        cells = [_with_interval(own[metric]) if metric in own else "–" for metric in SIMILAR]
        size = f"{run.blueprint.num_parameters / 1e6:.2f} M"
        print(f"| {name} | {run.model_name} | {size} | {run.total_images:,} | {task} | {' | '.join(cells)} |")


def _with_interval(record: Mapping[Hashable, Any]) -> str:
    half = max(record["high"] - record["value"], record["value"] - record["low"])
    return f"{record['value']:.3g} ± {half:.1g}" if record["value"] < 100 else f"{record['value']:.0f} ± {half:.0f}"


def _printed(command: Callable[[], None]) -> str:
    output = io.StringIO()
    with redirect_stdout(output):
        command()
    return output.getvalue()


def main() -> None:
    os.environ["GANLIB_GALLERY"] = str(GALLERY)
    os.environ.pop("GANLIB_RUNS", None)
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
