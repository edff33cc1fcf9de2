"""Training rate beside a public implementation of equal size: ``python -m benchmarks.side_by_side MODEL``.

Where these come from: ``benchmarks.public_models``. Both train in turns in one process, on the same random images,
batch and threads, so that a busy machine slows them alike, and in the same precision and memory format unless
``--plain``. Ours does its whole step; of the other only networks and losses are timed, with plain Adam. The ratio is of
the medians.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any

import torch

from benchmarks.public_models import CLASSES, PUBLIC, SIZE, Setting, TrainStep
from ganlib.devices import bf16_helps, pick_device
from ganlib.models import MODELS, Batch
from ganlib.training.step import step

BATCH, WARM_UP = 64, 1
CHANGES: dict[str, dict[str, Any]] = {  # what the other implementation leaves out
    "stylegan2_ada": {"ada_target": 0.0, "mixing": 0.0},
    "edm": {"augment": 0.0, "multipliers": (1, 2, 4), "width": 32, "attention": (8,)},
    "flow_matching": {"multipliers": (1, 2, 4), "width": 32, "attention": (8,)},
    "r3gan": {"augment_end": 0.0},
}


def ganlib_model(name: str, device: torch.device, **changes: Any) -> tuple[TrainStep, int]:
    config = MODELS[name].Config.from_dict({"image_size": SIZE, "num_classes": CLASSES} | changes)
    model = MODELS[name](config).to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizers = model.optimizers()

    def train_step(batch: Batch) -> None:
        for phase in model.phases():
            if phase.every == 1:  # the other implementation is timed without its lazy penalties too
                step(model, phase, optimizers[phase.optimizer], batch, bf16=bf16_helps(device))

    return train_step, model.num_parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=list(PUBLIC))
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--plain", action="store_true", help="the other in single precision and contiguous tensors")
    args = parser.parse_args()
    device = pick_device(args.device)
    torch.manual_seed(0)
    public = PUBLIC[args.model]
    implementations = {
        f"ganlib {args.model}": ganlib_model(args.model, device, **CHANGES.get(args.model, {})),
        public.__name__: public(Setting(device, args.plain)),
    }
    images = torch.rand(BATCH, 3, SIZE, SIZE, device=device) * 2 - 1
    batch = Batch(images.contiguous(memory_format=torch.channels_last), torch.randint(CLASSES, (BATCH,), device=device))
    seconds: dict[str, list[float]] = {name: [] for name in implementations}
    for _ in range(WARM_UP + args.steps):
        for name, (train_step, _) in implementations.items():
            start = time.perf_counter()
            train_step(batch)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds[name].append(time.perf_counter() - start)
    images_per_second = {name: BATCH / median(values[WARM_UP:]) for name, values in seconds.items()}
    for name, (_, size) in implementations.items():
        print(f"{name}: {size / 1e6:.2f} M parameters, {images_per_second[name]:,.1f} images/s")
    first, second = images_per_second.values()
    print(f"ratio {first / second:.2f}, batch {BATCH}, {torch.get_num_threads()} threads, {device}")


if __name__ == "__main__":
    main()
