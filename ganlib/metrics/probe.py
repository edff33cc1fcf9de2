"""Linear probe: how well a linear SVM classifies real images by the features of D.

Radford, Metz, Chintala, arXiv:1511.06434, section 5.1: the outputs of all hidden layers of D, max-pooled to 4 x 4,
flattened and joined. The features are standardised by the training images and divided by the root of their number,
so that C means the same for every network. The SVM is one against all with the hinge loss, fitted by averaged
stochastic gradient descent, which needs no second copy of a matrix of 10,000 x 10,000 numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import sklearn
import torch
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool2d

from ganlib.data import Split
from ganlib.data.batches import random_subset
from ganlib.errors import GanlibError
from ganlib.images import from_uint8
from ganlib.metrics.accuracy import test_record
from ganlib.metrics.references import Progress, load_split
from ganlib.models import Scores
from ganlib.nn.maxout import Maxout
from ganlib.provenance import commit, now, versions
from ganlib.records import Record
from ganlib.runs import Run

GRID = 4
C = 1.0
EPOCHS = 10
BATCH = 100
KINDS = (nn.Conv2d, nn.Linear, Maxout)

Features = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # (N, H, W, C) uint8 -> (N, d)


def probe(
    run: Run,
    device: torch.device,
    *,
    train: int,
    root: str | None = None,
    progress: Progress = lambda text, done, total: None,
) -> Record:
    """The accuracy on all test images after fitting on ``train`` training images, 0 = all; nothing is written.

    ``pixels_accuracy`` is that of the same SVM on the images themselves. GanlibError where there is no D, or
    nothing to classify.
    """
    if not run.classes:
        raise GanlibError(f"{run.data_name} has no classes, so the features of {run.name} cannot be tested on any.")
    if not (hasattr(run.blueprint, "D") and isinstance(run.blueprint, Scores)):
        raise GanlibError(f"{run.name} is a {run.model_name}, which has no discriminator; probe a GAN.")
    model: Any = run.load(device)
    real, test = load_split(run, "train", root), load_split(run, "test", root)
    labelled = np.flatnonzero(real.labels >= 0)
    rows = labelled[random_subset(len(labelled), train or len(labelled))]
    layers = hidden_layers(model, from_uint8(real.images[rows[:2]], device))
    n = len(rows) + len(test)
    feature_hits = accuracy(
        lambda images: features(model, layers, images), real, rows, test, lambda done: progress("features", done, n)
    )
    pixel_hits = accuracy(pixels, real, rows, test)
    trained = {"data": run.data_name, "split": "train", "fingerprint": real.fingerprint, "n": len(rows)}
    svm = {"loss": "hinge", "C": C, "epochs": EPOCHS, "seed": 0}
    return replace(
        test_record(run, test, "probe_accuracy", feature_hits, trained=trained, grid=GRID, svm=svm),
        images_seen=run.images_seen,
        weights_hash=run.weights_hash,
        versions=versions() | {"scikit-learn": sklearn.__version__},
        commit=commit(),
        date=now(),
        extra={
            "n_train": len(rows),
            "n_test": len(test),
            # Apart from the protocol: architectures are to be compared, and no two have the same.
            "layers": layers,
            "dimension": features(model, layers, np.array(real.images[rows[:1]])).shape[1],
            "pixels_accuracy": pixel_hits / len(test),
        },
    )


def parametric_layers(network: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Layers by dotted name; a maxout is one, and not the linear map inside."""
    if isinstance(network, KINDS):
        yield name, network
        return
    for child, part in network.named_children():
        yield from parametric_layers(part, f"{name}.{child}")


