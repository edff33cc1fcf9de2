"""Memorisation in a comparison: are images of the synthetic side copies of those that its model was trained on?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ganlib.data.batches import random_subset
from ganlib.data.sets import SplitName
from ganlib.errors import GanlibError
from ganlib.images import grid
from ganlib.metrics.references import load_split, load_training_images
from ganlib.runs import Run
from ganlib.twosample.context import Context, scaled
from ganlib.twosample.giveaways import through
from ganlib.twosample.groups import thumbnails
from ganlib.twosample.memorisation import Memorisation, held_out_rows, image_points, memorisation
from ganlib.twosample.result import Comparison
from ganlib.twosample.sides import File, Images, Side, usual_encoding

SHOWN = 16  # pairs of the picture
STORED = 1_000  # rows of neighbours
MOST_TRAINING = 60_000  # training images whose features are looked at


def memorisation_section(context: Context) -> None:
    training, held_out = _training_side(context), _held_out_side(context)
    size = context.images.shape[1]
    generated = context.synthetic.images
    points = [image_points(scaled(images, size)) for images in (held_out, generated)]
    found = memorisation(thumbnails(training), *points)
    add_memorisation(context.result, "pixels", found, generated, training)
    name = context.config.networks[0]
    try:
        network = context.network(name)
        of_training = network(training, _report(context, f"{name} of training images", len(training)), store=True)
        of_held_out = network(held_out, _report(context, f"{name} of held-out images", len(held_out)), store=True)
        of_generated = context.features(name, context.synthetic)
    except GanlibError as error:
        context.result.warnings.append(f"Copies were looked for in pixels alone: {error}")
        return
    found = memorisation(of_training, [of_held_out], [of_generated])
    add_memorisation(context.result, name, found, generated, training)


def _report(context: Context, stage: str, n: int) -> Callable[[int], None]:
    return lambda done: context.progress(stage, done, n)


def _training_side(context: Context) -> Images:
    """GanlibError where nothing says what the synthetic side was trained on."""
    name = context.config.training
    if name:
        return context.treated(name, MOST_TRAINING).images
    run = _run(context, "--training")
    images = load_training_images(run, context.config.data_root).images
    chosen = images[:] if len(images) <= MOST_TRAINING else images[random_subset(len(images), MOST_TRAINING)]
    return _as_sides(context, run, chosen, "train")


def _held_out_side(context: Context) -> Images:
    name = context.config.held_out
    if name:
        return context.treated(name, context.config.n).images
    run = _run(context, "--held-out")
    test = load_split(run, "test", context.config.data_root)
    held_out = held_out_rows(test.labels, context.synthetic.labels, context.config.n)
    context.result.warnings += filter(None, [held_out.warning(run.classes)])
    return _as_sides(context, run, test.images[held_out.rows], "test")


def _run(context: Context, flag: str) -> Run:
    run = context.synthetic.run
    if run is None:
        raise GanlibError(
            f"The synthetic side is no run, so that nothing says which images it was trained on; name them with {flag}."
        )
    return run


def _as_sides(context: Context, run: Run, images: Images, split: SplitName) -> Images:
    """Images of the run's data set, treated as both sides are."""
    images = scaled(images, context.images.shape[1])
    if images.shape[3] > context.images.shape[3]:
        raise GanlibError(f"{run.data_name} is in colour and the comparison in grey; name grey images with --training.")
    # Whether its files are JPEG already, only the real side's files can tell: where they are of the same set.
    encoding = None if usual_encoding(context.real.files) == context.encoding else context.encoding
    _, height, width, channels = images.shape
    files = [File(str(row), None, width, height, channels) for row in range(len(images))]
    side = Side(f"{run.data_name} {split}", images, files, np.full(len(images), -1))
    return through(side, encoding).images


def add_memorisation(
    comparison: Comparison, subject: str, result: Memorisation, generated: Images, training: Images | None
) -> None:
    """``subject``: pixels or the network; (n, H, W, C) and (t, H, W, C). ``training`` is None where its images may not
    be shown: the likeliest copies then stand alone.
    """
    n = len(result.neighbours)
    row = {"section": "memorisation", "subject": subject, "n_real": len(result.held_out), "n_synthetic": n}
    comparison.add_tests(
        [
            row | {"test": "nearer than held-out", "statistic": "Mann-Whitney", "p_value": result.p_value},
            row | {"test": "copies", "statistic": "proportion", "value": result.copies / n},
        ]
    )
    facts = {"copies": result.copies, "n": n, "threshold": result.threshold, "training_images": result.n_training}
    facts |= {"held_out_share": result.held_out_share, "fewest": result.fewest}
    comparison.facts.setdefault("memorisation", {})[subject] = facts
    neighbours = result.neighbours.assign(subject=subject).head(STORED)
    distances = pd.DataFrame(
        {
            "subject": subject,
            "side": np.repeat(["synthetic", "held-out"], [n, len(result.held_out)]),
            "ratio": np.concatenate([result.neighbours["ratio"], result.held_out["ratio"]]),
            "distance": np.concatenate([result.neighbours["distance"], result.held_out["distance"]]),
        }
    )
    frames = comparison.frames
    for name, frame in (("neighbours", neighbours), ("distances", distances)):
        frames[name] = pd.concat([frames[name], frame], ignore_index=True) if name in frames else frame
    worst = result.neighbours.head(SHOWN)
    kind = "pixels" if subject == "pixels" else "features"
    if training is None:
        comparison.pictures[f"alone_in_{kind}"] = grid(generated[worst["image"]], 8)
        return
    pairs = np.stack([generated[worst["image"]], training[worst["training"]]], axis=1)
    comparison.pictures[f"nearest_in_{kind}"] = grid(pairs.reshape(-1, *pairs.shape[2:]), 8)
