"""Extractors of files: the right keys with random values are taken, all else is refused, nothing is run."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch_fidelity.feature_extractor_clip import CLIPVisual, FeatureExtractorCLIP
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganlib.data import load_data
from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.dinov2 import DinoV2
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import EXTRACTORS, Extractor, extract
from ganlib.metrics.fidelity import PRETRAINED
from ganlib.metrics.weights import sha256
from ganlib.runs import Run

CPU = torch.device("cpu")
WIDTHS = {"clip": 24, "dinov2": 64}


class Blank(FeatureExtractorInceptionV3):  # type: ignore[misc]
    """torch-fidelity's Inception with fresh random weights."""

    def load_state_dict(self, *args: Any, **kwargs: Any) -> None:
        pass


class Program(nn.Module):
    """As OpenAI publishes CLIP, but small: two blocks of 64 channels on 2 x 2 patches."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = CLIPVisual(WIDTHS["clip"], 32, 2, 64, 16).visual
        self.text_projection = nn.Parameter(torch.zeros(7, WIDTHS["clip"]))

    def forward(self, x: Tensor) -> Tensor:
        return self.visual(x) @ self.text_projection.T


def save_clip(path: Path) -> None:
    torch.save({key: value.half() for key, value in Program().state_dict().items()}, path)


def save_dinov2(path: Path) -> None:
    network = DinoV2(WIDTHS["dinov2"], 2, 14, 9)
    torch.save({key: torch.randn_like(value) * 0.2 for key, value in network.state_dict().items()}, path)


SMALL: dict[str, Callable[[Path], None]] = {"clip": save_clip, "dinov2": save_dinov2}


@pytest.fixture
def images() -> np.ndarray:
    return np.array(load_data("digits").train.images[:3])


def measured(extractor: Extractor, images: np.ndarray) -> Tensor:
    return extract(extractor, lambda start: [images], len(images)).features


@pytest.mark.slow
def test_inception_takes_a_file_of_the_right_keys(root: Path, tmp_path: Path, images: np.ndarray) -> None:
    torch.save({}, tmp_path / "none.pth")
    network = Blank(
        "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=tmp_path / "none.pth"
    )
    torch.save(network.state_dict(), tmp_path / "inception.pth")
    extractor = EXTRACTORS["inception"](Run(root / "gan"), CPU, str(tmp_path / "inception.pth"))
    result = extract(extractor, lambda start: [images], 3)
    x = torch.from_numpy(images).permute(0, 3, 1, 2)
    assert torch.allclose(result.features, network(x.expand(-1, 3, -1, -1))[0], rtol=1e-4, atol=1e-5)
    assert torch.allclose(extractor.network(x.float())[0], result.features, rtol=1e-4, atol=1e-5)
    assert (result.features.shape, result.logits.shape) == ((3, 2048), (3, 1008))
    assert (extractor.width, extractor.classes) == (2048, 1008)
    assert "inception" in str(extractor.references)


@pytest.mark.slow
def test_vgg16_takes_a_file_of_the_right_keys(root: Path, tmp_path: Path, images: np.ndarray) -> None:
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in torchvision.models.vgg16().state_dict().items()}
    # One row for all: the file is small, and loads as if it were whole.
    values = {key: (0.05 * torch.randn(shape[-1])).expand(shape) for key, shape in shapes.items()}
    torch.save(values, tmp_path / "vgg.pth")
    extractor = EXTRACTORS["vgg16"](Run(root / "gan"), CPU, str(tmp_path / "vgg.pth"))
    assert (extractor.width, extractor.classes, extractor.resizer) == (4096, 0, "torch-fidelity bilinear 224")
    result = measured(extractor, images)
    assert result.shape == (3, 4096)
    assert result.min() >= 0
    floats = extractor.network(torch.from_numpy(images).permute(0, 3, 1, 2).float())[0]
    assert torch.allclose(floats, result, rtol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_others_take_files_of_any_of_their_sizes(name: str, root: Path, tmp_path: Path, images: np.ndarray) -> None:
    SMALL[name](tmp_path / "small.pth")
    extractor = EXTRACTORS[name](Run(root / "gan"), CPU, str(tmp_path / "small.pth"))
    result = measured(extractor, images)
    assert result.shape == (3, WIDTHS[name])
    assert (extractor.width, extractor.classes, extractor.identity) == (WIDTHS[name], 0, "small.pth")
    assert result.std() > 0
    floats = extractor.network(torch.from_numpy(images).permute(0, 3, 1, 2).float())[0]
    assert torch.allclose(floats, result, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_an_evaluation_by_them_has_no_inception_score(name: str, root: Path, tmp_path: Path) -> None:
    SMALL[name](tmp_path / "small.pth")
    settings: dict[str, Any] = {
        "extractor": name,
        "extractor_weights": str(tmp_path / "small.pth"),
        "n": 24,
        "blocks": 2,
    }
    run, stages = Run(root / "gan"), []
    result = evaluate(run, EvaluationConfig(metrics=("fid", "kid", "prc", "class_agreement", "ppl"), **settings), CPU)
    assert [r.metric for r in result] == ["fid", "kid", "precision", "recall", "ppl"]
    assert {r.protocol.extractor for r in result} == {name}
    with pytest.raises(GanlibError, match=f"logits, which {name} has not; leave isc out"):
        evaluate(run, EvaluationConfig(metrics=("isc",), **settings), CPU, progress=lambda *seen: stages.append(seen))
    with pytest.raises(GanlibError, match=f"no class_agreement by the extractor {name}; choose other"):
        evaluate(
            run,
            EvaluationConfig(metrics=("class_agreement",), **settings),
            CPU,
            progress=lambda *seen: stages.append(seen),
        )
    assert stages == []


def test_clips_published_program_is_run_only_if_it_is_that(
    root: Path, tmp_path: Path, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, path, program = Run(root / "gan"), tmp_path / "program.pt", Program().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # programs are deprecated
        torch.jit.trace(program, torch.zeros(1, 3, 32, 32)).save(path)
        theirs = FeatureExtractorCLIP("clip-vit-b-32", ["clip"], feature_extractor_weights_path=str(path))
    with pytest.raises(GanlibError, match="does not hold OpenAI's CLIP weights"):
        EXTRACTORS["clip"](run, CPU, str(path))
    published = PRETRAINED["clip"]
    known = published._replace(source=published.source._replace(sha256=sha256(path)))
    monkeypatch.setitem(PRETRAINED, "clip", known)
    expected = theirs(torch.from_numpy(images).permute(0, 3, 1, 2).expand(-1, 3, -1, -1))[0]
    assert torch.allclose(measured(EXTRACTORS["clip"](run, CPU, str(path)), images), expected, atol=1e-5)


def test_dinov2s_blocks_are_those_of_a_transformer() -> None:
    network = DinoV2(64, 1, 14, 4).eval().requires_grad_(False)
    block: Any = network.blocks[0]
    known = nn.TransformerEncoderLayer(
        64, 1, 256, dropout=0, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    ).eval()
    known.load_state_dict(
        {
            "self_attn.in_proj_weight": block.attn.qkv.weight,
            "self_attn.in_proj_bias": block.attn.qkv.bias,
            "self_attn.out_proj.weight": block.attn.proj.weight,
            "self_attn.out_proj.bias": block.attn.proj.bias,
            **{f"linear{i}.{kind}": getattr(block.mlp, f"fc{i}").state_dict()[kind] for i in (1, 2) for kind in KINDS},
            **{f"norm{i}.{kind}": getattr(block, f"norm{i}").state_dict()[kind] for i in (1, 2) for kind in KINDS},
        }
    )
    x = torch.randn(2, 5, 64)
    assert torch.allclose(block(x), known(x), atol=1e-5)
    block.ls1.gamma.zero_()
    block.ls2.gamma.zero_()
    assert torch.equal(block(x), x)


KINDS = ("weight", "bias")


def test_dinov2s_positions_are_resized_to_the_grid() -> None:
    network = DinoV2(64, 1, 14, 9).requires_grad_(False)
    network.pos_embed.copy_(torch.randn(1, 10, 64))
    assert network.positions(3, 3) is network.pos_embed
    resized = network.positions(16, 16)
    assert resized.shape == (1, 257, 64)
    assert torch.equal(resized[:, 0], network.pos_embed[:, 0])
    network.pos_embed[:, 1:] = 2.0
    assert torch.allclose(network.positions(16, 16)[:, 1:], torch.tensor(2.0))


@pytest.mark.parametrize("name", PRETRAINED)
def test_what_is_not_the_weights_is_refused(
    name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, what = Run(root / "gan"), PRETRAINED[name].source.name
    (tmp_path / "noise.pth").write_bytes(b"noise")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    torch.save(run, tmp_path / "code.pth")  # an object: unpickling it would run code
    monkeypatch.setattr("torchvision.models.vgg16", lambda: nn.Linear(2, 2))  # that of 138 M weights takes seconds
    for file in ("noise", "other", "tensor", "code"):
        with pytest.raises(GanlibError, match=f"does not hold {what} weights"):
            EXTRACTORS[name](run, CPU, str(tmp_path / f"{file}.pth"))
    with pytest.raises(GanlibError, match="There is no file"):
        EXTRACTORS[name](run, CPU, str(tmp_path / "absent.pth"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there: no network
    with pytest.raises(GanlibError, match=r"cannot be downloaded.*--extractor-weights"):
        EXTRACTORS[name](run, CPU, None)
