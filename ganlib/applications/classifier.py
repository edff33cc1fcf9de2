"""The classifier of a run's data set, by which images are named, where there is one."""

from __future__ import annotations

import torch

from ganlib.errors import GanlibError
from ganlib.models import Classifies
from ganlib.runs import Run

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
