"""Log formats, one module each. A new one is a module with ``matches`` and ``read``, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ganlib.logs.frame import Scalars
from ganlib.logs.readers import (
    arrays,
    bare_column,
    biggan,
    boxes,
    brownlee,
    console,
    delimited,
    dvclive,
    evaluation_lines,
    huggingface,
    json_document,
    jsonl,
    mlflow,
    notebook,
    nvidia_metrics,
    nvidia_ticks,
    parquet,
    python_lists,
    sqlite,
    studiogan,
    stylegan_tf,
    tensorboard,
    wandb_datastore,
    workbook,
)
from ganlib.logs.readers.source import Source, find_last_line


class LogFormat(NamedTuple):
    name: str
    matches: Callable[[Any, Path], bool]  # given the first 64 kB, decoded for a format of text
    read: Callable[[bytes, Source], list[Scalars]]  # given the content, as UTF-8 for a format of text
    precision: float = 1e-5  # relative; of the numbers that the tool writes
    appended: bool = True  # line by line; else the file is rewritten each time
    resumes_in_new_file: bool = False  # which may start at an earlier step
    # "bytes": the content as it is; "path": ``read`` opens the file itself and gets no content.
    content: Literal["text", "bytes", "path"] = "text"
    # Where the last complete line or record of appended content ends, and how many there are.
    find_end: Callable[[bytes, Source], tuple[int, int]] = find_last_line


TENSORBOARD = LogFormat(
    "TensorBoard",
    tensorboard.matches,
    tensorboard.read,
    resumes_in_new_file=True,
    content="bytes",
    find_end=tensorboard.find_last_record,
)
WANDB = LogFormat(
    "Weights & Biases",
    wandb_datastore.matches,
    wandb_datastore.read,
    precision=1e-6,  # its summary repeats the last values
    content="bytes",
    find_end=wandb_datastore.find_last_record,
)
# The first that matches reads the file. Of scalars that two files of a run share, the more exact format's are used.
FORMATS = (
    TENSORBOARD,
    LogFormat("NumPy", arrays.matches, arrays.read, appended=False, content="bytes"),
    LogFormat("Parquet", parquet.matches, parquet.read, appended=False, content="path"),
    LogFormat("SQLite", sqlite.matches, sqlite.read, appended=False, content="path"),
    LogFormat("Excel", workbook.matches, workbook.read, appended=False, content="path"),
    WANDB,
    LogFormat("ticks", nvidia_ticks.matches, nvidia_ticks.read, precision=0.05),
    LogFormat("StyleGAN metrics", stylegan_tf.matches, stylegan_tf.read, precision=1e-4),
    LogFormat("NVIDIA metrics", nvidia_metrics.matches, nvidia_metrics.read),
    LogFormat("notebook", notebook.matches, notebook.read, precision=1e-3, appended=False),
    LogFormat("JSON lines", jsonl.matches, jsonl.read),
    LogFormat("JSON", json_document.matches, json_document.read, appended=False),
    LogFormat("MLflow", mlflow.matches, mlflow.read),
    LogFormat("BigGAN-PyTorch", biggan.matches, biggan.read, precision=1e-3),
    LogFormat("StudioGAN", studiogan.matches, studiogan.read, precision=1e-3),
    LogFormat("machinelearningmastery", brownlee.matches, brownlee.read, precision=1e-3),
    LogFormat("boxes", boxes.matches, boxes.read, precision=1e-2, find_end=boxes.find_last_box),
    LogFormat("Hugging Face", huggingface.matches, huggingface.read, precision=1e-3),
    LogFormat("Python lists", python_lists.matches, python_lists.read, appended=False),
    LogFormat("column", bare_column.matches, bare_column.read),
    LogFormat("DVCLive", dvclive.matches, dvclive.read, precision=1e-6),
    LogFormat("table", delimited.matches, delimited.read),
    LogFormat("text", console.matches, console.read, precision=1e-3),
    LogFormat("evaluations", evaluation_lines.matches, evaluation_lines.read, precision=1e-3),
)
