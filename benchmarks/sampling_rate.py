"""How fast each run of the gallery samples and was trained: ``python -m benchmarks.sampling_rate``.

Prints a Markdown table. Sampling is 64 images in one call, the median of some calls after two to warm up; training is
images seen over the seconds of training that the weights carry, on whatever machine that was.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

from ganlib.devices import pick_device
from ganlib.models import GenerativeModel
from ganlib.runs import run_roots, scan
from ganlib.sampling import sample

IMAGES, WARM_UP = 64, 2


def images_per_second(model: GenerativeModel, calls: int) -> float:
    labels = [i % model.config.num_classes for i in range(IMAGES)] if model.conditional else None
    seconds = []
    for _ in range(WARM_UP + calls):
        start = time.perf_counter()
        sample(model, range(IMAGES), labels)
        seconds.append(time.perf_counter() - start)
    return IMAGES / median(seconds[WARM_UP:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=9)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    device = pick_device(args.device)
    print("| run | parameters | training, images/s | sampling, images/s |")
    print("|-|-|-|-|")
    for run in sorted(scan(run_roots())[0], key=lambda run: (run.data_name, run.name)):
        if not run.generates:
            continue
        model = run.load(device)
        assert isinstance(model, GenerativeModel)
        trained = run.images_seen / run.training_seconds if run.training_seconds else float("nan")
        size = sum(run.parameters.values()) / 1e6
        print(
            f"| {run.name} | {size:.2f} M | {trained:,.0f} | {images_per_second(model, args.calls):,.0f} |", flush=True
        )


if __name__ == "__main__":
    main()
