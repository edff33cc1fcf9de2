"""All runs of the gallery through classifiers, feature tests and the search for copies.

``python -m benchmarks.two_sample_gallery [--n N] [--out FILE]``. Each run against the test images of its own data set,
features of EfficientNet-Lite0. A run is a row as soon as it is done, and an interrupted program goes on from there:
run, data, n, small_auc, small_size, auc, low, high, sufficient, neighbour, t, t_by, energy, energy_p, copies, nearer_p
(Mann-Whitney of distances in features), seconds.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pandas as pd

from ganlib.commands.progress import ProgressLine
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.runs import Run, scan
from ganlib.settings import GALLERY
from ganlib.twosample.compare import compare
from ganlib.twosample.config import ComparisonConfig
from ganlib.twosample.result import Comparison

NETWORK = "efficientnet_lite0"


def measure(run: Run, n: int) -> dict[str, Any]:
    config = ComparisonConfig(n=n, networks=(NETWORK,))
    start = monotonic()
    with closing(ProgressLine()) as line:
        progress = partial(line.update_stage, run.name)
        result = compare(f"{run.data_name}#test", str(run.path), config, pick_device("auto"), progress=progress)
    about = {"run": run.name, "data": run.data_name, "n": result.protocol["synthetic"]["n"]}
    return about | summarise(result) | {"seconds": round(monotonic() - start, 1)}


def summarise(result: Comparison) -> dict[str, Any]:
    small = _first(result, "small network", "ROC-AUC")  # at the largest size
    strong = _first(result, "logistic regression", "ROC-AUC")
    energy = _first(result, "energy distance", "energy distance")
    components = result.frames["components"]
    between = components[components["comparison"] == "between"].iloc[0]
    copies = result.facts.get("memorisation", {})
    nearer = result.tests[(result.tests["test"] == "nearer than held-out") & (result.tests["subject"] == NETWORK)]
    return {
        "small_auc": small["value"],
        "small_size": small["subject"],
        "auc": strong["value"],
        "low": strong["low"],
        "high": strong["high"],
        "sufficient": strong["sufficient"],
        "neighbour": _first(result, "nearest neighbour", "accuracy")["value"],
        "t": between["t"],
        "t_by": between["t_controlled"],
        "energy": energy["value"],
        "energy_p": energy["p_value"],
        "copies": max((facts["copies"] for facts in copies.values()), default=None),
        "nearer_p": nearer["p_value"].min() if len(nearer) else None,
    }


def _first(result: Comparison, test: str, statistic: str) -> pd.Series[Any]:
    return result.tests[(result.tests["test"] == test) & (result.tests["statistic"] == statistic)].iloc[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=500, help="images a side at most (default: 500)")
    parser.add_argument("--runs", nargs="*", default=(), help="some of them (default: all)")
    parser.add_argument("--out", type=Path, default=Path("docs/two_sample_gallery.csv"))
    args = parser.parse_args()
    done = set(pd.read_csv(args.out)["run"]) if args.out.exists() else set()
    for run in scan([GALLERY])[0]:
        if not run.generates or run.name in done or (args.runs and run.name not in args.runs):
            continue
        try:
            row = measure(run, args.n)
        except GanlibError as error:
            print(f"{run.name}: {error}", flush=True)
            continue
        pd.DataFrame([row]).to_csv(args.out, mode="a", header=not args.out.exists(), index=False)
        print(f"{run.name}: AUC {row['auc']:.3f}, {row['copies']} copies, {row['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
