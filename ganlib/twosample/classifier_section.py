"""Classifier two-sample tests of a comparison: small networks, logistic regression, nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import rankdata

from ganlib.errors import GanlibError
from ganlib.images import grid
from ganlib.twosample.context import Context, scaled
from ganlib.twosample.network import EPOCHS, SmallNetwork, activation_maps, apply, sizes_for, train
from ganlib.twosample.separation import Separation, separate
from ganlib.twosample.strong import logistic_scores, neighbour_test, principal_plane

SHOWN = 16  # pictures of a grid
COLUMNS = 8
POINTS = 1_000  # of either side in the plane
MAPPED = 2  # images of either side whose activations are shown

Scores = NDArray[np.float64]


def classifier_section(context: Context) -> None:
    """A classifier that cannot be had leaves a warning; the others go on."""
    first = True
    for size in sizes_for(context.native):
        _small_network(context, size, with_pictures=first)
        first = False
    name = context.config.networks[0]
    try:
        features = context.joint_features(name)
    except GanlibError as error:
        context.result.warnings.append(f"Strong classifiers were left out: {error}")
        return
    _logistic(context, name, features)
    test = neighbour_test(features, context.is_real, context.grouping.groups, seed=context.config.seed)
    context.result.add_tests(
        [
            {
                "section": "classifier",
                "test": "nearest neighbour",
                "subject": name,
                "statistic": "accuracy",
                "value": test.accuracy,
                "p_value": test.p_value,
                **_counts(context, np.ones_like(context.is_real)),
            }
        ]
    )
    sides = {"real_accuracy": test.real_accuracy, "synthetic_accuracy": test.synthetic_accuracy}
    context.result.facts["nearest_neighbour"] = sides


def _small_network(context: Context, size: int, *, with_pictures: bool) -> None:
    images, training, seed = scaled(context.images, size), context.training, context.config.seed
    runs = 2 if with_pictures else 1
    total = runs * EPOCHS * int(training.sum())

    def fit(rows: NDArray[np.bool_], before: int) -> SmallNetwork:
        def report(done: int) -> None:
            context.progress(f"network at {size} px", min(before + done, total), total)

        return train(images[rows], context.is_real[rows], context.device, seed=seed, progress=report)

    network = fit(training, 0)
    scores, features = apply(network, images, context.device)
    _add_separation(context, "small network", f"{size} px", scores)
    if not with_pictures:
        return
    held_out = ~training
    _add_plane(context, features.numpy(), held_out)
    _add_units(context, features.numpy(), held_out)
    context.result.pictures["activations"] = _activations(network, images, context, held_out)
    # The images of the training half are scored by a network that learned from the other half: for pictures alone.
    swapped, _ = apply(fit(held_out, EPOCHS * int(training.sum())), images[training], context.device)
    ranks = np.empty(len(images))
    ranks[held_out] = rankdata(scores[held_out]) / held_out.sum()
    ranks[training] = rankdata(swapped) / training.sum()
    _add_pictures(context, ranks)


def _logistic(context: Context, name: str, features: NDArray[np.floating]) -> None:
    scores = logistic_scores(features, context.is_real, context.training)
    _add_separation(context, "logistic regression", name, scores)


def _add_separation(context: Context, test: str, subject: str, scores: Scores) -> None:
    """The test of the held-out half's scores."""
    held_out, real = ~context.training, context.is_real
    groups = context.grouping.groups
    pair = None if context.grouping.trivial else (groups[held_out & real], groups[held_out & ~real])
    result = separate(scores[held_out & real], scores[held_out & ~real], pair, seed=context.config.seed)
    row = {"section": "classifier", "test": test, "subject": subject, **_counts(context, held_out)}
    context.result.add_tests([row | _auc(result), row | _average_precision(result)])
    roc = result.roc.assign(test=test, subject=subject)
    frames = context.result.frames
    frames["roc"] = pd.concat([frames["roc"], roc], ignore_index=True) if "roc" in frames else roc
    context.result.facts["grouped"] = pair is not None
    context.result.facts.setdefault("detectable_auc", {})[f"{test}, {subject}"] = result.detectable_auc


