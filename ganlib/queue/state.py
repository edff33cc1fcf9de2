"""What is done of each entry: one small JSON file an entry in ``runs/.queue``, written after every stage."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ganlib.files import read_json, write_atomically
from ganlib.queue.definition import Entry


class Stage(StrEnum):
    """The stages of an entry in order."""

    TRAIN = "train"
    SNAPSHOTS = "snapshots"  # evaluated before what follows, since they are of single precision and may be cleared away
    HALVE = "halve"
    EVALUATE = "evaluate"
    DONE = "done"


@dataclass(frozen=True)
class State:
    """``stage``: the next one to do. ``evaluated``: how many of the stage's evaluations are done."""

    stage: Stage = Stage.TRAIN
    evaluated: int = 0
    images: int = 0  # budget of the finished training
    max_minutes: float = 0.0
    failures: int = 0  # of the stage in a row, without progress
    failed: bool = False  # given up, until the queue is started again
    progress: int = 0  # images seen at the latest failure
    error: str = ""

    def for_entry(self, entry: Entry) -> State:
        """A finished training whose budget was raised since is gone on with."""
        raised = entry.images > self.images or entry.max_minutes > self.max_minutes
        if self.stage is not Stage.TRAIN and raised:
            return State()
        return self

    def next(self, entry: Entry, snapshots: int = 0) -> State:
        """After the present stage succeeded, where so many snapshots are to be evaluated."""
        state = replace(self, failures=0, error="")
        if self.stage is Stage.TRAIN:
            state = replace(state, stage=Stage.SNAPSHOTS, evaluated=0)
            state = replace(state, images=entry.images, max_minutes=entry.max_minutes)
        elif self.stage is Stage.HALVE:
            state = replace(state, stage=Stage.EVALUATE)
        else:
            state = replace(state, evaluated=self.evaluated + 1)
        return state.settled(entry, snapshots)

    def settled(self, entry: Entry, snapshots: int = 0) -> State:
        """Past the stages of evaluations where none is left."""
        state, evaluations = self, len(entry.evaluations)
        if state.stage is Stage.SNAPSHOTS and state.evaluated >= snapshots * evaluations:
            state = replace(state, stage=Stage.HALVE if entry.halve else Stage.EVALUATE, evaluated=0)
        if state.stage is Stage.EVALUATE and state.evaluated >= evaluations:
            state = replace(state, stage=Stage.DONE)
        return state


class StateFolder:
    """``runs/.queue``: states and the output of every stage."""

    def __init__(self, runs: Path) -> None:
        self.path = runs / ".queue"

    def output(self, name: str) -> Path:
        return self.path / f"{name}.log"

    def read(self, name: str) -> State:
        try:
            values: dict[str, Any] = read_json(self.path / f"{name}.json")
            return _checked(State(**values | {"stage": Stage(values["stage"])}))
        except (ValueError, KeyError, TypeError):
            return State()  # missing or damaged: every stage can be repeated

    def write(self, name: str, state: State) -> None:
        write_atomically(self.path / f"{name}.json", json.dumps(asdict(state), indent=2).encode())


def _checked(state: State) -> State:
    """TypeError or ValueError for fields of another type, or counts below zero, than the scheduler writes."""
    for field in fields(State):
        value, kind = getattr(state, field.name), type(field.default)
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError(f"{field.name} is no {kind.__name__}")
    if min(state.evaluated, state.images, state.failures, state.progress) < 0:
        raise ValueError("a count is below zero")
    return state
