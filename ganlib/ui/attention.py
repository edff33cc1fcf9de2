"""Where the generator looked: the attention of one position of an image over all others."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from ganlib.applications.edits import latents_of
from ganlib.devices import on_device
from ganlib.models import Latents
from ganlib.models.abilities import Attends
from ganlib.nn.attention import attention_layers
from ganlib.sampling.request import SampleRequest
from ganlib.ui import catalog, markup

ENLARGED = 512  # pixels, so that the frame around the position is thin
DARKEST = 0.2  # of the image, where attention is 0


def draw_attention(request: SampleRequest) -> None:
    """Of the request's only image; nothing for a model without attention."""
    model = catalog.load_model(request.run)
    if not isinstance(model, Attends) or not attention_layers(model.get_submodule("G")):
        return
    if not st.toggle("Where G looked", key="attention", help="Self-attention of one position over all others."):
        return
    maps = attention_maps(request)
    sizes = sorted(maps)
    size = sizes[0]
    if len(sizes) > 1:
        size = int(
            st.segmented_control("Layer", sizes, default=size, required=True, format_func=lambda s: f"{s} × {s}")
        )
    left, right = st.columns([3, 2], gap="medium")
    with right:
        row = st.slider("Row", 0, size - 1, size // 2)
        column = st.slider("Column", 0, size - 1, size // 2)
        gamma = float(attention_layers(model.get_submodule("G"))[size].gamma)
        st.caption(f"γ of this layer is {gamma:.3g}: 0 is no attention.")
    image = catalog.generate_images(request)[0]
    picture = attention_picture(image, maps[size][row * size + column].reshape(size, size), (row, column))
    left.html(markup.large_image(picture, f"Attention of row {row}, column {column}: the brighter, the more it counts"))


def attention_maps(request: SampleRequest) -> dict[int, NDArray[np.float32]]:
    """Side s of the maps -> (s², s²) of the request's first image, as ``Attends`` has them."""
    return _attention_maps(request.run.weights_hash, catalog.request_key(request), request)


@st.cache_data(max_entries=8, show_spinner=False)
def _attention_maps(weights_hash: str, key: str, _request: SampleRequest) -> dict[int, NDArray[np.float32]]:
    model = catalog.load_model(_request.run)
    assert isinstance(model, Attends)
    labels = None if _request.image_labels is None else torch.as_tensor(_request.image_labels[:1], device=model.device)

    sources = latents_of(model, _request.head(1))

    def compute() -> dict[int, torch.Tensor]:
        latents = sources if isinstance(sources, Latents) else model.latents(sources)
        return model.attention_maps(latents, labels, **_request.options)

    return {size: weights[0].cpu().numpy() for size, weights in on_device(model.device, compute).items()}


def attention_picture(
    image: NDArray[np.uint8], weights: NDArray[np.float32], position: tuple[int, int]
) -> NDArray[np.uint8]:
    """(H, W, C), (s, s) and row, column -> the image, enlarged, as bright as attention is, the position framed."""
    factor = max(ENLARGED // len(image), 1)
    side = factor * len(image)
    cell = side // len(weights)
    large = np.repeat(np.repeat(image, factor, 0), factor, 1).astype(np.float32)
    brightness = DARKEST + (1 - DARKEST) * weights / max(float(weights.max()), 1e-12)
    picture = large * np.repeat(np.repeat(brightness, cell, 0), cell, 1)[:, :, None]
    top, left = (cell * index for index in position)
    frame = max(cell // 12, 1)
    inside = picture[top + frame : top + cell - frame, left + frame : left + cell - frame].copy()
    picture[top : top + cell, left : left + cell] = 255
    picture[top + frame : top + cell - frame, left + frame : left + cell - frame] = inside
    return picture.round().astype(np.uint8)
