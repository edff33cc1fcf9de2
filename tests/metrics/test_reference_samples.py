"""Which real images KID, precision, recall, density and coverage compare with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from ganlib.data.batches import stratified_indices
from ganlib.errors import GanlibError
from ganlib.metrics.references import SAMPLE, compute_reference, read_reference


def sample_of(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """(m,) rows of a set that lies class by class, and their classes."""
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = compute_reference(torch.arange(len(labels)).float()[:, None], labels).sample[:, 0].long().numpy()
    return rows, labels[rows]


@pytest.mark.parametrize("counts", [[6000] * 3, [5923, 6742, 5421], [5000, 100, 10]], ids=["even", "MNIST", "few"])
def test_of_even_classes_and_of_all_images_it_is_the_sample_that_it_always_was(counts: list[int]) -> None:
    rows, _ = sample_of(counts)
    assert np.array_equal(rows, stratified_indices(np.repeat(np.arange(3), counts), SAMPLE))


def test_of_imbalanced_classes_it_is_random() -> None:
    counts = np.array([12_000, 6_000, 300])
    rows, classes = sample_of(counts.tolist())
    assert len(set(rows.tolist())) == SAMPLE
    share = counts / counts.sum()
    error = np.sqrt(share * (1 - share) * SAMPLE * (1 - SAMPLE / counts.sum()))
    assert (np.abs(np.bincount(classes) - share * SAMPLE) < 4 * error).all()


@pytest.mark.parametrize(("sample", "refused"), [(None, True), ("random", False)])
def test_a_stored_sample_that_is_even_over_imbalanced_classes_is_measured_again(
    tmp_path: Path, sample: str | None, refused: bool
) -> None:
    extractor: Any = SimpleNamespace(width=1, hash="h")
    tensors: dict[str, np.ndarray] = {
        "mu": np.zeros(1),
        "sigma": np.ones((1, 1)),
        "sample": np.zeros((SAMPLE, 1), np.float32),
        "class_mu": np.zeros((2, 1), np.float32),
        "class_sigma": np.ones((2, 1, 1), np.float32),
        "class_n": np.array([11_000, 1_000]),
    }
    metadata = {"n": "12000", "split": "train", "fingerprint": "f", "extractor_hash": "h"}
    path = tmp_path / "train-f.safetensors"
    save_file(tensors, path, metadata | ({"sample": sample} if sample else {}))
    if refused:
        with pytest.raises(GanlibError, match="even over imbalanced classes"):
            read_reference(path, extractor, "f", "train")
    else:
        assert read_reference(path, extractor, "f", "train").statistics.n == 12_000
