"""Latent codes of real and synthetic images: t-tests of them, the mean shift, where they lie dense.

The mean shift moves the codes of synthetic images so that their mean is that of the real ones' codes, and decodes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor

from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.images import from_uint8, to_uint8
from ganlib.models import Encodes, GenerativeModel, Latents

CHUNK = 64
REACH = 1.5  # of an axis on either side of 0, within which points are counted
AXES = 8  # principal axes of the density table
STEPS = np.linspace(-4, 4, 9)  # standard deviations along the first axis at which codes are decoded

Images = NDArray[np.uint8]
Codes = NDArray[np.floating]


def require_encoder(model: Any, name: str) -> None:
    """GanlibError unless the model encodes and decodes."""
    if not (isinstance(model, Encodes) and isinstance(model, GenerativeModel)):
        raise GanlibError(f"{name} does not encode images; name a VAE, AAE, BiGAN or VAE-GAN with --encoder.")


def encode(model: Any, images: Images) -> Codes:
    """(N, S, S, C) of the model's own shape -> (N, d) codes."""

    def compute(part: slice) -> Tensor:
        return model.encode(from_uint8(images[part], model.device)).z.flatten(1).float().cpu()

    return torch.cat([on_device(model.device, partial(compute, part)) for part in _chunks(len(images))]).numpy()


def decode(model: Any, codes: Codes) -> Images:
    """(N, d) -> (N, S, S, C). A conditional decoder gets all classes in equal parts: the codes have none."""
    shape = model.latent_shape

    def compute(part: slice) -> Images:
        z = torch.from_numpy(codes[part]).float().view(-1, *shape).to(model.device)
        labels = None
        if model.conditional:
            k = model.config.num_classes
            labels = torch.full((len(z), k), 1 / k, device=model.device)
        return to_uint8(model.generate(Latents(z, torch.zeros(len(z), dtype=torch.int64)), labels))

    return np.concatenate([on_device(model.device, partial(compute, part)) for part in _chunks(len(codes))])


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, n, CHUNK))


def mean_shift(real: Codes, synthetic: Codes) -> Codes:
    """(n, d), (m, d) -> (m, d): the synthetic codes, moved so that their mean is the real ones'."""
    return synthetic + (real.mean(axis=0) - synthetic.mean(axis=0))


def density_table(codes: Codes) -> pd.DataFrame:
    """Of the first principal axes: axis, explained (share of the variance), within (share of points between ±1.5) and
    per_unit (points between ±1.5 for each unit of length)."""
    axes = min(AXES, *codes.shape)
    model = PCA(axes, random_state=0)
    points = model.fit_transform(codes)
    within = (abs(points) <= REACH).mean(axis=0)
    columns = {"axis": np.arange(1, axes + 1), "explained": model.explained_variance_ratio_, "within": within}
    return pd.DataFrame(columns | {"per_unit": within * len(codes) / (2 * REACH)})


def first_axis(codes: Codes) -> Codes:
    """(9, d): from the mean, 4 standard deviations back and forth along the first principal axis. Its ends are where
    points are sparse."""
    model = PCA(1, random_state=0).fit(codes)
    deviation = np.sqrt(model.explained_variance_[0])
    return (codes.mean(axis=0) + STEPS[:, None] * deviation * model.components_[0]).astype(np.float32)
