"""The feature VAE of the sources: trunks of torchvision, and where their weights come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import ResNet
from torchvision.models.resnet import Bottleneck
from torchvision.models.vgg import cfgs, make_layers

from ganlib.__main__ import main
from ganlib.errors import GanlibError
from ganlib.models import MODELS
from ganlib.models.feature_vae import MEAN, STD, Trunk
from ganlib.nn.efficientnet import packaged_weights
from ganlib.runs import Run
from helpers.tiny_models import tiny_config

WHOLE: dict[str, Any] = {"trunk_width": 64, "hidden": [16]}


@pytest.fixture(scope="module")
def vgg() -> dict[str, Tensor]:
    """VGG-11's state as torchvision has it, with random values and but the last of its classifier."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        features = make_layers(cfgs["A"], batch_norm=True)
    return {f"features.{k}": v for k, v in features.state_dict().items()} | {"classifier.6.bias": torch.zeros(1000)}


def fresh(**changes: Any) -> Any:
    return MODELS["feature_vae"](tiny_config("feature_vae", **(WHOLE | changes)))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_the_trunk_is_read_from_a_file(suffix, vgg, tmp_path):
    path = tmp_path / f"vgg{suffix}"
    if suffix == ".pth":
        torch.save(vgg, path)
    else:
        save_file(vgg, path)
    model = fresh(trunk_weights=str(path))
    model.before_training()
    found = model.E[0].features.state_dict()
    assert all(torch.equal(found[k.removeprefix("features.")], v) for k, v in vgg.items() if "features" in k)


def test_the_trunk_is_downloaded_where_nothing_else_is_said(vgg, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url", lambda url, **how: asked.append((url, how)) or vgg
    )
    model = fresh(trunk_weights="download")
    model.before_training()
    ((url, how),) = asked
    assert "vgg11_bn" in url
    assert how["check_hash"]
    assert how["weights_only"]
    assert torch.equal(model.E[0].features[0].weight, vgg["features.0.weight"])


def test_building_and_loading_ask_for_no_weights(monkeypatch):
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("weights were asked for")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    fresh(trunk_weights="download")
    random = fresh(trunk_weights="random", trunk_width=4)
    before = random.E[0].features[0].weight.clone()
    random.before_training()
    assert torch.equal(random.E[0].features[0].weight, before)


@pytest.mark.parametrize("how", ["offline", "missing", "other network", "no weights", "pickle"])
def test_weights_that_cannot_be_had_are_one_sentence(how, vgg, tmp_path, monkeypatch):
    def offline(*args: Any, **kwargs: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    path = tmp_path / "vgg.pth"
    if how == "other network":
        torch.save({k: v for k, v in vgg.items() if "25" not in k}, path)
    elif how == "no weights":
        path.write_bytes(b"nothing of the kind")
    elif how == "pickle":
        torch.save({"features.0.weight": Path("/")}, path)
    model = fresh(trunk_weights="download" if how == "offline" else str(path))
    with pytest.raises(GanlibError, match=r"The weights of vgg11_bn cannot be loaded from .*; give the path") as caught:
        model.before_training()
    assert "\n" not in str(caught.value)


def test_images_come_to_the_trunk_as_imagenets_do():
    trunk = Trunk(tiny_config("feature_vae")).eval()
    grey = torch.rand(2, 1, 64, 64) * 2 - 1
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    expected = trunk.features((grey.expand(-1, 3, -1, -1) / 2 + 0.5 - mean) / std)
    torch.testing.assert_close(trunk(grey), expected)
    assert trunk(grey[:, :, :16, :16]).shape == expected.shape  # enlarged


@pytest.mark.parametrize("trunk", ["vgg11_bn", "resnet152", "efficientnet_lite0"])
@pytest.mark.parametrize("size", [16, 64, 72, 96])
def test_the_shape_of_the_features_is_known_without_computing_them(trunk, size):
    network = Trunk(tiny_config("feature_vae", trunk=trunk, trunk_width=4)).eval()
    with torch.no_grad():
        features = network(torch.zeros(1, 3, size, size))
    assert features.shape == (1, network.channels, network.side(size), network.side(size))


def test_a_residual_trunk_is_torchvisions_without_its_classes():
    whole = ResNet(Bottleneck, [3, 8, 36, 3], width_per_group=2).eval()
    trunk = Trunk(tiny_config("feature_vae", trunk="resnet152", trunk_width=2)).eval()
    trunk.load(whole.state_dict())
    x = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        features = trunk(x)
        y = whole.fc(features.mean((2, 3)))
        expected = whole((x / 2 + 0.5 - trunk.mean) / trunk.std)
    assert features.shape == (1, 2048, 2, 2)
    torch.testing.assert_close(y, expected)


def test_efficientnets_trunk_has_the_weights_of_its_package():
    """Its features are timm's, which the extractor of the metrics takes."""
    import timm

    model = fresh(trunk="efficientnet_lite0", trunk_weights="download")
    model.before_training()
    trunk = model.E[0].eval()
    reference = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    state = torch.load(packaged_weights("efficientnet_lite0"), weights_only=True)
    reference.load_state_dict(dict(zip(reference.state_dict(), state.values(), strict=True)))
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        expected = reference.forward_features((127.5 * (images + 1) - 127) / 128)
        torch.testing.assert_close(trunk(images), expected, rtol=1e-4, atol=1e-4)
    assert expected.shape == (2, 1280, 2, 3)


def test_weights_of_another_network_are_no_efficientnet(vgg, tmp_path):
    path = tmp_path / "vgg.safetensors"
    save_file(vgg, path)
    with pytest.raises(GanlibError, match="The weights of efficientnet_lite0 cannot be loaded"):
        fresh(trunk="efficientnet_lite0", trunk_weights=str(path)).before_training()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(GanlibError, match="hidden needs at least one layer"):
        tiny_config("feature_vae", hidden=[])
    with pytest.raises(GanlibError, match="ImageNet's weights fit a trunk_width of 64"):
        fresh(trunk_weights="download", trunk_width=4).before_training()


@pytest.mark.slow
def test_training_fetches_the_weights_once_and_the_run_carries_them(vgg, tmp_path, monkeypatch):
    path = tmp_path / "vgg.safetensors"
    save_file(vgg, path)
    sizes = ["--hidden", "8", "--z-dim", "4", "--width", "4", "--image-size", "16", "--batch-size", "4"]
    budget = ["--images", "4", "--lr", "0", "--precision", "fp32", "--device", "cpu", "--out", str(tmp_path / "run")]
    assert main(["train", "feature_vae", "--data", "digits", "--trunk-weights", str(path), *sizes, *budget]) == 0
    path.unlink()
    loaded = Run(tmp_path / "run").load()
    assert torch.equal(loaded.E[0].features[0].weight, vgg["features.0.weight"])
