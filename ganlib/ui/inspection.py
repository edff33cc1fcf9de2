"""One image looked at closely: what the classifier sees, the discriminator's score, its nearest training images."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch

from ganlib.data.sets import Images
from ganlib.devices import on_device, pick_device
from ganlib.errors import GanlibError
from ganlib.images import from_uint8
from ganlib.logs.diagnosis.objectives import find_objective
from ganlib.metrics.references import load_training_images
from ganlib.models import Trainable
from ganlib.models.abilities import Classifies, Scores
from ganlib.runs import Run
from ganlib.sampling.request import SampleRequest, class_name
from ganlib.ui import attention, editing, links, markup, tray
from ganlib.ui.catalog import generate_images, load_model, runs
from ganlib.ui.chrome import as_sentences
from ganlib.ui.markup import plain

LIKELY = 3  # classes named
NEIGHBOURS = 6
BLOCK = 4096  # training images compared at once
MOST_DECODED = 50_000  # of shards, whose images are not stored decoded
SCORE_MEANINGS = {  # by the name of the objective; of the others it is a logit
    "Wasserstein": "a critic's value, higher for real; only differences between images count",
    "relativistic": "higher for real; only differences between images count",
    "least squares": "trained towards 1 for real, 0 for generated",
    "hinge": "trained above +1 for real, below −1 for generated",
}


@st.dialog("Image", width="medium")
@as_sentences()
def show_image(request: SampleRequest) -> None:
    """The first image of a request, large, and what can be said of it."""
    request = request.head(1)
    image = generate_images(request)[0]
    left, right = st.columns([3, 2], gap="medium")
    left.html(markup.large_image(image, request.captions[0]))
    with right:
        st.markdown(f"**{plain(request.captions[0])}**")
        st.caption(plain(f"{request.run.name} · {describe_options(request)}"))
        for sentence in [
            *_sentences("What the classifier sees", partial(describe_classes, request.run, image)),
            *_sentences("D's score", partial(describe_score, request, image)),
        ]:
            st.markdown(plain(sentence))
        tray.draw_favourite_button(request)
        editing.draw_directions_link(request)
        _draw_interpolation_links(request)
    attention.draw_attention(request)
    if st.toggle("Nearest training images", key="neighbours"):
        _draw_neighbours(request.run, image)


def _sentences(what: str, describe: Callable[[], list[str]]) -> list[str]:
    """Those of ``describe``, or why there are none; the rest of the dialog stays."""
    try:
        return describe()
    except GanlibError as error:
        return [f"{what} is not known: {error}"]


def describe_options(request: SampleRequest) -> str:
    options = links.format_options(request.options)
    described = [f"{name} {value}" for name, value in options.items()]
    described += [f"{edit.name} {edit.strength:+g}" for edit in request.edits]
    return ", ".join(described) or "default options"


def describe_classes(run: Run, image: np.ndarray) -> list[str]:
    """What the data set's classifier sees in (H, W, C) uint8; [] where there is no classifier of these classes."""
    probabilities = class_probabilities(run, image)
    if probabilities is None:
        return []
    order = sorted(range(len(probabilities)), key=lambda i: -probabilities[i])[:LIKELY]
    seen = ", ".join(f"{class_name(run, i)} {probabilities[i]:.0%}" for i in order)
    return [f"The classifier sees: {seen}."]


def most_likely_class(run: Run, image: np.ndarray) -> int | None:
    """The class that the classifier sees in (H, W, C) uint8; None where there is no classifier."""
    probabilities = class_probabilities(run, image)
    return None if probabilities is None else int(np.argmax(probabilities))


def class_probabilities(run: Run, image: np.ndarray) -> list[float] | None:
    """One a class, of the data set's classifier for (H, W, C) uint8; None where there is none."""
    classifier = find_classifier(run)
    if classifier is None:
        return None
    model = _load_classifier(str(classifier.path), classifier.weights_hash)
    assert isinstance(model, Classifies)
    probabilities: list[float] = on_device(
        model.device, lambda: model.classify(_batch(image, model)).softmax(1)[0].tolist()
    )
    return probabilities


