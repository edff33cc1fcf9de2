"""What turns images into features. Another extractor is one more function in ``EXTRACTORS``.

embedded    the classifier run trained on the same images, from the gallery or the local runs: works offline
efficientnet_lite0, _lite1, _lite2   trained on ImageNet, weights installed with this project: work offline
timm:NAME, torchvision:NAME   others trained on ImageNet; see ``imagenet``
inception   torch-fidelity's InceptionV3, whose FID is the published one
vgg16, clip, dinov2   others of torch-fidelity's; a file of weights may be of another size of CLIP or DINOv2
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlib.devices import is_out_of_memory, on_device
from ganlib.errors import GanlibError
from ganlib.metrics.embedded import EmbeddedFeatures
from ganlib.metrics.imagenet import load_imagenet
from ganlib.metrics.weights import file_hash, find_weights
from ganlib.nn.efficientnet import LITE, to_rgb
from ganlib.partial import Partial, compute_rows
from ganlib.registry import Registry
from ganlib.runs import Run, scan
from ganlib.settings import reference_cache


class Extracted(NamedTuple):
    features: Tensor  # (n, d) float32 on the CPU
    logits: Tensor  # (n, K)


@dataclass(frozen=True)
class Extractor:
    name: str
    identity: str  # the run or file that the weights are from
    hash: str  # 12 hex digits of the weights
    resizer: str
    width: int  # d
    classes: int  # K, of its logits, 0 where it has none
    own_classes: bool  # whether those are the classes of the data set
    references: Path  # folder of the statistics of real images
    device: torch.device
    network: Callable[[Tensor], tuple[Tensor, ...]]  # (N, C, H, W) levels 0 … 255 -> (N, d), (N, K) logits

    def __call__(self, images: NDArray[np.uint8]) -> tuple[Tensor, ...]:
        """(N, H, W, C) uint8 -> what ``network`` gives. What does not fit in memory is done in halves."""

        def compute(part: slice) -> tuple[Tensor, ...]:
            x = torch.from_numpy(images[part]).to(self.device).permute(0, 3, 1, 2)
            return tuple(y.cpu() for y in self.network(x))

        return run_in_halves(self.device, compute, slice(0, len(images)))


def run_in_halves(
    device: torch.device, compute: Callable[[slice], tuple[Tensor, ...]], part: slice
) -> tuple[Tensor, ...]:
    """``compute(part)`` in the device's thread; the tensors of its halves joined where the whole does not fit."""
    try:
        return on_device(device, partial(compute, part))
    except RuntimeError as error:
        if not is_out_of_memory(error) or part.stop - part.start == 1:
            raise
    middle = (part.start + part.stop) // 2
    halves = [run_in_halves(device, compute, half) for half in (slice(part.start, middle), slice(middle, part.stop))]
    return tuple(map(torch.cat, zip(*halves, strict=True)))


def extract(
    extractor: Extractor,
    chunks: Callable[[int], Iterable[NDArray[np.uint8]]],
    n: int,
    progress: Callable[[int], None] = lambda done: None,
    partial_rows: Partial | None = None,
) -> Extracted:
    """Features of n images; ``chunks(start)`` gives those from there on, (m, H, W, C) uint8 each.

    A chunk is dropped once it is measured. With ``partial_rows`` it continues where an earlier call was killed.
    GanlibError when a feature is not finite.
    """
    width = extractor.width + extractor.classes
    rows = compute_rows(n, width, 1, partial_rows, lambda start: feature_rows(extractor, chunks(start)), progress)
    return split_features(extractor, rows)


def feature_rows(extractor: Extractor, chunks: Iterable[NDArray[np.uint8]]) -> Iterator[Tensor]:
    """(m, H, W, C) uint8 each -> (m, d + K) each: features and logits."""
    for images in chunks:
        yield torch.cat(extractor(images), dim=1)


def split_features(extractor: Extractor, rows: Tensor) -> Extracted:
    """(n, d + K). GanlibError when a feature is not finite."""
    if not torch.isfinite(rows).all():
        raise GanlibError("Some features are not finite: the images or the extractor's weights are broken.")
    return Extracted(*rows.split([extractor.width, extractor.classes], dim=1))


EXTRACTORS: Registry[Callable[[Run, torch.device, str | None], Extractor]] = Registry("extractor")


def build_extractor(name: str, run: Run, device: torch.device, weights: str | None = None) -> Extractor:
    """One of ``EXTRACTORS``, or one of ``imagenet`` by its full name; ``weights`` is a file in place of the usual one.

    GanlibError where there is none of this name, or it cannot measure the run.
    """
    if ":" in name or "@" in name:
        return imagenet(name, run, device, weights)
    return EXTRACTORS[name](run, device, weights)


