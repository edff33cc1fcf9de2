"""Nearest training images of one image: exact, mirrored, and of what the run has seen alone."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.data import load_data
from ganlib.data.batches import stratified_subset
from ganlib.errors import GanlibError
from ganlib.metrics.references import load_training_images
from ganlib.runs import Run
from ganlib.ui.inspection import nearest_training_images
from helpers.gallery import digits_run, edit_recipe


@pytest.fixture(scope="module")
def train() -> np.ndarray:
    return np.array(load_data("digits").train.images)


def with_training(run: Run, **fields: object) -> Run:
    edit_recipe(run.path, training=fields)
    return Run(run.path)


def test_a_training_image_is_its_own_nearest_and_the_next_ones_follow(tmp_path, train):
    neighbours = nearest_training_images(digits_run(tmp_path / "run"), train[7], 4)
    assert (neighbours[0].image == train[7]).all()
    differences = [neighbour.difference for neighbour in neighbours]
    assert differences[0] == 0
    assert differences == sorted(differences)
    expected = np.sort(np.sqrt(np.square(train.astype(float) - train[7]).mean((1, 2, 3))))[:4]
    assert differences == pytest.approx(expected, rel=1e-4)


def test_mirrored_images_count_where_the_run_saw_them_so(tmp_path, train):
    run = digits_run(tmp_path / "run")
    mirrored = train[3][:, ::-1]
    assert nearest_training_images(with_training(run, flip="off"), mirrored, 1)[0].difference > 0
    (nearest,) = nearest_training_images(with_training(run, flip="on"), mirrored, 1)
    assert (nearest.difference, nearest.mirrored) == (0, True)
    assert (nearest.image == mirrored).all()


def test_only_what_the_run_was_trained_on_is_searched(tmp_path, train):
    run = with_training(digits_run(tmp_path / "run"), only=40)
    rows = stratified_subset(load_data("digits").train.labels, 40)
    assert (load_training_images(run, None).images == train[rows]).all()
    unseen = next(row for row in range(len(train)) if row not in rows)
    assert nearest_training_images(run, train[unseen], 1)[0].difference > 0
    assert nearest_training_images(run, train[rows[5]], 1)[0].difference == 0


def test_other_pixels_under_the_same_name_are_refused(tmp_path, train):
    run = digits_run(tmp_path / "run")
    edit_recipe(run.path, data__train={"n": 3, "fingerprint": "0" * 16})
    with pytest.raises(GanlibError, match="are not those of run"):
        nearest_training_images(Run(run.path), train[0])
