"""Log formats, one file each. A new one is a module with ``matches`` and ``read``, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ganlib.logs.frame import Scalars
from ganlib.logs.readers import (
    biggan,
    delimited,
    json_document,
    jsonl,
    mlflow,
    nvidia_metrics,
    nvidia_ticks,
    prose,
    studiogan,
    tensorboard,
)
from ganlib.logs.readers.source import Source


class Format(NamedTuple):
    name: str
    matches: Callable[[Any, Path], bool]  # given the first 64 kB, as text
    read: Callable[[bytes, Source], list[Scalars]]  # UTF-8; the event files' reader gets the bytes as they are
    precision: float = 1e-5  # relative; what the tool rounds to
    appended: bool = True  # line by line; else the whole file is written anew each time
    continues: bool = False  # a resumed run begins a new file, which may start at an earlier step


# Told from its bytes, before anything is taken for text.
EVENTS = Format("TensorBoard", tensorboard.matches, tensorboard.read, precision=1e-5, continues=True)
# The first that matches reads the file. Of scalars that two files of a run share, the more exact format's stay.
FORMATS = (
    Format("ticks", nvidia_ticks.matches, nvidia_ticks.read, precision=0.05),
    Format("NVIDIA metrics", nvidia_metrics.matches, nvidia_metrics.read),
    Format("JSON lines", jsonl.matches, jsonl.read),
    Format("JSON", json_document.matches, json_document.read, appended=False),
    Format("MLflow", mlflow.matches, mlflow.read),
    Format("BigGAN-PyTorch", biggan.matches, biggan.read, precision=1e-3),
    Format("StudioGAN", studiogan.matches, studiogan.read, precision=1e-3),
    Format("table", delimited.matches, delimited.read),
    Format("text", prose.matches, prose.read, precision=1e-3),
)
