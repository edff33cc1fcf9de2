"""Images a second in training, of architectures at their defaults or with other fields.

    python -m benchmarks.training_rate edm:width=64,batch_size=512 sngan [--data cifar10-jpeg] [--seconds 10]

Each in a process of its own, one after the other, or all at once with ``--together``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from statistics import median

import torch

from ganlib.data import load_data
from ganlib.devices import hardware, pick_device
from ganlib.models import MODELS
from ganlib.training import TrainingConfig
from ganlib.training.config import resolve_precision
from ganlib.training.rate import training_rates
from ganlib.training.trainer import seeded


def measure(what: str, args: argparse.Namespace) -> None:
    name, _, text = what.partition(":")
    fields = {key: _value(value) for key, _, value in (part.partition("=") for part in text.split(",") if part)}
    device, data, cls = pick_device(args.device), load_data(args.data), MODELS[name]
    training = cls.training_defaults | {k: v for k, v in fields.items() if k in TrainingConfig.__dataclass_fields__}
    config = resolve_precision(TrainingConfig.from_dict({"images": 1} | training), device)
    shape = {"image_size": data.size, "channels": data.channels, "num_classes": data.num_classes}
    own = {key: value for key, value in fields.items() if key not in training}
    model = seeded(lambda: cls(cls.Config.from_dict(shape | own)), 0)
    size = sum(p.numel() for p in model.parameters()) / 1e6
    torch.backends.cudnn.benchmark = True
    start = time.perf_counter()
    rate = median(training_rates(model, data, config, device, args.seconds / 4))
    memory = f", {torch.cuda.max_memory_reserved() / 2**30:.1f} GiB" if device.type == "cuda" else ""
    took = time.perf_counter() - start
    print(f"| {what} | {size:.2f} M | {rate:,.0f} images/s |{memory} {took:.0f} s on {hardware(device)}", flush=True)


def _value(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text or "e" in text else int(text)
    except ValueError:
        return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL[:FIELD=VALUE,…]")
    parser.add_argument("--data", default="cifar10-jpeg")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--together", action="store_true", help="all at once")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if len(args.models) == 1:
        measure(args.models[0], args)
        return
    options = ["--data", args.data, "--seconds", str(args.seconds), "--threads", str(args.threads)]
    command = [sys.executable, "-m", "benchmarks.training_rate", *options, "--device", args.device]
    running = []
    for what in args.models:
        running.append(subprocess.Popen([*command, what]))
        if not args.together:
            running[-1].wait()
    for process in running:
        process.wait()


if __name__ == "__main__":
    main()
