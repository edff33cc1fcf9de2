"""A picture to work on: from the test set, generated, an example, or uploaded."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from ganlib.data import display_name
from ganlib.data.pictures import DecodedPicture, decode_picture, decode_whole
from ganlib.errors import GanlibError
from ganlib.metrics.references import load_split
from ganlib.models.options import SEED_LIMIT
from ganlib.runs import Run
from ganlib.sampling.request import SampleRequest, parse_int
from ganlib.ui import chrome
from ganlib.ui.catalog import best_first, generate_images, generates, has_stages, runs
from ganlib.ui.example_pictures import example_pictures
from ganlib.ui.links import check_link
from ganlib.ui.markup import plain

TEST, GENERATED, EXAMPLE, UPLOAD = "Test picture", "Generated", "Example", "Upload"
FILE_TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]
MEGABYTES = 64


class Picture(NamedTuple):
    """``number``: in the test set, or of an example; ``seed``: of a generated one; both None of an upload."""

    pixels: np.ndarray  # (H, W, C) uint8
    name: str
    number: int | None = None
    label: int | None = None  # its class, where that is known
    seed: int | None = None
    source: str = UPLOAD

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self.pixels.shape).encode() + self.pixels.tobytes()).hexdigest()[:16]

    @property
    def link(self) -> dict[str, Any] | None:
        """What a link has of it; None of an upload, which stays in its session."""
        if self.number is not None:
            return {"source": self.source, "picture": self.number}
        return None if self.seed is None else {"source": self.source, "seed": self.seed}


def pick_picture(run: Run, *, generated: bool = False, domain: int | None = None, whole: int = 0) -> Picture:
    """The page ends until there is one.

    ``generated``: whether it may be one that a run of the data set draws. ``domain``: the class that test pictures are
    of. ``whole``: an upload keeps its own shape up to so many pixels a side, else it becomes as large as the model's.
    """
    images, labels, reason = _load_test_images(run, domain)
    generator = find_generator(run) if generated else None
    examples = example_pictures(run, domain) if images is None else ()
    possible = {TEST: images is not None, GENERATED: generator is not None, EXAMPLE: len(examples) > 0, UPLOAD: True}
    sources = [source for source, there in possible.items() if there]
    absent = f"The images of {display_name(run.data_name)} are not on this machine: no test picture can be chosen."
    if len(sources) == 1:
        st.caption(plain(f"No test picture can be chosen: {reason}"))
    check_link("source", sources.__contains__, f"it can be {' or '.join(sources)}")
    if st.session_state.get("source", sources[0]) not in sources:  # another run's
        del st.session_state["source"]
    source = st.segmented_control(
        "Picture",
        sources,
        default=sources[0],
        required=True,
        key="source",
        bind="query-params",
        help=plain(absent) if images is None else None,
    )
    if images is not None and source == TEST:
        return _pick_test_picture(run, images, labels)
    if generator is not None and source == GENERATED:
        return _pick_generated(generator)
    if source == EXAMPLE:
        number = _pick_number("Number of the example", len(examples))
        return Picture(examples[number], f"{run.name}_example_{number}.png", number, domain, source=EXAMPLE)
    return _upload(run, whole)


def _pick_test_picture(run: Run, images: Any, labels: Any) -> Picture:
    number = _pick_number("Number in the test set", len(images))
    label = int(labels[number]) if labels[number] >= 0 else None
    return Picture(np.array(images[number]), f"{run.data_name}_test_{number}.png", number, label, source=TEST)


def _pick_number(label: str, n: int) -> int:
    last = n - 1
    check_link("picture", lambda text: (n := parse_int(text)) is not None and n <= last, f"they go from 0 to {last}")
    if st.session_state.get("picture", 0) > last:  # another run's
        del st.session_state["picture"]
    return int(st.number_input(plain(label), 0, last, 0, key="picture", bind="query-params"))


def _pick_generated(generator: Run) -> Picture:
    check_link(
        "seed",
        lambda text: (n := parse_int(text)) is not None and n < SEED_LIMIT,
        f"seeds go from 0 to {SEED_LIMIT - 1}",
    )
    seed = int(st.number_input("Seed", 0, SEED_LIMIT - 1, 0, key="seed", bind="query-params"))
    label = seed % len(generator.classes) if generator.conditional else None
    request = SampleRequest(generator, () if label is None else (label,), (seed,), {})
    return Picture(
        generate_images(request)[0], f"{generator.name}_{seed}.png", label=label, seed=seed, source=GENERATED
    )


def _upload(run: Run, whole: int) -> Picture:
    file = st.file_uploader("An image file", FILE_TYPES, max_upload_size=MEGABYTES)
    if file is None:
        chrome.finish(
            "Upload a picture; it is enlarged as it is."
            if whole
            else "Upload a picture; its middle square is scaled to the size that the model makes."
        )
    decoded = _decode(file, run, whole)
    for note in decoded.notes:
        st.caption(f":material/info: {plain(note)}")
    return Picture(decoded.pixels, file.name)


def _decode(file: Any, run: Run, whole: int) -> DecodedPicture:
    c = run.config
    if whole:
        return decode_whole(file.getvalue(), file.name, c.channels, whole)
    return decode_picture(file.getvalue(), file.name, c.image_size, c.channels)


def _load_test_images(run: Run, domain: int | None) -> tuple[Any, Any, str]:
    """(N, H, W, C) uint8 and (N,) labels, of one class if it is given, or None and the reason."""
    try:
        split = load_split(run, "test", None)
    except GanlibError as error:
        return None, None, str(error)
    if domain is None:
        return split.images, split.labels, ""
    rows = np.flatnonzero(split.labels == domain)
    return split.images[rows], split.labels[rows], ""


def find_generator(run: Run) -> Run | None:
    """The run itself, or the best of its data set, that draws images at once."""
    same = [
        other
        for other in best_first(runs(generates))
        if (other.data_name, other.config.image_size, other.config.channels)
        == (run.data_name, run.config.image_size, run.config.channels)
    ]
    quick = [other for other in same if not has_stages(other, {})]
    return next((other for other in quick if other.name == run.name), quick[0] if quick else None)
