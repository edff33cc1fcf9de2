"""python -m ganlib halve RUN… [--device DEVICE]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel
from ganlib.runs import Run, find_run, read_tensors
from ganlib.sampling import sample

SEEDS = range(64)
# Nobody sees 8 of 255 levels in one pixel. On average less than half a level, which is what rounding a picture to
# levels costs anyway, so that no area gets brighter or darker.
MOST, MEAN = 8, 0.5


def add(subparsers: Any, argv: Sequence[str]) -> None:
    parser = subparsers.add_parser(
        "halve",
        help="store runs' weights in half the bytes, for shipping",
        description=f"Stores the weights as float16. Refused where that changes images of seeds 0-{SEEDS[-1]} by more "
        f"than {MOST} of 255 levels anywhere, or by {MEAN} levels on average.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's name or folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    device = pick_device(args.device)
    runs = [find_run(name) for name in args.runs]
    refused = []
    for found in runs:
        try:
            print(f"{found.path}: {halve(found, device)}")
        except GanlibError as error:
            if len(runs) == 1:
                raise
            print(f"ganlib: {error}", file=sys.stderr)
            refused.append(found.name)
    if refused:
        raise GanlibError(f"Not halved, for the reasons above: {', '.join(refused)}.")


def halve(found: Run, device: torch.device) -> str:
    """What was done, in words; GanlibError where it would show, and nothing is written."""
    model = found.load(device)
    tensors = read_tensors(found.folder.weights)
    if all(v.dtype == torch.float16 for v in tensors.values() if v.is_floating_point()):
        return "halved already"
    try:
        half = halved(tensors)
        change = picture_change(model, half) if isinstance(model, GenerativeModel) else ""
    except GanlibError as error:
        raise GanlibError(f"{found.name} cannot be halved: {error}; ship it as it is.") from None
    before = found.folder.weights.stat().st_size
    found.store(half)
    after = found.folder.weights.stat().st_size
    measured_with_it = " and what was measured with it" if (found.path / "references").exists() else ""
    return f"{change}{before / 1e6:.1f} MB -> {after / 1e6:.1f} MB; evaluate it{measured_with_it} again"


def halved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating tensors as float16, which loading makes float32 again; the rest as it is."""
    half = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    for name, tensor in half.items():
        if not tensor.isfinite().all():
            raise GanlibError(
                f"{name} holds values beyond those of float16, at most {torch.finfo(torch.half).max:,.0f}"
            )
    return half


def picture_change(model: GenerativeModel, half: dict[str, Tensor]) -> str:
    """ "largest difference 1 level, mean 0.02, "; GanlibError where people could see it."""
    labels = [i % model.config.num_classes for i in SEEDS] if model.conditional else None
    before = sample(model, SEEDS, labels).astype(int)
    model.load_state_dict(half)
    change = np.abs(sample(model, SEEDS, labels) - before)
    most, mean = int(change.max()), float(change.mean())
    measured = f"largest difference {most} level{'' if most == 1 else 's'}, mean {mean:.2f}"
    if most > MOST or mean >= MEAN:
        raise GanlibError(f"its pictures would visibly change ({measured}; allowed are {MOST} and less than {MEAN})")
    return f"{measured}, "