def find_classifier(run: Run) -> Run | None:
    """The classifier that was trained on the run's own data."""
    for other in runs(lambda r: issubclass(r.model_class, Classifies) and not r.generates):
        same = (other.data_name, other.classes, other.config.channels) == (
            run.data_name,
            run.classes,
            run.config.channels,
        )
        if same and other.config.image_size == run.config.image_size:
            return other
    return None


def describe_score(request: SampleRequest, image: np.ndarray) -> list[str]:
    """What the discriminator or critic gives the image, and what that means; [] of a model without one."""
    model = load_model(request.run)
    if not isinstance(model, Scores):
        return []
    labels = None if request.image_labels is None else torch.tensor(request.image_labels[:1], device=model.device)
    score = float(on_device(model.device, lambda: model.score(_batch(image, model), labels)))
    meaning = SCORE_MEANINGS.get(find_objective(model.loss_kind).name, "a logit, high for real")
    return [f"D's score: {score:+.2f} ({meaning})."]


class Neighbour(NamedTuple):
    image: np.ndarray  # (H, W, C) uint8, as the run saw it
    difference: float  # root mean squared, of 255 levels
    mirrored: bool


def nearest_training_images(run: Run, image: np.ndarray, n: int = NEIGHBOURS) -> list[Neighbour]:
    """The n of the images that the run was trained on that differ least, mirrored where it saw them so.

    GanlibError where the data set is not at hand, or is another one.
    """
    seen = load_training_images(run, None)
    if len(seen.images) > MOST_DECODED and not isinstance(seen.images, np.ndarray):
        raise GanlibError(
            f"{run.data_name} has {len(seen.images):,} images in shards, too many to decode while you wait."
        )
    views = [image, image[:, ::-1]] if seen.mirrored else [image]
    distances = np.stack([_differences(seen.images, view) for view in views])
    mirrored = distances.argmin(axis=0).astype(bool)  # the nearer view of each
    nearest = np.argsort(distances.min(axis=0), kind="stable")[:n]
    return [
        Neighbour(
            seen.images[row][:, ::-1] if mirrored[row] else seen.images[row],
            float(distances[:, row].min()),
            bool(mirrored[row]),
        )
        for row in nearest.tolist()
    ]


def _differences(images: Images, image: np.ndarray) -> np.ndarray:
    """(N, H, W, C), (H, W, C) -> (N,), block by block: all at once would not fit in memory."""
    differences = np.empty(len(images))
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK].astype(np.float32) - image
        differences[start : start + len(block)] = np.sqrt(np.square(block).mean(axis=(1, 2, 3)))
    return differences


def _draw_neighbours(run: Run, image: np.ndarray) -> None:
    try:
        with st.spinner("Comparing with the training images…"):
            neighbours = nearest_training_images(run, image)
    except GanlibError as error:
        st.caption(plain(f"The training images are not at hand: {error}"))
        return
    captions = [f"{neighbour.difference:.0f}{', mirrored' * neighbour.mirrored}" for neighbour in neighbours]
    images = np.stack([neighbour.image for neighbour in neighbours])
    st.html(markup.captioned_images(images, captions, "Nearest training images"))
    st.caption("Root mean squared difference of pixels, of 255 levels; the nearest first.")


def _draw_interpolation_links(request: SampleRequest) -> None:
    """To the interpolation page with this image at one end."""
    with st.container(horizontal=True):
        for end, label in (("a", "Start of an interpolation"), ("b", "End of an interpolation")):
            link = {"run": request.run.name}
            if request.latents:
                link[f"latents_{end}"] = request.latents[0].name
            else:
                link[f"seed_{end}"] = str(request.seeds[0])
            if request.classes:
                link[f"class_{end}"] = request.class_names[0]
            link |= links.format_options(request.options)
            st.page_link("pages/interpolation.py", label=label, icon=":material/timeline:", query_params=link)


@st.cache_resource(max_entries=4, show_spinner=False)
def _load_classifier(path: str, weights_hash: str) -> Trainable:
    return Run(Path(path)).load(pick_device("cpu"))


def _batch(image: np.ndarray, model: Trainable) -> torch.Tensor:
    return from_uint8(image[None]).to(model.device)
