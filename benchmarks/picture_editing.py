"""Holes filled and pictures enlarged, beside what needs no model, on held-out pictures.

``python -m benchmarks.picture_editing RUN… [--n N] [--hole KIND]`` prints a table of Markdown for each task: the mean
over test pictures with its 95 % interval, and the processor's seconds for a picture, which do not grow with what else
the machine computes. All runs are of one data set and size. Of several results of a hole the one that fits best around
it counts: no wanted picture has a part in that.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from time import process_time
from typing import NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from ganlib.applications.inpainting import METHODS, Inpainting, InpaintingConfig, methods_of
from ganlib.applications.superresolution import FILTERS, enlarge, enlarges, filtered
from ganlib.data import Split
from ganlib.data.batches import stratified_indices
from ganlib.errors import GanlibError
from ganlib.images import from_uint8, to_uint8
from ganlib.intervals import mean_interval
from ganlib.metrics.references import load_split
from ganlib.metrics.similarity import SIMILARITIES
from ganlib.models import GenerativeModel, ImageToImage, Trainable
from ganlib.nn.degradations import shrink
from ganlib.nn.masks import Hole, draw_masks
from ganlib.records import METRICS
from ganlib.runs import Run, find_run

TELEA_RADIUS = 3  # pixels around each that it is made of, as in OpenCV's examples

Picture = NDArray[np.uint8]  # (H, W, C)


class Case(NamedTuple):
    picture: Picture
    label: int  # -1 = none
    hole: NDArray[np.bool_]  # (H, W)


Method = Callable[[Case], Picture]


def mean_colour(case: Case) -> Picture:
    """Of what is known."""
    result = case.picture.copy()
    result[case.hole] = case.picture[~case.hole].mean(axis=0).round().astype(np.uint8)
    return result


def biharmonic(case: Case) -> Picture:
    """The smoothest continuation: Damelin, Hoang, arXiv:1505.05015."""
    from skimage.restoration import inpaint_biharmonic

    filled = inpaint_biharmonic(case.picture / 255, case.hole, channel_axis=-1)
    result = np.round(255 * filled.clip(0, 1)).astype(np.uint8)
    return np.where(case.hole[..., None], result, case.picture)


def telea(case: Case) -> Picture:
    """Marches inwards from the hole's edge: Telea, Journal of Graphics Tools 9 (2004). GanlibError without OpenCV."""
    try:
        import cv2
    except ImportError:
        raise GanlibError(
            "Telea's inpainting is OpenCV's, a tool of development; pip install -r requirements/dev.txt."
        ) from None
    filled = cv2.inpaint(case.picture, case.hole.astype(np.uint8), TELEA_RADIUS, cv2.INPAINT_TELEA)
    return np.asarray(filled, np.uint8).reshape(case.picture.shape)


def fill(model: Trainable, method: str) -> Method:
    def compute(case: Case) -> Picture:
        label = case.label if isinstance(model, GenerativeModel) and model.conditional else None
        mask = torch.from_numpy(case.hole[None, None].astype(np.float32))
        name = next(m for m in METHODS if m == method)
        inpainting = Inpainting(model, from_uint8(case.picture[None]), mask, label, InpaintingConfig(), name)
        results = inpainting.finish()
        return results[int(np.nan_to_num(inpainting.losses).argmin())]

    return compute


def small(case: Case, scale: int) -> Picture:
    return to_uint8(shrink(from_uint8(case.picture[None]), scale))[0]


def cases(test: Split, n: int, hole: Hole) -> Iterator[Case]:
    """Picture i has the hole of seed i."""
    for i, row in enumerate(np.sort(stratified_indices(test.labels, n))):
        mask = draw_masks([hole], 1, test.images.shape[1], Generator().manual_seed(i))[0, 0].numpy() > 0
        yield Case(np.array(test.images[row]), int(test.labels[row]), mask)


def print_table(title: str, methods: dict[str, Method], held_out: Sequence[Case]) -> None:
    print(f"\n{title}, {len(held_out)} test pictures\n")
    print(f"| | {' | '.join(METRICS[name].label for name in SIMILARITIES)} | CPU seconds |")
    print(f"|-|{'-|' * len(SIMILARITIES)}-|")
    wanted = np.stack([case.picture for case in held_out])
    for name, method in methods.items():
        start = process_time()
        results = np.stack([method(case) for case in held_out])
        seconds = (process_time() - start) / len(held_out)
        cells = [_mean(measure(results, wanted).tolist()) for measure in SIMILARITIES.values()]
        print(f"| {name} | {' | '.join(cells)} | {seconds:.2g} |", flush=True)


def _mean(values: list[float]) -> str:
    interval = mean_interval(values)
    return f"{np.mean(values):.3g}" + (f" ± {interval.half_width:.2g}" if interval else "")


def filling_methods(runs: dict[Run, Trainable]) -> dict[str, Method]:
    own: dict[str, Method] = {
        f"{run.name}, {method}": fill(model, method) for run, model in runs.items() for method in methods_of(model)
    }
    return {"mean colour": mean_colour, "Telea": telea, "biharmonic": biharmonic} | own if own else {}


def enlarging_methods(runs: dict[Run, Trainable], scale: int) -> dict[str, Method]:
    own: dict[str, Method] = {
        run.name: lambda case, model=model: enlarge(model, small(case, scale))[0]  # type: ignore[misc]
        for run, model in runs.items()
        if isinstance(model, ImageToImage) and enlarges(model) and model.scale == scale
    }
    plain: dict[str, Method] = {
        name: lambda case, name=name: filtered(small(case, scale), scale, name)  # type: ignore[misc]
        for name in FILTERS
    }
    return plain | own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--n", type=int, default=50, help="test pictures (default: 50)")
    parser.add_argument("--hole", choices=get_args(Hole), default="centre")
    args = parser.parse_args()
    runs = {run: run.load() for run in map(find_run, args.runs)}
    data = {(run.data_name, run.config.image_size, run.config.channels) for run in runs}
    if len(data) > 1:
        raise GanlibError(f"These runs are of {len(data)} data sets or sizes; measure those of one at a time.")
    held_out = list(cases(load_split(next(iter(runs)), "test", None), args.n, args.hole))
    if methods := filling_methods(runs):
        print_table(f"Holes: {args.hole}", methods, held_out)
    scales = {model.scale for model in runs.values() if isinstance(model, ImageToImage) and enlarges(model)}
    for scale in sorted(scales):
        print_table(f"Enlarged {scale} times", enlarging_methods(runs, scale), held_out)


if __name__ == "__main__":
    main()
