"""Latent tests of a comparison: tables of both, the mean shift and both instruments on its result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.errors import GanlibError
from ganlib.images import grid
from ganlib.runs import Run, find_run
from ganlib.twosample.context import Context, part_of, scaled
from ganlib.twosample.feature_tests import component_table
from ganlib.twosample.latents import decode, density_table, encode, first_axis, mean_shift, require_encoder
from ganlib.twosample.network import apply, train
from ganlib.twosample.separation import separate

SHOWN = 8  # pictures before and after
LIMIT = 2_000  # images a side that are decoded and tested again

Images = NDArray[np.uint8]


def latent_section(context: Context) -> None:
    """GanlibError where no run that encodes is at hand."""
    run = find_run(context.config.encoder) if context.config.encoder else context.run
    if run is None:
        raise GanlibError("Latent tests take a run that encodes; name one with --encoder.")
    model: Any = run.load(context.device)
    require_encoder(model, run.name)
    real, synthetic = (_shaped(side.images, run) for side in (context.real, context.synthetic))
    codes = encode(model, real), encode(model, synthetic)
    groups = context.groups()
    table = component_table(*codes, groups, seed=context.config.seed).assign(network=f"latents of {run.name}")
    frames = context.result.frames
    components = [frames["components"]] if "components" in frames else []
    shifted = mean_shift(*codes)
    of_real, of_synthetic = (part_of(len(images), LIMIT) for images in (real, synthetic))
    before, after = (decode(model, rows[of_synthetic]) for rows in (codes[1], shifted))
    retested = _again(context, real[of_real], {"reconstructed": before, "mean shifted": after})
    frames["components"] = pd.concat([*components, table, *retested], ignore_index=True)
    frames["density"] = density_table(np.concatenate(codes))
    rows = [synthetic[of_synthetic[:SHOWN]], before[:SHOWN], after[:SHOWN]]
    context.result.pictures["mean_shift"] = grid(np.concatenate(rows), SHOWN)
    axis = decode(model, first_axis(np.concatenate(codes)))
    context.result.pictures["first_axis"] = grid(axis, len(axis))
    context.result.facts["latents"] = {"run": run.name, "dimension": codes[0].shape[1]}


def _shaped(images: Images, run: Run) -> Images:
    """As the run's images are. GanlibError where it knows no colour, or nothing else."""
    channels = run.config.channels
    if images.shape[3] != channels:
        raise GanlibError(
            f"{run.name} encodes images of {channels} channel{'s' * (channels > 1)}; these have {images.shape[3]}."
        )
    return scaled(images, run.config.image_size)


def _again(context: Context, real: Images, decoded: dict[str, Images]) -> list[pd.DataFrame]:
    """Both instruments, feature t-tests and the small network, on decoded images against the real ones."""
    tables, name = [], context.config.networks[0]
    for title, images in decoded.items():
        _small_network(context, real, images, title)
        try:
            network = context.network(name)
        except GanlibError as error:
            context.result.warnings.append(f"Features of {title} images were not tested: {error}")
            continue
        a, b = network(real), network(images)
        table = component_table(a, b, context.groups(LIMIT), seed=context.config.seed)
        tables.append(table.assign(network=f"{name}, {title}"))
    return tables


def _small_network(context: Context, real: Images, decoded: Images, title: str) -> None:
    images = np.concatenate([real, decoded])
    is_real = np.arange(len(images)) < len(real)
    sides = (context.training[context.is_real], context.training[~context.is_real])
    training = np.concatenate([side[part_of(len(side), LIMIT)] for side in sides])
    scores, _ = apply(
        train(images[training], is_real[training], context.device, seed=context.config.seed), images, context.device
    )
    held_out = ~training
    groups = context.groups(LIMIT)
    own = groups and (groups[0][held_out[is_real]], groups[1][held_out[~is_real]])
    result = separate(scores[held_out & is_real], scores[held_out & ~is_real], own, seed=context.config.seed)
    row = {"section": "latents", "test": "small network", "subject": f"{images.shape[1]} px, {title}"}
    row |= {"statistic": "ROC-AUC"}
    values = {"value": result.auc, "low": result.auc_interval.low, "high": result.auc_interval.high}
    values |= {"p_value": result.p_value, "n_real": result.n_real, "n_synthetic": result.n_synthetic}
    context.result.add_tests([row | values | {"sufficient": result.sufficient}])
