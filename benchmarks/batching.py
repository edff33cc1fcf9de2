"""Requests a second of sessions that ask at once: drawn one by one, and by the sampler that joins them.

    python -m benchmarks.batching [RUN …] [--sessions 10] [--images 1 16]

Both ways draw the same requests in turn within one process, with one thread. "other seeds": no two sessions want the
same images; "the next seed": each moves on by one seed, as by a key press, and has what it drew before.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import Any

import torch

from ganlib.applications.edits import generate, generate_items, items_of
from ganlib.applications.serving import BatchingSampler
from ganlib.runs import Run, find_run
from ganlib.sampling.request import SampleRequest

FAR = 1000  # seeds between two sessions


def requests_of(run: Run, model: Any, sessions: int, images: int, step: int) -> list[SampleRequest]:
    classes = (0,) if model.conditional else ()
    starts = [FAR * i + step for i in range(sessions)]
    return [SampleRequest(run, classes, tuple(range(start, start + images))) for start in starts]


def measure(run: Run, sessions: int, images: int) -> None:
    model: Any = run.load()
    sampler = BatchingSampler()
    generate(model, requests_of(run, model, 1, images, 0)[0])
    for step, kind in enumerate(("other seeds", "the next seed", "the next seed")):
        requests = requests_of(run, model, sessions, images, step)
        start = time.perf_counter()
        for request in requests:
            generate(model, request)
        middle = time.perf_counter()
        tickets = [
            sampler.submit(i, "group", items_of(request), partial(generate_items, model, request))
            for i, request in enumerate(requests)
        ]
        for ticket in tickets:
            ticket.result()
        one_by_one, joined = middle - start, time.perf_counter() - middle
        print(
            f"| {run.name} | {images} | {kind} | {sessions / one_by_one:.1f} | {sessions / joined:.1f} | "
            f"{one_by_one / joined:.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", metavar="RUN", default=["digits-cdcgan", "cifar10-sngan"])
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--images", type=int, nargs="+", default=[1, 16])
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("| run | images of a request | seeds | one by one, requests/s | joined | ratio |")
    print("|-|-|-|-|-|-|")
    for name in args.runs:
        for images in args.images:
            measure(find_run(name), args.sessions, images)


if __name__ == "__main__":
    main()
