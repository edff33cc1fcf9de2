"""What an evaluation costs: ``python -m benchmarks.evaluation [time] [throughput] [memory]``.

time         FID of ready images against the stored reference of CIFAR-10, beside torch-fidelity called with both inputs
             and the same extractor; nothing is cached on either side, both build their extractor
throughput   images per second through ``extract``, as a fraction of the bare network's on the same batches of floats
memory       the peak of a whole evaluation, of few and of many generated images, each in a process of its own

Needs the gallery's CIFAR-10 runs. The images are CIFAR-10's own where they are found (GANLIB_DATA), else noise. CPU
seconds are of all processes: on a busy machine they say more than the clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
import torch_fidelity
from torch.utils.data import Dataset

from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import EXTRACTORS, Extractor, extract
from ganlib.metrics.fidelity import EMBEDDED
from ganlib.metrics.measures import MEASURES, FakeFeatures, RealFeatures
from ganlib.metrics.references import compute_reference, load_reference, load_split
from ganlib.runs import Run, find_run

RUN, CLASSIFIER = "cifar10-dcgan", "cifar10-classifier"
CPU = torch.device("cpu")
BATCH = 64  # of both: torch-fidelity's default


class Images(Dataset[torch.Tensor]):
    """(N, H, W, 3) uint8, as torch-fidelity asks for them: (3, H, W) each."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> torch.Tensor:
        return torch.from_numpy(np.array(self.images[i])).permute(2, 0, 1)


class Cost(NamedTuple):
    wall: float
    cpu: float


def timed(compute: Callable[[], float]) -> tuple[float, Cost]:
    start, before = time.perf_counter(), sum(os.times()[:4])
    value = compute()
    return value, Cost(time.perf_counter() - start, sum(os.times()[:4]) - before)


def batches(images: np.ndarray) -> Callable[[int], Any]:
    return lambda start: (np.array(images[i : i + BATCH]) for i in range(start, len(images), BATCH))


