"""Which classes an evaluation generates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ganlib.data.sets import is_imbalanced
from ganlib.metrics.frechet import frechet_of, statistics
from ganlib.metrics.generation import Generation, largest_in_proportion, proportional_labels
from ganlib.metrics.protocol import protocol
from ganlib.models import GenerativeModel
from ganlib.runs import Run
from helpers.gallery import edit_recipe
from helpers.tiny_models import write_run


def test_every_leading_part_has_the_classes_in_proportion() -> None:
    counts = [70, 0, 25, 5]
    labels = proportional_labels(counts, 400)
    assert labels.bincount(minlength=4).tolist() == [280, 0, 100, 20]
    for n in (1, 7, 50, 111, 399):
        assert np.abs(labels[:n].bincount(minlength=4).numpy() - n * np.array(counts) / 100).max() <= 1


def test_equal_classes_come_in_turn() -> None:
    assert torch.equal(proportional_labels([9] * 7, 1000), torch.arange(1000) % 7)


def test_combinations_of_attributes_are_as_frequent_as_in_the_data(tmp_path: Path) -> None:
    path = tmp_path / "faces"
    write_run(path, "sngan", attributes=("Smiling", "Male"))
    drawn = []
    for counts in ([], [20, 10, 10, 0]):
        edit_recipe(path, data__class_counts=counts)
        run = Run(path)
        model = run.load()
        assert isinstance(model, GenerativeModel)
        generation = Generation(run, model, "", {}, 40, 8)
        assert generation.labels is not None
        drawn.append((generation.proportional, generation.labels.bincount(minlength=4).tolist()))
    assert drawn == [(False, [10] * 4), (True, [20, 10, 10, 0])]


def generation_of(path: Path, model: str, counts: list[int]) -> Generation:
    write_run(path, model)
    edit_recipe(path, data__class_counts=counts)
    run = Run(path)
    loaded = run.load()
    assert isinstance(loaded, GenerativeModel)
    return Generation(run, loaded, "", {}, 40, 8)


def test_a_set_is_imbalanced_where_a_class_has_half_the_images_of_another() -> None:
    assert is_imbalanced([5000, 2997, 50])
    assert is_imbalanced([20, 10, 0])
    assert not is_imbalanced([5923, 6742, 5421])  # MNIST's
    assert not is_imbalanced([611, 842, 586])
    assert not is_imbalanced([9])
    assert not is_imbalanced([])


def test_classes_of_imbalanced_sets_are_as_frequent_as_in_the_data_and_the_protocol_says_so(tmp_path: Path) -> None:
    labels, mixes = {}, {}
    for model in ("cdcgan", "dcgan"):
        for name, counts in {"even": [9, 8, 7], "imbalanced": [14, 4, 2]}.items():
            generation = generation_of(tmp_path / f"{model}-{name}", model, counts)
            record = generation.record("fid", 1.0, protocol(generation.run, None, n_fake=40))
            assert record.protocol.key == record.from_dict(record.to_dict()).protocol.key
            drawn = None if generation.labels is None else generation.labels.bincount().tolist()
            labels[model, name], mixes[model, name] = (record.labels, drawn), record.protocol.extra
    assert labels["cdcgan", "even"] == ("balanced", [14, 13, 13])
    assert labels["cdcgan", "imbalanced"] == ("proportional", [28, 8, 4])
    assert labels["dcgan", "even"] == labels["dcgan", "imbalanced"] == ("none", None)
    # A conditional and an unconditional model compare, and neither with what was measured on even classes.
    assert mixes["cdcgan", "even"] == mixes["dcgan", "even"] == {}
    assert mixes["cdcgan", "imbalanced"] == mixes["dcgan", "imbalanced"] == {"class_mix": "in proportion"}


def test_a_perfect_generator_of_an_imbalanced_set_has_no_fid() -> None:
    counts, n = [1000, 100, 10], 1110
    means = torch.eye(3, 4) * 10

    def draw(labels: torch.Tensor, seed: int) -> torch.Tensor:
        return means[labels] + torch.randn(len(labels), 4, generator=torch.Generator().manual_seed(seed))

    real = statistics(draw(torch.arange(3).repeat_interleave(torch.tensor(counts)), 0))
    assert frechet_of(draw(proportional_labels(counts, n), 1), real) < 0.1
    assert frechet_of(draw(torch.arange(n) % 3, 1), real) > 30


def test_as_many_images_are_in_proportion_as_the_rarest_class_has() -> None:
    assert largest_in_proportion([980, 100, 50], [70, 20, 10]) == 500
    assert largest_in_proportion([980, 0, 50], [70, 0, 10]) == 400
