"""A comparison of ways to balance a data set: a folder with balance.json and frames as CSV, in a run's ``balances``."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ganlib.errors import GanlibError
from ganlib.files import read_json, write_atomically
from ganlib.intervals import t_half_width

FILE = "balance.json"
FINISHED = ".classifiers-"  # beginning of the folder of what an interrupted comparison has behind it
MEASURES = ("accuracy", "balanced_accuracy", "f1")
COPYING = ("oversampling", "augmentation")  # methods that fill up classes with their own images


@dataclass
class Balance:
    """``classifiers``: one row each: method, ratio, seed, images, generated, accuracy, balanced_accuracy, f1,
    recall_0 …, seconds. ``confusions``: method, ratio, true, predicted, images, summed over seeds.
    """

    data: str
    generator: str  # "" where no method generates
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    protocol: dict[str, Any]
    classifiers: pd.DataFrame
    confusions: pd.DataFrame
    generation: dict[str, Any] = field(default_factory=dict)
    """``generated`` and ``filtered``: images, tried, seconds; ``training_seconds`` of the generator, 0 = unknown."""
    warnings: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def hardware(self) -> str:
        """On which the classifiers were trained; "" in older results."""
        return str(self.provenance.get("hardware", ""))

    def summary(self) -> pd.DataFrame:
        """One row a method and ratio: mean of the seeds and half of its 95 % t-interval, of each measure."""
        measures = [*MEASURES, *self.classifiers.filter(regex="^recall_")]
        groups = self.classifiers.groupby(["method", "ratio"], sort=False)
        n = groups.size()
        half = groups[measures].agg(t_half_width)
        columns = [groups[measures].mean(), half.add_suffix("_half")]
        summary = pd.concat(columns, axis=1)[[name + end for name in measures for end in ("", "_half")]]
        summary.insert(0, "seeds", n)
        return summary.assign(seconds=groups["seconds"].sum(), generated=groups["generated"].first()).reset_index()

    def differences(self, first: tuple[str, float], second: tuple[str, float], measure: str) -> list[float]:
        """First minus second, of each seed that both have."""
        indexed = self.classifiers.set_index(["method", "ratio", "seed"])[measure].sort_index()
        return list((indexed.loc[first] - indexed.loc[second]).dropna())

    def write(self, folder: Path) -> None:
        """Each file is whole or absent; ``balance.json`` is last. What it was interrupted with is no longer needed."""
        for name in ("classifiers", "confusions"):
            write_atomically(folder / f"{name}.csv", getattr(self, name).to_csv(index=False).encode())
        names = ("data", "generator", "classes", "class_counts", "protocol", "generation", "warnings", "provenance")
        content = {name: getattr(self, name) for name in names}
        write_atomically(folder / FILE, json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")
        for path in folder.glob(f"{FINISHED}*"):
            shutil.rmtree(path, ignore_errors=True)


def read_balance(folder: Path) -> Balance:
    """GanlibError where the folder holds none, or a damaged one."""
    path = folder / FILE
    try:
        content: dict[str, Any] = read_json(path)
        content |= {name: _with_ratios(pd.read_csv(folder / f"{name}.csv")) for name in ("classifiers", "confusions")}
        content |= {name: tuple(content[name]) for name in ("classes", "class_counts")}
        balance = Balance(**content)
        balance.summary()
        return balance
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:120]
        raise GanlibError(f"{path} is no readable result ({reason}); run ganlib balance again.") from None


def _with_ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Older results have copies up to the largest class alone, which they write as ratio 0."""
    return rows.assign(ratio=rows["ratio"].mask(rows["method"].isin(COPYING) & (rows["ratio"] == 0), 1.0))


def balances(folder: Path) -> list[Path]:
    """Folders of the results in a run's folder, or in any other."""
    return sorted(path.parent for path in folder.glob(f"balances/*/{FILE}"))
