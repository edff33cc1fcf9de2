"""Frames as a film: GIF, WebP or MP4, enlarged in whole steps so that pixels stay square."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.errors import GanlibError
from ganlib.images import resize_nearest, to_pil

SIDE = 256  # pixels to which frames are enlarged, about
LARGEST_SIDE = 2048
SLOWEST, FASTEST = 0.1, 60.0  # frames per second
SHORTEST = 20  # milliseconds of a frame of a GIF: browsers show a shorter one for 100
QUALITY = "17"  # of H.264, 0 = lossless … 51: no difference can be seen


def sides(side: int) -> list[int]:
    """The sizes in which a film of frames of ``side`` pixels can be had: multiples of it."""
    factors = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
    return [side * factor for factor in factors if side * factor <= max(LARGEST_SIDE, side)]


def default_side(side: int) -> int:
    return max((size for size in sides(side) if size <= SIDE), default=side)


def film(
    frames: NDArray[np.uint8],
    kind: str,
    *,
    frames_per_second: float = 12,
    side: int | None = None,
    boomerang: bool = True,
) -> bytes:
    """(F, H, W, C) uint8 -> a file of ``kind``, one of ``KINDS``.

    ``side``: width in pixels, a multiple of W. ``boomerang``: there and back, so that an open path's loop has no jump.
    GIFs and WebPs loop endlessly. GIFs show 50 frames per second at most, since browsers slow down those of more.
    """
    height, width = frames.shape[1:3]
    side = default_side(width) if side is None else side
    check_film(kind, width, frames_per_second, side)
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)] if boomerang else list(range(len(frames)))
    return KINDS[kind](frames, order, (height * side // width, side), frames_per_second)


def check_film(kind: str, width: int, frames_per_second: float, side: int) -> None:
    """GanlibError for a film that ``film`` cannot make of frames of this width."""
    if kind not in KINDS:
        raise GanlibError(f"There is no film of kind {kind!r}; choose {', '.join(KINDS)}.")
    if not SLOWEST <= frames_per_second <= FASTEST:
        raise GanlibError(f"Frames per second are {SLOWEST:g} to {FASTEST:g}, not {frames_per_second:g}.")
    if side < width or side % width or side > max(LARGEST_SIDE, width):
        known = ", ".join(map(str, sides(width)))
        raise GanlibError(f"Pixels stay square at whole multiples of {width}, like {known}; not {side}.")
    if kind == "mp4":
        _require_av()


def _require_av() -> None:
    try:
        import av  # noqa: F401
    except ModuleNotFoundError:
        raise GanlibError("MP4 needs PyAV: pip install av; GIF and WebP need nothing more.") from None


def _gif(frames: NDArray[np.uint8], order: Sequence[int], size: tuple[int, int], frames_per_second: float) -> bytes:
    # Colours are counted before pixels are repeated, and of each frame once.
    indexed = [picture.quantize() if picture.mode == "RGB" else picture for picture in map(to_pil, frames)]
    enlarged = [picture.resize(size[::-1], Image.Resampling.NEAREST) for picture in indexed]
    durations = [max(ms, SHORTEST) for ms in _durations(len(order), frames_per_second, 10)]
    return _save([enlarged[i] for i in order], "GIF", durations)


def _webp(frames: NDArray[np.uint8], order: Sequence[int], size: tuple[int, int], frames_per_second: float) -> bytes:
    pictures = [to_pil(frame).convert("RGB") for frame in resize_nearest(frames, *size)]
    durations = _durations(len(order), frames_per_second, 1)
    return _save([pictures[i] for i in order], "WEBP", durations, lossless=True, method=0)


def _durations(n: int, frames_per_second: float, unit: int) -> list[int]:
    """Milliseconds of each of n frames, in multiples of ``unit``: each ends as near to its time as can be said."""
    ends = [round(1000 * i / frames_per_second / unit) * unit for i in range(n + 1)]
    return [end - start for start, end in pairwise(ends)]


def _save(pictures: list[Image.Image], kind: str, durations: list[int], **options: object) -> bytes:
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        kind,
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        **options,
    )
    return buffer.getvalue()


def _mp4(frames: NDArray[np.uint8], order: Sequence[int], size: tuple[int, int], frames_per_second: float) -> bytes:
    """H.264 that every browser plays."""
    import av

    even = (size[0] + size[0] % 2, size[1] + size[1] % 2)  # as its colours have half the resolution
    large = resize_nearest(frames if frames.shape[3] >= 3 else frames.repeat(3, axis=3), *size)[..., :3]
    large = np.pad(large, ((0, 0), (0, even[0] - size[0]), (0, even[1] - size[1]), (0, 0)), "edge")
    buffer = io.BytesIO()
    with av.open(buffer, "w", "mp4") as container:
        stream = container.add_stream("libx264", Fraction(frames_per_second).limit_denominator(1000))
        stream.height, stream.width, stream.pix_fmt = *even, "yuv420p"
        stream.options = {"crf": QUALITY, "preset": "veryfast"}
        for i in order:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(large[i]), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


KINDS: dict[str, Callable[[NDArray[np.uint8], Sequence[int], tuple[int, int], float], bytes]] = {
    "gif": _gif,
    "webp": _webp,
    "mp4": _mp4,
}
MIME = {"gif": "image/gif", "webp": "image/webp", "mp4": "video/mp4"}
