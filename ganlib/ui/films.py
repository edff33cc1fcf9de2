"""Frames of an interpolation as a film: player, frame rate and size, files, the length of each step."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from ganlib.applications.animation import KINDS, MIME, default_side, film, sides
from ganlib.applications.step_lengths import step_lengths
from ganlib.errors import GanlibError
from ganlib.figures import interpolation_steps
from ganlib.images import grid, png
from ganlib.sampling.interpolation import even_positions
from ganlib.sampling.keyframes import MARK, InterpolationRequest
from ganlib.sampling.request import parse_int
from ganlib.ui import components, markup
from ganlib.ui.catalog import frames_key, load_model
from ganlib.ui.downloads import draw_download, file_stem
from ganlib.ui.links import check_link, check_link_number
from ganlib.ui.markup import plain

FRAMES_PER_SECOND = (2, 60)
LABELS = {"gif": "GIF", "webp": "WebP", "mp4": "MP4"}


class Film(NamedTuple):
    """How frames are played and exported."""

    frames_per_second: int
    boomerang: bool  # there and back
    side: int  # of the files, in pixels

    @property
    def link_values(self) -> dict[str, Any]:
        back = {} if self.boomerang else {"boomerang": "false"}
        return {"fps": self.frames_per_second, **back, "size": self.side}

    @property
    def arguments(self) -> list[str]:
        """Of the command line."""
        return [
            *("--frames-per-second", str(self.frames_per_second), "--side", str(self.side)),
            *(["--boomerang"] if self.boomerang else []),
        ]


def pick_film(request: InterpolationRequest) -> Film:
    low, high = FRAMES_PER_SECOND
    check_link_number("fps", low, high)
    frames_per_second = st.slider("Frames per second", low, high, 12, key="fps", bind="query-params", width=200)
    known = sides(request.run.config.image_size)
    check_link("size", lambda text: parse_int(text) in known, f"it can be {', '.join(map(str, known))}")
    side = st.selectbox(
        "Side, pixels",
        known,
        known.index(default_side(request.run.config.image_size)),
        key="size",
        bind="query-params",
        help="Of the files: whole multiples of the image's own size, so that pixels stay square.",
        width=130,
    )
    boomerang = not request.closed and st.toggle("There and back", True, key="boomerang", bind="query-params")
    return Film(int(frames_per_second), boomerang, int(side))


def draw_player(request: InterpolationRequest, frames: np.ndarray, chosen: Film) -> None:
    """The frames as a film, to be stopped and moved by hand."""
    components.draw_player(
        [markup.data_url(png(frame)) for frame in frames],
        request.captions,
        frames_per_second=chosen.frames_per_second,
        boomerang=chosen.boomerang,
        label=f"Film from {request.title}",
        key="player",
    )


def draw_downloads(request: InterpolationRequest, frames: np.ndarray, chosen: Film) -> None:
    """The film as GIF, WebP and MP4, and its frames in one picture."""
    rate, boomerang, side = chosen

    def encode(kind: str) -> bytes:
        return film(frames, kind, frames_per_second=rate, side=side, boomerang=boomerang)

    for kind in KINDS:
        draw_download(
            LABELS[kind],
            partial(encode, kind),
            f"{file_name(request)}.{kind}",
            MIME[kind],
            "movie",
            key=f"film_{kind}",
        )
    _draw_picture_download("Frames as PNG", request, frames, even_columns(len(frames)))


def draw_sheet_download(request: InterpolationRequest, frames: np.ndarray) -> None:
    assert request.sheet is not None
    _draw_picture_download("Sheet as PNG", request, frames, request.sheet[1])


def _draw_picture_download(label: str, request: InterpolationRequest, frames: np.ndarray, columns: int) -> None:
    draw_download(
        label,
        lambda: png(grid(frames, columns), request.provenance()),
        f"{file_name(request)}.png",
        "image/png",
        "image",
    )


def even_columns(frames: int, most: int = 8) -> int:
    """As many columns as leave the fewest places of the last row empty, rather more than fewer of them."""
    return max(range(min(frames, most), most // 2, -1), key=lambda n: (-(-frames % n), n), default=frames)


def file_name(request: InterpolationRequest) -> str:
    """Run and key frames, without an ending."""
    names = [key.text(request.run).replace(MARK, "") for key in request.keys]
    return file_stem(request.run.path.name, "_to_".join(names))


def draw_steps(request: InterpolationRequest, frames: np.ndarray) -> None:
    """How far the images move from frame to frame: where a bar stands out, the film jumps."""
    try:
        steps = _step_lengths(request.run.weights_hash, frames_key(request), frames, request)
    except GanlibError as error:
        st.caption(plain(f"Steps are not measured: {error}"))
        return
    keys: list[int] = []
    if not request.equal_speed:
        positions = even_positions(request.frames, len(request.keys), request.closed).tolist()
        keys = [i for i, position in enumerate(positions) if position == int(position)]
    ratio = float(steps.max() / max(steps.mean(), 1e-9))
    st.plotly_chart(
        interpolation_steps(steps.tolist(), keys),
        alt=f"Feature distance from frame to frame: {steps.mean():.3f} on average, {steps.max():.3f} at most",
        config={"displayModeBar": False},
    )
    st.caption(plain(f"The largest step, after frame {int(np.argmax(steps)) + 1}, is {ratio:.1f} times the mean."))


@st.cache_data(max_entries=16, show_spinner=False)
def _step_lengths(weights_hash: str, key: str, _frames: Any, _request: InterpolationRequest) -> np.ndarray:
    return step_lengths(_frames, load_model(_request.run).device, closed=_request.closed)
