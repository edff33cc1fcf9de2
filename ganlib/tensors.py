"""Files of ``torch.save``, read without unpickling objects: the only caller of ``torch.load``."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from ganlib.errors import GanlibError

SAFE = (2, 6)  # before it a file could make torch run code in spite of weights_only (CVE-2025-32434)


def load_tensors(path: Path | str, device: torch.device | str = "cpu") -> Any:
    """Tensors, numbers, texts and containers of them; of anything else torch raises one of several errors.

    GanlibError where torch is too old to be trusted with foreign files.
    """
    version = tuple(map(int, re.findall(r"\d+", torch.__version__)[:2]))
    if version < SAFE:
        raise GanlibError(
            f"{path} is not read: torch {torch.__version__} could be made to run code by it; install torch "
            f"{'.'.join(map(str, SAFE))} or newer."
        )
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except (struct.error, ArithmeticError, AssertionError) as error:  # a number cut off; sizes beyond any
        raise UnpicklingError(str(error)) from error
