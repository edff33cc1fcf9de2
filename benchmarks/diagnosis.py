"""Precision and recall of the diagnosis on labelled training curves, in Markdown.

    .venv/bin/python -m benchmarks.diagnosis --corpus FOLDER [--half tuning|held-out|fresh|unseen|last|all] [--misses]

``diagnosis_corpus/labels.csv`` has a row per training (per file, where ``run`` is empty and the file holds several, as
CycleGAN appends them): repository, commit and path of its log, the loss where it is known, and for three findings 1, 0
or nothing where nobody can tell. The curves are other people's and not copied here: FOLDER holds clones
(``OWNER+NAME``, work tree or bare); ``--clone`` makes those that are missing. Rows of the repository ``ganlib`` are
this project's own files.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from ganlib.logs import (
    LogError,
    NotebookSample,
    add_sample_diversity,
    add_snapshot_metrics,
    diagnose,
    notebook_samples,
    read,
)
from ganlib.logs.diagnosis.metric_curves import MIN_EVALUATIONS
from ganlib.logs.readers import notebook
from ganlib.logs.readers.notebook_cells import parse_cells
from ganlib.logs.readers.source import Source
from ganlib.logs.sample_diversity import DISTINCT
from ganlib.records import RANKED, read_evaluations

PROJECT = Path(__file__).parents[1]
LABELS = Path(__file__).parent / "diagnosis_corpus" / "labels.csv"
# A run that ends in NaN has diverged, whichever of the two findings says so.
FINDINGS = {
    "discriminator_wins": {"discriminator_wins"},
    "mode_collapse": {"mode_collapse"},
    "divergence": {"divergence", "not_finite"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of clones")
    parser.add_argument("--half", choices=["tuning", "held-out", "fresh", "unseen", "last", "all"], default="all")
    parser.add_argument("--clone", action="store_true", help="clone from GitHub what is missing")
    parser.add_argument("--misses", action="store_true", help="list what was missed and false alarms")
    args = parser.parse_args()
    labels = pd.read_csv(LABELS, dtype=str, keep_default_na=False)
    if args.half != "all":
        labels = labels[labels["half"] == args.half]
    if args.clone:
        clone_missing(args.corpus, labels)
    outcomes = pd.DataFrame(diagnosed(args.corpus, labels))
    unread = outcomes[outcomes["error"] != ""]
    print(f"{len(outcomes) - len(unread)} of {len(outcomes)} curves were read.\n")
    print("| half | loss | finding | found | false | missed | precision | recall |")
    print("|-|-|-|-|-|-|-|-|")
    for half, rows in outcomes[outcomes["error"] == ""].groupby("half", sort=False):
        for loss in ("unknown", "as known"):
            for finding in FINDINGS:
                print(table_row(str(half), loss, finding, rows))
            print(table_row(str(half), loss, "mode_collapse", rows[rows["measured"]], " (pictures were measured)"))
    if args.misses:
        print_misses(outcomes)


def diagnosed(corpus: Path, labels: pd.DataFrame) -> Iterator[dict[str, str | bool]]:
    """Per row of the labels: the labels, which findings were made without and with its loss, and what went wrong."""
    for values in labels.to_dict("records"):
        row = {str(name): str(value) for name, value in values.items()}
        result: dict[str, str | bool] = {**row, "error": "", "measured": False}
        try:
            frame = training_frame(corpus, row)
        except (LogError, FileNotFoundError) as error:
            yield {**result, "error": str(error)}
            continue
        metrics = frame.loc[frame["tag"].isin(RANKED), "tag"].value_counts()
        evaluations = int(metrics.max()) if len(metrics) else 0
        result["measured"] = evaluations >= MIN_EVALUATIONS or bool((frame["tag"] == DISTINCT).any())
        for loss, kind in (("unknown", None), ("as known", row["loss"] or None)):
            rules = {finding.rule for finding in diagnose(frame, loss=kind) if finding.severity != "info"}
            result |= {f"{finding} {loss}": bool(rules & names) for finding, names in FINDINGS.items()}
        yield result


def training_frame(corpus: Path, row: dict[str, str]) -> pd.DataFrame:
    if row["repository"] == "ganlib":
        path = PROJECT / row["path"]
        frame = read(path)
        if path.name == "log.csv":
            frame["run"] = frame["run"].cat.rename_categories([path.parent.name])
            frame.attrs["step_units"] = {path.parent.name: "steps"}
            frame = add_snapshot_metrics(frame, read_evaluations({path.parent: path.parent.name})[0])
    else:
        data = show(corpus / row["repository"].replace("/", "+"), row["commit"], row["path"])
        name = Path(row["path"]).name
        if row["cell"]:
            notebook_bytes = data
            data, name = cell_text(data, int(row["cell"])), "cell.log"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(data)
            frame = read(path)
            if row["cell"]:
                frame = add_sample_diversity(frame, cell_samples(notebook_bytes, int(row["cell"]), folder))
    if row["run"] and row["run"] not in frame["run"].cat.categories:
        raise LogError(row["path"], None, f"it has no run {row['run']!r}")
    return frame[frame["run"] == row["run"]] if row["run"] else frame


def show(clone: Path, commit: str, path: str) -> bytes:
    """A file of a clone at a commit."""
    folder = next((f for f in (clone / "repo/.git", clone / "repo", clone) if (f / "HEAD").exists()), clone)
    result = subprocess.run(["git", "-C", str(folder), "show", f"{commit}:{path}"], capture_output=True, check=False)
    if result.returncode:
        raise FileNotFoundError(f"{path} at {commit} is not in {folder}: {result.stderr.decode().strip()}")
    return result.stdout


def cell_text(notebook: bytes, cell: int) -> bytes:
    """What one cell of a notebook printed."""
    outputs = json.loads(notebook)["cells"][cell]["outputs"]
    return "".join("".join(output.get("text", [])) for output in outputs).encode()


def cell_samples(content: bytes, cell: int, folder: str) -> dict[str, list[NotebookSample]]:
    """The pictures that a notebook showed in the training of a cell and after it, as those of the run "cell"."""
    path = Path(folder, "notebook.ipynb")
    path.write_bytes(content)
    trainings = notebook.find_trainings(parse_cells(content), Source(path))
    inner = next((t.run for t in trainings if cell + 1 in [c.number for c in t.cells]), None)
    return {} if inner is None else notebook_samples({"cell": (str(path), inner)}, {"cell": "steps"})


def clone_missing(corpus: Path, labels: pd.DataFrame) -> None:
    for repository in labels["repository"].unique():
        clone = corpus / repository.replace("/", "+")
        if repository != "ganlib" and not clone.exists():
            subprocess.run(["git", "clone", "--bare", f"https://github.com/{repository}", str(clone)], check=True)


def table_row(half: str, loss: str, finding: str, rows: pd.DataFrame, of: str = "") -> str:
    rows = rows[rows[finding] != ""]
    truth, found = rows[finding] == "1", rows[f"{finding} {loss}"].astype(bool)
    true, false, missed = int((truth & found).sum()), int((~truth & found).sum()), int((truth & ~found).sum())
    return (
        f"| {half} | {loss} | {finding}{of} | {true} of {true + missed} | {false} of {int((~truth).sum())} | {missed} "
        f"| {share(true, true + false)} | {share(true, true + missed)} |"
    )


def share(count: int, total: int) -> str:
    """ "0.92 (0.74–0.99)", with the 95 % interval of Clopper and Pearson."""
    if not total:
        return "–"
    interval = binomtest(count, total).proportion_ci()
    return f"{count / total:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def print_misses(outcomes: pd.DataFrame) -> None:
    for row in outcomes.to_dict("records"):
        name = f"{row['repository']} {row['path']} {row['cell']} {row['run']}".strip()
        if row["error"]:
            print(f"- not read: {name}: {row['error']}")
            continue
        for finding in FINDINGS:
            for loss in ("unknown", "as known"):
                if row[finding] and (row[finding] == "1") != row[f"{finding} {loss}"]:
                    kind = "missed" if row[finding] == "1" else "false"
                    print(f"- {kind} {finding} ({loss} loss {row['loss']}): {name}")


if __name__ == "__main__":
    main()
