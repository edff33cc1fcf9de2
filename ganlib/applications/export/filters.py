"""Filters of generated images, each a score and the least of it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from ganlib.applications.classifier import classifier_hash, load_classifier
from ganlib.data.sets import Images
from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.images import from_uint8
from ganlib.metrics.references import load_split, load_training_images
from ganlib.models import Classifies
from ganlib.runs import Run
from ganlib.twosample.groups import THUMBNAIL, thumbnails

Scores = NDArray[np.float64]

CALIBRATION = 2_000  # test images that say how near to a training image a fresh one lies


class Filter(Protocol):
    name: str  # of its column in the manifest
    flag: str  # of the command line

    def scores(self, images: NDArray[np.uint8], labels: Sequence[int]) -> Scores:
        """(N, H, W, C) and N classes -> (N,)."""

    def passes(self, scores: Scores) -> NDArray[np.bool_]:
        """(N,) -> (N,)."""


class Confidence:
    """The classifier's probability of the class that was asked for.

    As in Lampis, Lomurno, Matteucci, "Bridging the Gap: Enhancing the Utility of Synthetic Data via Post-Processing
    Techniques", BMVC 2023, arXiv:2305.10118.
    """

    name, flag = "confidence", "min-confidence"

    def __init__(self, classifier: Classifies, device: torch.device, least: float) -> None:
        self.classifier, self.device, self.least = classifier, device, least

    def scores(self, images: NDArray[np.uint8], labels: Sequence[int]) -> Scores:
        probabilities = on_device(
            self.device, lambda: self.classifier.classify(from_uint8(images, self.device)).float().softmax(1).cpu()
        )
        return probabilities[torch.arange(len(labels)), torch.tensor(labels)].double().numpy()

    def passes(self, scores: Scores) -> NDArray[np.bool_]:
        return scores >= self.least


class Distance:
    """Root mean square, in levels 0 … 255, of the difference to the nearest training image or its mirror image, both as
    thumbnails of 8 x 8 pixels. The least is what ``share`` of test images are not beyond.
    """

    name, flag = "distance", "min-distance"

    def __init__(self, training: Images, test: Images, share: float) -> None:
        points = thumbnails(training)
        self._search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(points)
        self._scale = points.shape[1] ** -0.5
        rows = np.linspace(0, len(test) - 1, min(len(test), CALIBRATION)).astype(int)
        self.least = float(np.quantile(self._nearest(np.asarray(test[rows])), share))

    def scores(self, images: NDArray[np.uint8], labels: Sequence[int]) -> Scores:
        return self._nearest(images)

    def passes(self, scores: Scores) -> NDArray[np.bool_]:
        return scores > self.least

    def _nearest(self, images: NDArray[np.uint8]) -> Scores:
        views = [self._search.kneighbors(thumbnails(view))[0][:, 0] for view in (images, images[:, :, ::-1])]
        return np.min(views, axis=0).astype(np.float64) * self._scale


def filter_identities(run: Run, *, min_confidence: float, min_distance: float) -> dict[str, str]:
    """By the names of the filters that are not 0, 12 hex digits of SHA-256 of what each judges by: the classifier's
    weights, or "none" where no run is one; the pixels of the reference images.
    """
    identities = {}
    if min_confidence:
        identities[Confidence.name] = classifier_hash(run)
    if min_distance:
        of = f"{run.fingerprint('train')} {(run.recipe.training or {}).get('only', 0)} {run.fingerprint('test')}"
        identities[Distance.name] = sha256(f"{of} {THUMBNAIL} {CALIBRATION}".encode()).hexdigest()[:12]
    return identities


def load_filters(
    run: Run, device: torch.device, *, min_confidence: float, min_distance: float, data_root: str | None
) -> list[Filter]:
    """Those that are not 0; GanlibError where a filter has nothing to judge by."""
    filters: list[Filter] = []
    if min_confidence:
        if not run.conditional:
            raise GanlibError(
                f"{run.name} takes no class, so that no classifier can doubt it; leave --min-confidence out."
            )
        classifier = load_classifier(run, device)
        if classifier is None:
            raise GanlibError(
                f"--min-confidence takes a classifier of {run.data_name}, and no run is one; train it, or leave it out."
            )
        filters.append(Confidence(classifier, device, min_confidence))
    if min_distance:
        training = load_training_images(run, data_root).images
        filters.append(Distance(training, load_split(run, "test", data_root).images, min_distance))
    return filters
