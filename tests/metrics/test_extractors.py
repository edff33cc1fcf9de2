"""Features: of the embedded classifier, and of networks whose weights are to be had elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_fidelity
from torch.utils.data import Dataset
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganlib.data import load_data
from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import EXTRACTORS, Extracted, extract
from ganlib.metrics.fidelity import EMBEDDED
from ganlib.metrics.measures import MEASURES, Fake
from ganlib.metrics.records import protocol_key
from ganlib.metrics.references import describe_images
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
    )
    extractor = EXTRACTORS["embedded"](Run(root / "gan"), CPU, None)

    def measured(x: np.ndarray) -> Extracted:
        return extract(extractor, lambda start: (np.array(x[i : i + 40]) for i in range(start, len(x), 40)), len(x))

    about_real = describe_images(measured(real).features, np.array(labels))._replace(sample=measured(real).features)
    made = Fake(*measured(fake), None)
    ours = {v.metric: v.value for name in ("fid", "kid", "isc", "prc") for v in MEASURES[name](about_real, made, 1)}
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
        assert a["value"] == pytest.approx(b["value"], rel=1e-5)
        assert a["blocks"] == pytest.approx(b["blocks"], rel=1e-5)
        assert protocol_key(a) == protocol_key(b)


class Blank(FeatureExtractorInceptionV3):  # type: ignore[misc]
    """torch-fidelity's Inception with fresh random weights."""

    def load_state_dict(self, *args: Any, **kwargs: Any) -> None:
        pass


def test_inception_takes_a_file_of_the_right_keys(root: Path, tmp_path: Path) -> None:
    torch.save({}, tmp_path / "none.pth")
    network = Blank(
        "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=tmp_path / "none.pth"
    )
    torch.save(network.state_dict(), tmp_path / "inception.pth")
    extractor = EXTRACTORS["inception"](Run(root / "gan"), CPU, str(tmp_path / "inception.pth"))
    images = np.array(load_data("digits").train.images[:2])
    found = extract(extractor, lambda start: [images], 2)
    expected = network(torch.from_numpy(images).permute(0, 3, 1, 2).expand(-1, 3, -1, -1))[0]
    assert found.features.shape == (2, 2048)
    assert torch.allclose(found.features, expected, rtol=1e-4, atol=1e-5)
    assert found.logits.shape == (2, 1008)
    assert "inception" in str(extractor.references)


def test_inception_refuses_what_is_not_its_weights(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(root / "gan")
    (tmp_path / "noise.pth").write_bytes(b"noise")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    torch.save(run, tmp_path / "code.pth")  # an object: unpickling it would run code
    for name in ("noise", "other", "code"):
        with pytest.raises(GanlibError, match="does not hold torch-fidelity's Inception weights"):
            EXTRACTORS["inception"](run, CPU, str(tmp_path / f"{name}.pth"))
    with pytest.raises(GanlibError, match="There is no file"):
        EXTRACTORS["inception"](run, CPU, str(tmp_path / "absent.pth"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there: no network
    with pytest.raises(GanlibError, match=r"cannot be downloaded.*--extractor-weights"):
        EXTRACTORS["inception"](run, CPU, None)


def test_unknown_extractor_is_named(root: Path) -> None:
    with pytest.raises(GanlibError, match="no extractor 'embeded'; try embedded"):
        evaluate(Run(root / "gan"), EvaluationConfig(extractor="embeded"), CPU)


def test_missing_classifier_names_the_command_that_trains_one(root: Path) -> None:
    shutil.rmtree(root / "judge")
    with pytest.raises(GanlibError, match=r"train classifier --data folder:digits --image-size 16"):
        evaluate(Run(root / "gan"), SMALL, CPU)
