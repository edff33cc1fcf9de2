"""``state.pt``: everything that a resumed run needs beyond its config. Read without unpickling objects."""

from __future__ import annotations

import io
from pickle import UnpicklingError
from typing import TYPE_CHECKING

import torch

from ganlib.errors import GanlibError
from ganlib.files import write_atomically

if TYPE_CHECKING:
    from ganlib.training.trainer import Trainer


def save_state(trainer: Trainer) -> None:
    cuda = trainer.device.type == "cuda"
    state = {
        "step": trainer.step,
        "images": trainer.images,
        "seconds": trainer.seconds,
        "model": trainer.model.state_dict(),
        "ema": trainer.ema.model.state_dict(),
        "optimizers": {name: optimizer.state_dict() for name, optimizer in trainer.optimizers.items()},
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state(trainer.device) if cuda else None,
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(trainer.folder.state, buffer.getvalue())


def load_state(trainer: Trainer) -> None:
    path = trainer.folder.state
    if not path.exists():
        raise GanlibError(f"{path.parent} has no state.pt to resume from; start a new run with --like {path.parent}.")
    try:
        state = torch.load(path, map_location=trainer.device, weights_only=True)
        trainer.model.load_state_dict(state["model"])
        trainer.ema.model.load_state_dict(state["ema"])
        for name, optimizer in trainer.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        trainer.step, trainer.images, trainer.seconds = state["step"], state["images"], state["seconds"]
        rng, cuda_rng = state["rng"].cpu(), state["cuda_rng"]
    except (RuntimeError, UnpicklingError, KeyError, ValueError, TypeError, EOFError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise GanlibError(f"{path} cannot be resumed ({reason}); start a new run with --like {path.parent}.") from error
    torch.set_rng_state(rng)
    if cuda_rng is not None and trainer.device.type == "cuda":
        torch.cuda.set_rng_state(cuda_rng.cpu(), trainer.device)
