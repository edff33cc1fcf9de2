"""``state.pt``: everything that a resumed run needs beyond its config. Read without unpickling objects."""

from __future__ import annotations

import io
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import torch

from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.tensors import load_tensors

UNREADABLE = (RuntimeError, UnpicklingError, LookupError, ValueError, TypeError, EOFError, OSError, AttributeError)


class Stateful(Protocol):
    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def save_state(source: Stateful, path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(source.state_dict(), buffer)
    write_atomically(path, buffer.getvalue())


def require_state(path: Path) -> None:
    """GanlibError where there is no state to resume from."""
    if not path.exists():
        raise GanlibError(
            f"{path.parent} has no {path.name} to resume from; start a new run with --like {path.parent}."
        )


def load_state(target: Stateful, path: Path, device: torch.device) -> None:
    """GanlibError where the file is missing, damaged or of another model."""
    require_state(path)
    try:
        state = load_tensors(path, device)
    except (*UNREADABLE, UserWarning) as error:  # their words advise to unpickle whatever it holds
        raise _unusable(path, "is damaged") from error
    try:
        target.load_state_dict(state)
    except UNREADABLE as error:
        raise _unusable(path, "is not of this run's model and training") from error


def _unusable(path: Path, reason: str) -> GanlibError:
    return GanlibError(f"{path} {reason}, so that the run cannot go on; start a new one with --like {path.parent}.")
