"""Options of ``generate``: each becomes a control of the dashboard and an argument of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

import torch
from torch import Tensor

from ganlib.config import check_bounds
from ganlib.errors import GanlibError, shortened

SEED_LIMIT = 2**32  # seeds are 0 … 2³²−1
FROM_SEED = "from seed"


@dataclass(frozen=True)
class Option:
    """One keyword of ``generate``.

    A default of None means that each image's seed determines the value; as text it is ``FROM_SEED``, and NaN in a
    tensor of one value per image.
    """

    name: str
    default: Any
    help: str
    kind: Literal["float", "int", "choice", "seed"] = "float"
    min: float | None = None
    max: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    needs: str = ""
    """Name of the option that this one requires: the dashboard shows it once that one is set."""

    def parse(self, text: str | float | None) -> Any:
        """A user's input -> value; GanlibError names the allowed values."""
        if self.default is None and text in (None, FROM_SEED):
            return None
        if self.kind == "choice":
            if text not in self.choices:
                names = ", ".join(self.choices)
                raise GanlibError(f"Option {self.name} must be one of {names}, not {shortened(text)}.")
            return text
        try:
            value = float(text)  # type: ignore[arg-type]
        except (ValueError, TypeError):
            otherwise = f' or "{FROM_SEED}"' if self.default is None else ""
            raise GanlibError(f"Option {self.name} must be a number{otherwise}, not {shortened(text)}.") from None
        if not isfinite(value) or (self.kind != "float" and value != int(value)):
            kind = "finite" if self.kind == "float" else "whole"
            raise GanlibError(f"Option {self.name} must be a {kind} number, not {shortened(text)}.")
        low, high = (0, SEED_LIMIT - 1) if self.kind == "seed" else (self.min, self.max)
        check_bounds(f"Option {self.name}", value, low, high, given=text)
        return value if self.kind == "float" else int(value)


TEMPERATURE = Option(
    "temperature",
    1.0,
    "Scales the latent vector: below 1 pictures become more typical and more alike.",
    min=0.0,
    max=1.5,
    step=0.05,
)


def from_seed(value: float | Tensor | None, default: Tensor) -> Tensor:
    """(N,) values of an option, with the seeds' ``default`` where it is None or NaN."""
    if value is None:
        return default
    v = torch.as_tensor(value, dtype=default.dtype, device=default.device).expand_as(default)
    return torch.where(v.isnan(), default, v)


def per_image(value: float | Tensor, like: Tensor) -> Tensor:
    """An option as a tensor that multiplies ``like`` (N, …) image by image."""
    v = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    return v.reshape(-1, *[1] * (like.ndim - 1)) if v.ndim else v