def load_images(run: Run, n_real: int, n_fake: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Real and generated images, and whether the stored reference is of those real ones."""
    try:
        train, test = load_split(run, "train", None).images, load_split(run, "test", None).images
    except GanlibError as error:
        print(f"noise instead of CIFAR-10: {error}")
    else:
        print(f"CIFAR-10: {n_real:,} training images, test images as {n_fake:,} generated ones")
        return np.asarray(train[:n_real]), np.resize(test, (n_fake, *test.shape[1:])), n_real >= len(train)
    rng = np.random.default_rng(0)
    real, fake = (rng.integers(low, 256, (n, 32, 32, 3), np.uint8) for low, n in ((0, n_real), (64, n_fake)))
    return real, fake, False


def compare_times(args: argparse.Namespace) -> None:
    run = find_run(RUN)
    real, fake, has_reference = load_images(run, args.n_real, args.n_fake)
    if has_reference:
        reference: Callable[[Extractor], RealFeatures] = lambda extractor: load_reference(run, extractor)  # noqa: E731
    else:
        features = extract(EXTRACTORS["embedded"](run, CPU, None), batches(real), len(real)).features
        noise_reference = compute_reference(features, np.full(len(real), -1))
        reference = lambda extractor: noise_reference  # noqa: E731

    def ganlib_fid() -> float:
        extractor = EXTRACTORS["embedded"](run, CPU, None)
        fake_features = FakeFeatures(*extract(extractor, batches(fake), len(fake)), None)
        return MEASURES["fid"](reference(extractor), fake_features, args.blocks)[0].value

    def torch_fidelity_fid() -> float:
        metrics = torch_fidelity.calculate_metrics(
            input1=Images(fake),
            input2=Images(real),
            fid=True,
            cuda=False,
            feature_extractor=EMBEDDED,
            feature_extractor_weights_path=str(find_run(CLASSIFIER).path),
            batch_size=BATCH,
            verbose=False,
            cache=False,
        )
        return float(metrics["frechet_inception_distance"])

    (value, cost), (expected, other_cost) = timed(ganlib_fid), timed(torch_fidelity_fid)
    print(f"ganlib          FID {value:.6f}  {cost.wall:.1f} s, {cost.cpu:.1f} s of CPU, {args.blocks} blocks as well")
    print(f"torch-fidelity  FID {expected:.6f}  {other_cost.wall:.1f} s, {other_cost.cpu:.1f} s of CPU")
    print(
        f"ratio {cost.wall / other_cost.wall:.3f} by the clock, {cost.cpu / other_cost.cpu:.3f} of CPU (at most 0.25); "
        f"values differ by {abs(value / expected - 1):.1e} (at most 1e-3)"
    )


def compare_throughput(args: argparse.Namespace) -> None:
    run = find_run(RUN)
    extractor = EXTRACTORS["embedded"](run, CPU, None)
    classifier: Any = find_run(CLASSIFIER).load()
    images = np.random.default_rng(0).integers(0, 256, (args.images, 32, 32, 3), np.uint8)
    ready = [torch.from_numpy(part).permute(0, 3, 1, 2).float() / 127.5 - 1 for part in batches(images)(0)]

    def network_alone() -> float:
        on_device(CPU, lambda: [classifier.classify(x) for x in ready])
        return 0.0

    def with_extract() -> float:
        extract(extractor, batches(images), len(images))
        return 0.0

    # In turns; the first round warms up.
    costs = [(timed(network_alone)[1], timed(with_extract)[1]) for _ in range(args.rounds + 1)][1:]
    for kind in Cost._fields:
        alone, extracted = (median(getattr(pair[i], kind) for pair in costs) for i in (0, 1))
        print(
            f"{kind}: bare network {args.images / alone:,.0f} images/s, extract {args.images / extracted:,.0f}, "
            f"fraction {alone / extracted:.1%} (at least 90 %)"
        )


def measure_memory(n: int) -> None:
    """Of this process: evaluates n images of a copy of the run and prints the peak in MiB."""
    with TemporaryDirectory() as folder:
        for file in ("config.json", "weights.safetensors"):
            shutil.copy(find_run(RUN).path / file, folder)
        evaluate(Run(Path(folder)), EvaluationConfig(metrics=("fid",), n=n), CPU)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def compare_memory(args: argparse.Namespace) -> None:
    peaks = {}
    for n in (args.few, args.many):
        command = [sys.executable, "-m", "benchmarks.evaluation", "--peak-of", str(n)]
        peaks[n] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"peak of an evaluation of {n:,} generated images: {peaks[n]:,.0f} MiB", flush=True)
    bytes_per_image = (peaks[args.many] - peaks[args.few]) * 2**20 / (args.many - args.few)
    extractor = EXTRACTORS["embedded"](find_run(RUN), CPU, None)
    features, doubles = 4 * (extractor.width + extractor.classes), 2 * 8 * extractor.width
    print(
        f"{bytes_per_image:,.0f} bytes per image: {features:,} for features, {doubles:,} while computing covariances; "
        f"the image itself would be {32 * 32 * 3:,} more"
    )


def main() -> None:
    parts = {"time": compare_times, "throughput": compare_throughput, "memory": compare_memory}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="time, throughput, memory (default: all)")
    parser.add_argument("--n-real", type=int, default=50_000)
    parser.add_argument("--n-fake", type=int, default=10_000)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--images", type=int, default=2_048, help="of each round of throughput")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--few", type=int, default=5_000)
    parser.add_argument("--many", type=int, default=50_000)
    parser.add_argument("--peak-of", type=int, metavar="N", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak_of:
        measure_memory(args.peak_of)
        return
    if unknown := set(args.parts) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    for name in args.parts or parts:
        print(f"{name}, {torch.get_num_threads()} threads")
        parts[name](args)


if __name__ == "__main__":
    main()