@contextmanager
def layer_outputs(model: Any, transform: Callable[[Tensor], Tensor]) -> Iterator[dict[str, Tensor]]:
    """``transform`` of the output of each layer of D that is called, by its name, in the order of the calls."""
    outputs: dict[str, Tensor] = {}

    def watch(name: str, layer: nn.Module) -> Any:
        return layer.register_forward_hook(lambda module, inputs, output: outputs.update({name: transform(output)}))

    handles = [watch(name, layer) for name, layer in parametric_layers(model.D, "D")]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def hidden_layers(model: Any, images: Tensor) -> list[str]:
    """Names of the layers between the images (N, C, H, W) and the logits; the model's parameters take no gradients.

    Left out: layers of the class alone, of other outputs, and the logit itself, one number an image.
    """
    with torch.enable_grad(), layer_outputs(model, lambda y: y) as outputs:
        logits = score_images(model, images.requires_grad_())
    hidden = {name: y for name, y in outputs.items() if y.requires_grad and y[0].numel() > 1}
    if not hidden:
        raise GanlibError("Its discriminator has no hidden layer of a known kind, so there is nothing to probe.")
    gradients = torch.autograd.grad(logits.sum(), list(hidden.values()), allow_unused=True)
    return [name for name, gradient in zip(hidden, gradients, strict=True) if gradient is not None]


def score_images(model: Any, images: Tensor) -> Tensor:
    """(N,) logits. A conditional D gets all classes in equal parts, as the label is what the probe predicts."""
    if not model.conditional:
        return model.score(images)
    k = model.config.num_classes
    return model.score(images, torch.full((len(images), k), 1 / k, device=images.device))


def max_pool(y: Tensor) -> Tensor:
    """(N, C, h, w) -> (N, C, min(h, 4), min(w, 4)), (N, d) as it is. Copied: the next layer may work in place."""
    return adaptive_max_pool2d(y, (min(GRID, y.shape[2]), min(GRID, y.shape[3]))) if y.ndim == 4 else y.clone()


@torch.inference_mode()
def features(model: Any, layers: list[str], images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, H, W, C) uint8 -> (N, d): the pooled outputs of these layers, side by side."""
    with layer_outputs(model, max_pool) as outputs:
        score_images(model, from_uint8(images, model.device))
    return torch.cat([outputs[name].flatten(1).float() for name in layers], dim=1).cpu().numpy()


def pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images.reshape(len(images), -1).astype(np.float32)


def accuracy(
    extract: Features,
    real: Split,
    rows: NDArray[np.int64],
    test: Split,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """How many test images an SVM classifies correctly after fitting to these rows of the training images."""
    x = np.concatenate([part for _, part in feature_batches(extract, real, rows, progress)])
    classify = fit(x, real.labels[rows])
    test_batches = feature_batches(extract, test, np.arange(len(test)), lambda done: progress(len(rows) + done))
    return sum(int((classify(part) == test.labels[chosen]).sum()) for chosen, part in test_batches)


def feature_batches(
    extract: Features, split: Split, rows: NDArray[np.int64], progress: Callable[[int], None]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """(m,) rows and their (m, d) features at a time."""
    for start in range(0, len(rows), BATCH):
        chosen = rows[start : start + BATCH]
        yield chosen, extract(np.array(split.images[chosen]))
        progress(start + len(chosen))


def fit(x: NDArray[np.float32], labels: NDArray[np.int64]) -> Callable[[NDArray[np.float32]], NDArray[np.int64]]:
    """(n, d), which is overwritten, and (n,) -> what classifies (m, d). GanlibError if a number is not finite."""
    if len(np.unique(labels)) < 2:
        raise GanlibError(f"The {len(labels)} training images are all of one class; give more with --train.")
    mean, std = x.mean(axis=0), x.std(axis=0)
    scale = np.where(std > 0, std, 1) * np.float32(np.sqrt(x.shape[1]))
    if not (np.isfinite(mean).all() and np.isfinite(scale).all()):
        raise GanlibError("The discriminator's features are not finite; its training has diverged.")
    x -= mean
    x /= scale
    # No stopping rule: equal effort is part of the protocol.
    svm = SGDClassifier(alpha=1 / (C * len(x)), max_iter=EPOCHS, tol=None, average=True, random_state=0)
    svm.fit(x, labels)
    return lambda other: svm.predict((other - mean) / scale)
