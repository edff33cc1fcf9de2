"""Feature VAE: the encoder stands on the convolutional trunk of a classifier of ImageNet.

The autoencoder of the sources: the trunk of VGG-11 or VGG-16 with batch norm (Simonyan, Zisserman, arXiv:1409.1556)
or of ResNet-152 (He et al., arXiv:1512.03385), two fully connected layers to the code, two back, three transposed
convolutions, and what comes out stretched to the images' size. EfficientNet-Lite0's trunk has its weights in an
installed package, so that nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from typing import Literal

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlib.config import option
from ganlib.errors import GanlibError
from ganlib.models.contract import MODELS
from ganlib.models.vae import VAE, VAEConfig
from ganlib.nn.efficientnet import LITE, checked_weights, efficientnet_lite0, load_packaged, require_grey_or_rgb
from ganlib.nn.resample import Upsample
from ganlib.tensors import load_tensors, read_safetensors

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, for values in [0, 1]
LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3  # EfficientNet-Lite's
MIN_SIZE = 64  # smaller images are enlarged to this: the trunk halves the size five times
VGG = {"vgg11_bn": "A", "vgg16_bn": "D"}


@dataclass(frozen=True)
class FeatureVAEConfig(VAEConfig):
    z_dim: int = option(512, "latent dimension", min=1)
    trunk: Literal["vgg11_bn", "vgg16_bn", "resnet152", "efficientnet_lite0"] = option(
        "vgg11_bn", "pretrained network of the encoder"
    )
    trunk_weights: str = option(
        "download", "download of ImageNet's (efficientnet_lite0's are installed), the path of a file, or random"
    )
    trunk_width: int = option(64, "channels of the trunk's first block; ImageNet's weights have 64", min=1)
    hidden: tuple[int, ...] = option((4096, 2048), "units of the layers down to the code, and back", min=1)
    width: int = option(64, "channels of the first map of the decoder, of 8 x 8 pixels", min=2)
    lr: float = option(1e-4, "Adam's learning rate", min=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_grey_or_rgb(self.channels)
        if not self.hidden:
            raise GanlibError("hidden needs at least one layer between the trunk and the code.")

    @classmethod
    def tiny(cls) -> FeatureVAEConfig:
        return cls(
            image_size=16,
            channels=1,
            num_classes=3,
            z_dim=8,
            trunk_weights="random",
            trunk_width=4,
            hidden=(16, 8),
            width=4,
        )


class Trunk(nn.Module):
    """The convolutions; images of any size and of one or three channels, as ImageNet's come."""

    mean: Tensor
    std: Tensor

    def __init__(self, c: FeatureVAEConfig) -> None:
        super().__init__()
        self.lite, self.pools = c.trunk in LITE, c.trunk in VGG
        self.features = efficientnet_lite0(c.trunk_width / 64) if self.lite else torchvision_trunk(c)
        mean, std = (LITE_MEAN, LITE_STD) if self.lite else (MEAN, STD)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    @property
    def channels(self) -> int:
        """Of what comes out."""
        return [m.num_features for m in self.features.modules() if isinstance(m, nn.BatchNorm2d)][-1]

    def side(self, size: int) -> int:
        """Of what comes out for images of this size: halved five times, which pooling rounds down and strides up."""
        size = max(size, MIN_SIZE)
        return size // 32 if self.pools else -(-size // 32)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1] -> (N, C', H / 32, W / 32), of at least 2 x 2."""
        x = (x.expand(-1, 3, -1, -1) / 2 + 0.5 - self.mean) / self.std
        if x.shape[2] < MIN_SIZE:
            x = interpolate(x, MIN_SIZE, mode="bilinear", antialias=False)
        return self.features(x)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """From the state of the whole network; RuntimeError or ValueError where it is another network's."""
        if self.lite:
            return load_packaged(self.features, state)
        prefix = "features." if any(key.startswith("features.") for key in state) else ""
        features = {key.removeprefix(prefix): v for key, v in state.items() if key.startswith(prefix)}
        self.features.load_state_dict({k: v for k, v in features.items() if not k.startswith("fc.")})


