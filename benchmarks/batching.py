"""Requests a second of sessions that ask at once: drawn one by one, and by the sampler that joins them.

    python -m benchmarks.batching [RUN …] [--sessions 10] [--images 1 16] [--rounds 5]

Both ways draw the same requests in turn within one process, with one thread; the best of some rounds counts, since
other work can only slow one down. "other seeds": no two sessions want the same images; "the next seed": each moves on
by one seed, as by a key press, and has what it drew before. The last columns: milliseconds until a request is there, on
average.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from statistics import mean
from typing import Any

import torch

from ganlib.applications.edits import generate, generate_items, items_of
from ganlib.applications.serving import BatchingSampler
from ganlib.runs import Run, find_run
from ganlib.sampling.request import SampleRequest

FAR = 1000  # seeds between two sessions


def requests_of(run: Run, model: Any, sessions: int, images: int, first: int) -> list[SampleRequest]:
    classes = (0,) if model.conditional else ()
    starts = [FAR * i + first for i in range(sessions)]
    return [SampleRequest(run, classes, tuple(range(start, start + images))) for start in starts]


def one_by_one(model: Any, requests: list[SampleRequest]) -> list[float]:
    """Seconds until each request is there."""
    start = time.perf_counter()
    ends = []
    for request in requests:
        generate(model, request)
        ends.append(time.perf_counter() - start)
    return ends


def joined(sampler: BatchingSampler, model: Any, requests: list[SampleRequest]) -> list[float]:
    start = time.perf_counter()
    tickets = [
        sampler.submit(i, "group", items_of(request), partial(generate_items, model, request))
        for i, request in enumerate(requests)
    ]
    ends = []
    for ticket in tickets:
        ticket.result()
        ends.append(time.perf_counter() - start)
    return ends


def measure(run: Run, sessions: int, images: int, rounds: int) -> None:
    model: Any = run.load()
    sampler = BatchingSampler()
    for number, kind in enumerate(("other seeds", "the next seed")):
        results: list[tuple[list[float], list[float]]] = []
        for turn in range(rounds):
            requests = requests_of(run, model, sessions, images, (0 if number else 200 * turn) + number * (turn + 1))
            pair = one_by_one(model, requests), joined(sampler, model, requests)
            results.append(pair)
        alone, together = (min(ends[-1] for ends in way) for way in zip(*results, strict=True))
        waits = (1000 * min(map(mean, way)) for way in zip(*results, strict=True))
        rates = f"{sessions / alone:.1f} | {sessions / together:.1f} | {alone / together:.1f}"
        print(f"| {run.name} | {images} | {kind} | {rates} | {' | '.join(f'{w:.0f}' for w in waits)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", metavar="RUN", default=["digits-cdcgan", "cifar10-sngan"])
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--images", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("| run | images of a request | seeds | one by one, requests/s | joined | ratio | ms, one by one | joined |")
    print("|-|-|-|-|-|-|-|-|")
    for name in args.runs:
        for images in args.images:
            measure(find_run(name), args.sessions, images, args.rounds)


if __name__ == "__main__":
    main()