@EXTRACTORS.register("embedded")
def embedded(run: Run, device: torch.device, weights: str | None) -> Extractor:
    """The classifier of the run's own data set; GanlibError names the command that trains a missing one."""
    if weights:
        raise GanlibError("--extractor-weights goes with the other extractors; the embedded one is a run.")
    classifier = find_classifier(run)
    network = EmbeddedFeatures(classifier).to(device).eval()
    return Extractor(
        name="embedded",
        identity=classifier.name,
        hash=classifier.weights_hash,
        resizer="none",
        width=network.classifier.feature_width,
        classes=network.classifier.config.num_classes,
        own_classes=True,
        references=classifier.path / "references",
        device=device,
        network=network,
    )


def pretrained(name: str, run: Run, device: torch.device, weights: str | None) -> Extractor:
    """One of torch-fidelity's. GanlibError where its weights are not to be had."""
    from ganlib.metrics.fidelity import PRETRAINED, FloatLevels, pretrained_features

    check_channels(name, run)
    path = find_weights(PRETRAINED[name].source, weights)
    pretrained_network = pretrained_features(name, path).to(device)

    def network(x: Tensor) -> tuple[Tensor, ...]:
        features, *logits = pretrained_network(to_rgb(x).as_subclass(FloatLevels))
        return features, logits[0] if logits else features[:, :0]

    side = pretrained_network.INPUT_IMAGE_SIZE
    return extractor_of_file(name, path, network, f"torch-fidelity bilinear {side}", side, device)


def imagenet(name: str, run: Run, device: torch.device, weights: str | None) -> Extractor:
    """One of ``imagenet``'s. GanlibError where its weights are not to be had."""
    check_channels(name, run)
    loaded = load_imagenet(name, weights)
    features = loaded.features.to(device)

    def network(x: Tensor) -> tuple[Tensor, ...]:
        return features(to_rgb(x))

    resizer = f"torch antialiased bilinear {features.side}"
    return extractor_of_file(loaded.name, loaded.path, network, resizer, features.side, device)


def check_channels(name: str, run: Run) -> None:
    """GanlibError where the run's images are neither grey nor RGB."""
    if run.config.channels not in (1, 3):
        raise GanlibError(
            f"{name} takes images of 1 or 3 channels; {run.name} has {run.config.channels}: use --extractor embedded."
        )


def extractor_of_file(
    name: str,
    path: Path,
    network: Callable[[Tensor], tuple[Tensor, ...]],
    resizer: str,
    side: int,
    device: torch.device,
) -> Extractor:
    """Of a network whose weights are a file; one image of ``side`` tells the widths."""
    key = file_hash(path)
    sizes = [y.shape[1] for y in on_device(device, lambda: network(torch.zeros(1, 3, side, side, device=device)))]
    return Extractor(
        name=name,
        identity=path.name,
        hash=key,
        resizer=resizer,
        width=sizes[0],
        classes=sizes[1],
        own_classes=False,
        references=reference_cache() / f"{name.replace(':', '-')}-{key}",
        device=device,
        network=network,
    )


for name in ("inception", "vgg16", "clip", "dinov2"):
    EXTRACTORS.register(name)(partial(pretrained, name))
for name in LITE:
    EXTRACTORS.register(name)(partial(imagenet, name))


def find_classifier(run: Run) -> Run:
    """The run itself, if it is one, else the first of the run roots that was trained on its very images, else the
    first of the same classes and test images: that of the whole set, of which the run has seen a subset.
    """
    if run.model_name == "classifier":
        return run
    c, data = run.config, run.recipe.data
    classifiers = [
        other
        for other in scan()[0]
        if other.model_name == "classifier"
        and (other.config.image_size, other.config.channels) == (c.image_size, c.channels)
    ]
    for other in classifiers:
        if data.train is not None and other.recipe.data.train == data.train:
            return other
    for other in classifiers:
        if data.test is not None and (other.recipe.data.test, other.classes) == (data.test, run.classes):
            return other
    if not run.classes:
        raise GanlibError(
            f"{run.data_name} has no classes, so that no classifier can measure {run.name}; use --extractor inception."
        )
    raise GanlibError(
        f"No run is a classifier of {run.data_name} at {c.image_size}x{c.image_size}, with which to measure "
        f"{run.name}; train one: python -m ganlib train classifier --data {run.data_name} "
        f"--image-size {c.image_size} --channels {c.channels} --images 1000000"
    )
