"""The classifier of a run's data set, by which images are named, where there is one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganlib.devices import on_device
from ganlib.errors import GanlibError
from ganlib.models import Classifies, GenerativeModel, Trainable
from ganlib.runs import Run
from ganlib.sampling.request import parse_class

NONE = "none"  # in place of the identity of a classifier that there is not


def classifier_hash(run: Run) -> str:
    """The identity of the classifier that ``load_classifier`` gives: what it measures belongs to it."""
    from ganlib.metrics.extractors import find_classifier

    try:
        return find_classifier(run).weights_hash
    except GanlibError:
        return NONE


def load_classifier(run: Run, device: torch.device) -> Classifies | None:
    """Of the very images that the run was trained on; None where no run is one."""
    from ganlib.metrics.extractors import find_classifier  # a machine that only trains has no torch-fidelity

    try:
        classifier = find_classifier(run).load(device)
    except GanlibError:
        return None
    assert isinstance(classifier, Classifies)
    return classifier


def predicted_class(classifier: Classifies, image: Tensor) -> int:
    """(1, C, H, W) in [-1, 1] -> the most probable class."""
    return int(on_device(image.device, lambda: classifier.classify(image)).argmax())


def choose_label(run: Run, model: Trainable, text: str | None, seen: Callable[[], int | None]) -> int | None:
    """The class that the command line names, else the one that is ``seen`` in the picture; None of what takes none."""
    if not (isinstance(model, GenerativeModel) and model.conditional):
        if text:
            raise GanlibError(f"{run.name} is unconditional, so --class has no meaning; leave it out.")
        return None
    if text:
        return parse_class(text, run)
    if (label_seen := seen()) is None:
        raise GanlibError(f"{run.name} is conditional and nothing at hand tells the picture's class; give --class.")
    return label_seen
