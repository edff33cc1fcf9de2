"""Features: of the embedded classifier, and of networks whose weights are to be had elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_fidelity
from torch.utils.data import Dataset

from ganlib.data import load_data
from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import EXTRACTORS, Extracted, extract, run_in_halves
from ganlib.metrics.fidelity import EMBEDDED, FloatLevels
from ganlib.metrics.measures import MEASURES, FakeFeatures
from ganlib.metrics.references import compute_reference
from ganlib.runs import Run

CPU = torch.device("cpu")
SMALL = EvaluationConfig(n=120, blocks=3)


class Images(Dataset[torch.Tensor]):
    """(N, H, W, 1) uint8 as torch-fidelity wants them: (3, H, W)."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.images[i]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # torch-fidelity's, on few cores
def test_streamed_metrics_equal_torch_fidelitys(root: Path) -> None:
    rng = np.random.default_rng(0)
    digits = load_data("digits").train
    real, labels = digits.images[:150], digits.labels[:150]
    fake = (real[60:150] + rng.integers(-90, 90, (90, 16, 16, 1))).clip(0, 255).astype(np.uint8)
    theirs = torch_fidelity.calculate_metrics(
        input1=Images(fake),
        input2=Images(real),
        fid=True,
        kid=True,
        isc=True,
        prc=True,
        kid_subset_size=90,
        samples_shuffle=False,
        cuda=False,
        feature_extractor=EMBEDDED,
        feature_extractor_weights_path=str(root / "judge"),
        verbose=False,
        cache=False,
        save_cpu_ram=True,  # loads in this process: coverage ends the workers of another
    )
    extractor = EXTRACTORS["embedded"](Run(root / "gan"), CPU, None)

    def measured(x: np.ndarray) -> Extracted:
        return extract(extractor, lambda start: (np.array(x[i : i + 40]) for i in range(start, len(x), 40)), len(x))

    about_real = compute_reference(measured(real).features, np.array(labels))._replace(sample=measured(real).features)
    fake_features = FakeFeatures(*measured(fake), None)
    ours = {
        v.metric: v.value for name in ("fid", "kid", "isc", "prc") for v in MEASURES[name](about_real, fake_features, 1)
    }
    assert 0.1 < ours["precision"] < 1
    assert ours == pytest.approx(
        {
            "fid": theirs["frechet_inception_distance"],
            "kid": theirs["kernel_inception_distance_mean"],
            "isc": theirs["inception_score_mean"],
            "precision": theirs["precision"],
            "recall": theirs["recall"],
        },
        rel=1e-3,
    )


def test_no_number_depends_on_the_batch_size(root: Path) -> None:
    run = Run(root / "gan")
    large = evaluate(run, SMALL, CPU)
    shutil.rmtree(root / "judge" / "references")
    small = evaluate(run, EvaluationConfig(n=120, blocks=3, batch=7), CPU)
    for a, b in zip(large, small, strict=True):
        assert a.value == pytest.approx(b.value, rel=1e-5)
        assert a.blocks == pytest.approx(b.blocks, rel=1e-5)
        assert a.protocol.key == b.protocol.key


def test_features_of_floats_are_those_of_the_same_levels(root: Path) -> None:
    extractor = EXTRACTORS["embedded"](Run(root / "gan"), CPU, None)
    levels = torch.from_numpy(np.array(load_data("digits").train.images[:4])).permute(0, 3, 1, 2)
    floats = levels.float()
    for a, b in zip(extractor.network(levels), extractor.network(floats), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert torch.equal(floats, levels)  # left as they were


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_refused(bad: float, root: Path) -> None:
    extractor = EXTRACTORS["embedded"](Run(root / "gan"), CPU, None)
    broken = replace(extractor, network=lambda x: tuple(y * bad for y in extractor.network(x)))
    images = np.array(load_data("digits").train.images[:4])
    with pytest.raises(GanlibError, match="features are not finite"):
        extract(broken, lambda start: [images], 4)


def test_a_batch_that_does_not_fit_is_done_in_halves() -> None:
    parts = []

    def compute(part: slice) -> tuple[torch.Tensor, ...]:
        parts.append((part.start, part.stop))
        if part.stop - part.start > 2:
            raise torch.OutOfMemoryError("out of memory")
        rows = torch.arange(part.start, part.stop)
        return rows, rows * 2

    rows, twice = run_in_halves(CPU, compute, slice(3, 9))
    assert rows.tolist() == list(range(3, 9))
    assert torch.equal(twice, rows * 2)
    assert parts[0] == (3, 9)
    with pytest.raises(RuntimeError, match="size"):
        run_in_halves(CPU, lambda part: (torch.ones(2) @ torch.ones(3),), slice(0, 4))


def test_unknown_extractor_is_named(root: Path) -> None:
    with pytest.raises(GanlibError, match="no extractor 'embeded'; try embedded"):
        evaluate(Run(root / "gan"), EvaluationConfig(extractor="embeded"), CPU)


def test_missing_classifier_names_the_command_that_trains_one(root: Path) -> None:
    shutil.rmtree(root / "judge")
    with pytest.raises(GanlibError, match=r"train classifier --data folder:digits --image-size 16"):
        evaluate(Run(root / "gan"), SMALL, CPU)


def test_float_levels_pass_for_bytes_and_become_plain_floats() -> None:
    floats = torch.tensor([[0.5, 254.25]])
    levels = floats.as_subclass(FloatLevels)
    assert torch.is_tensor(levels)
    assert levels.dtype == torch.uint8
    converted = levels.to(torch.float32)
    assert type(converted) is torch.Tensor
    assert torch.equal(converted, floats)