def _auc(result: Separation) -> dict[str, Any]:
    interval = result.auc_interval
    return {
        "statistic": "ROC-AUC",
        "value": result.auc,
        "low": interval.low,
        "high": interval.high,
        "p_value": result.p_value,
        "sufficient": result.sufficient,
    }


def _average_precision(result: Separation) -> dict[str, Any]:
    interval = result.average_precision_interval
    values = {"value": result.average_precision, "low": interval.low, "high": interval.high}
    return {"statistic": "average precision", **values}


def _counts(context: Context, rows: NDArray[np.bool_]) -> dict[str, int]:
    return {
        "n_real": int((rows & context.is_real).sum()),
        "n_synthetic": int((rows & ~context.is_real).sum()),
    }


def _add_plane(context: Context, features: NDArray[np.float32], held_out: NDArray[np.bool_]) -> None:
    """PCA of the 64 features of the held-out images."""
    plane = principal_plane(features[held_out])
    frame = pd.DataFrame(plane.points, columns=["x", "y"])
    frame["side"] = np.where(context.is_real[held_out], "real", "synthetic")
    context.result.frames["plane"] = frame.groupby("side").head(POINTS).reset_index(drop=True)
    context.result.facts["explained_variance"] = list(plane.explained)


def _add_units(context: Context, features: NDArray[np.float32], held_out: NDArray[np.bool_]) -> None:
    """The mean of each of the 64 units over either side's held-out images."""
    means = {
        name: features[held_out & rows].mean(axis=0)
        for name, rows in (("real", context.is_real), ("synthetic", ~context.is_real))
    }
    context.result.frames["units"] = pd.DataFrame({"unit": range(features.shape[1])} | means)


def _activations(
    network: SmallNetwork, images: NDArray[np.uint8], context: Context, held_out: NDArray[np.bool_]
) -> Image.Image:
    """A row an image: the image, what both convolutions and, as columns of 8 units, the connected layer show of it."""
    chosen = [np.flatnonzero(held_out & rows)[:MAPPED] for rows in (context.is_real, ~context.is_real)]
    shown = images[np.concatenate(chosen)]
    maps = activation_maps(network, shown, context.device)
    size = images.shape[1]
    cells: list[NDArray[np.uint8]] = []
    for i, image in enumerate(shown):
        cells.append(np.broadcast_to(image, (size, size, 3)))
        for name in ("conv1", "conv2"):
            cells += [_levels(channel, maps[name][:, c].max(), size) for c, channel in enumerate(maps[name][i])]
        cells.append(_levels(maps["fc"][i].reshape(8, 8), maps["fc"].max(), size))
    return grid(np.stack(cells), len(cells) // len(shown))


def _levels(values: NDArray[np.float32], largest: float, size: int) -> NDArray[np.uint8]:
    """(h, w) from 0 on -> (size, size, 3), white at ``largest``."""
    scaled_values = torch.from_numpy(values / max(float(largest), 1e-9))[None, None]
    enlarged = torch.nn.functional.interpolate(scaled_values, size=(size, size), mode="nearest")[0, 0]
    return np.repeat((enlarged * 255).byte().numpy()[:, :, None], 3, axis=2)


def _add_pictures(context: Context, ranks: Scores) -> None:
    """Of either side those most surely called real and most surely called synthetic, by out-of-fold ranks."""
    for name, rows in (("real", context.is_real), ("synthetic", ~context.is_real)):
        members = np.flatnonzero(rows)
        order = members[np.argsort(ranks[members], kind="stable")]
        for verdict, chosen in (("real", order[::-1][:SHOWN]), ("synthetic", order[:SHOWN])):
            context.result.pictures[f"{name}_called_{verdict}"] = grid(context.images[chosen], COLUMNS)
