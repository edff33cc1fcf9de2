"""Images of a run as a matrix: a row a seed, a column a value of one option, or a stage of their making."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ganlib.experiments import STAGE, Matrix
from ganlib.images import captioned_grid, resize_nearest
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from ganlib.sampling import check_options, sample, sample_stages
from ganlib.ui import catalog


def draw_matrix(matrix: Matrix, run: Run) -> Image.Image:
    """One picture, each image over its seed and value. GanlibError for an option that the model lacks."""
    model = catalog.load_model(run)
    images, captions = _stages(matrix, model) if matrix.option == STAGE else _values(matrix, model)
    return captioned_grid(images, captions, len(images) // len(matrix.seeds))


def _values(matrix: Matrix, model: GenerativeModel) -> tuple[NDArray[np.uint8], list[str]]:
    options = check_options(model, dict(matrix.options))
    columns = [
        sample(model, matrix.seeds, _labels(matrix, model), **options | check_options(model, {matrix.option: value}))
        for value in matrix.values
    ]
    captions = [f"{seed}: {matrix.option}={value}" for seed in matrix.seeds for value in matrix.values]
    return np.stack(columns, 1).reshape(-1, *columns[0].shape[1:]), captions


def _stages(matrix: Matrix, model: GenerativeModel) -> tuple[NDArray[np.uint8], list[str]]:
    """Stages smaller than the image are enlarged to it."""
    options: dict[str, Any] = check_options(model, dict(matrix.options))
    stages = sample_stages(model, matrix.seeds, _labels(matrix, model), **options)
    shown = sorted(set(np.linspace(0, len(stages) - 1, catalog.MAX_STRIP).round().astype(int).tolist()))
    size = stages[-1].shape[1]
    columns = np.stack([resize_nearest(stages[i], size, size) for i in shown], 1)
    captions = [f"{seed}: {i + 1} of {len(stages)}" for seed in matrix.seeds for i in shown]
    return columns.reshape(-1, *columns.shape[2:]), captions


def _labels(matrix: Matrix, model: GenerativeModel) -> torch.Tensor | None:
    """Classes in turn, where the model has them."""
    return torch.arange(len(matrix.seeds)) % model.config.num_classes if model.conditional else None