def torchvision_trunk(c: FeatureVAEConfig) -> nn.Sequential:
    # Here, for no other architecture needs torchvision and importing it takes a second.
    from torchvision.models import ResNet
    from torchvision.models.resnet import Bottleneck
    from torchvision.models.vgg import cfgs, make_layers

    if c.trunk in VGG:
        shape = [n if isinstance(n, str) else max(n * c.trunk_width // 64, 1) for n in cfgs[VGG[c.trunk]]]
        return make_layers(shape, batch_norm=True)
    resnet = ResNet(Bottleneck, [3, 8, 36, 3], width_per_group=c.trunk_width)
    trunk = nn.Sequential()
    for name, child in list(resnet.named_children())[:-2]:  # without pooling and classes
        trunk.add_module(name, child)
    return trunk


@MODELS.register("feature_vae")
class FeatureVAE(VAE):
    display_name = "Feature VAE"
    colour = 0
    Config = FeatureVAEConfig
    config: FeatureVAEConfig
    training_defaults = {"batch_size": 32}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def encoder(self) -> nn.Module:
        c = self.config
        trunk = Trunk(c)
        features = trunk.channels * trunk.side(c.image_size) ** 2
        return nn.Sequential(
            trunk, nn.Flatten(), *mlp([features, *c.hidden]), nn.Linear(c.hidden[-1], c.encoded(c.z_dim))
        )

    def decoder(self) -> nn.Module:
        c, w = self.config, self.config.width
        return nn.Sequential(
            *mlp([c.z_dim + c.label_width, *c.hidden[:0:-1], w * 64]),
            nn.Unflatten(1, (w, 8, 8)),
            nn.ConvTranspose2d(w, w, 4, 2, 1, bias=False),
            nn.BatchNorm2d(w),
            nn.ReLU(),
            nn.ConvTranspose2d(w, w // 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(w // 2),
            nn.ReLU(),
            nn.ConvTranspose2d(w // 2, c.channels, 4, 2, 1),
            Upsample(c.image_size, "bilinear"),
            nn.Tanh(),
        )

    def before_training(self) -> None:
        """Weights of ImageNet, as the config names them; GanlibError where they cannot be loaded."""
        c = self.config
        if c.trunk_weights == "random":
            return
        if c.trunk_width != 64:
            raise GanlibError("ImageNet's weights fit a trunk_width of 64; add --trunk-weights random for another.")
        try:
            self.E[0].load(trunk_state(c))  # type: ignore[index]
        except (OSError, RuntimeError, SafetensorError, UnpicklingError, KeyError, ValueError, EOFError) as error:
            reason = " ".join(str(error).split())[:120]
            raise GanlibError(
                f"The weights of {c.trunk} cannot be loaded from {c.trunk_weights!r} ({reason}); give the path of its "
                "file with --trunk-weights, or 'random'."
            ) from error


def mlp(sizes: list[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return layers


def trunk_state(c: FeatureVAEConfig) -> Mapping[str, Tensor]:
    if c.trunk_weights != "download":
        return read_weights(Path(c.trunk_weights).expanduser())
    return read_weights(checked_weights(c.trunk)) if c.trunk in LITE else download_weights(c.trunk)


def download_weights(trunk: str) -> Mapping[str, Tensor]:
    """From torchvision's server into torch's cache, checked by its hash."""
    from torchvision.models import get_model_weights

    return get_model_weights(trunk).DEFAULT.get_state_dict(progress=False, check_hash=True, weights_only=True)


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """A file of torchvision (.pth) or safetensors; neither can execute code."""
    return read_safetensors(path)[0] if path.suffix == ".safetensors" else load_tensors(path)
