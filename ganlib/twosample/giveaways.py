"""What tells two sides apart without a look at what the pictures show, and how both are treated alike.

A classifier learns JPEG blocks, sizes and greyscale before anything else; without such shortcuts detectors lose and
gain many points. Grommelt et al., "Fake or JPEG?", arXiv:2403.17608.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.naming import counted
from ganlib.twosample.sides import Encoding, File, Images, Side, usual_encoding

SQUARE = 1.02  # longer through shorter side, up to which nothing of an image is said to be cut off
PARTLY = 0.01  # share of a side from which a finding is worth a sentence


class Giveaway(NamedTuple):
    kind: str  # format, size, aspect, greyscale, copies, same
    sentence: str


def common_encoding(real: Side, synthetic: Side) -> Encoding | None:
    """The coarser of both sides' JPEG encodings; None where neither side's files are JPEG."""
    known = [encoding for side in (real, synthetic) if (encoding := usual_encoding(side.files))]
    return max(known, key=lambda encoding: sum(map(sum, encoding.tables)), default=None)


def through(side: Side, encoding: Encoding | None) -> Side:
    """The side as JPEG of this encoding; as it is for None, or where its files have it already at their own size."""
    if encoding is None or (usual_encoding(side.files) == encoding and _at_own_size(side)):
        return side
    return replace(side, images=np.stack([_through_jpeg(image, encoding) for image in side.images]))


def _at_own_size(side: Side) -> bool:
    size = side.images.shape[1]
    return all(file.width == file.height == size for file in side.files)


def _through_jpeg(image: NDArray[np.uint8], encoding: Encoding) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    grey = image.shape[2] == 1
    picture = Image.fromarray(image[:, :, 0] if grey else image)
    tables = [list(table) for table in encoding.tables][: 1 if grey else None]
    picture.save(buffer, "JPEG", qtables=tables, subsampling=-1 if grey else max(encoding.subsampling, 0))
    return np.asarray(Image.open(buffer, formats=["JPEG"]), np.uint8).reshape(image.shape)


def common_channels(real: list[File], synthetic: list[File]) -> int:
    """1 where all files of either side are greyscale, else 3."""
    return min(max(file.channels for file in files) for files in (real, synthetic))


def find_giveaways(real: Side, synthetic: Side, encoding: Encoding | None) -> list[Giveaway]:
    """``encoding``: what both went ``through``."""
    tests: tuple[Callable[[Side, Side], str | None], ...]
    tests = (_same, _sizes, _aspects, _greyscale)
    found = [Giveaway(test.__name__.strip("_"), s) for test in tests if (s := test(real, synthetic))]
    if sentence := _formats(real, synthetic, encoding):
        found.append(Giveaway("format", sentence))
    for side, name in ((real, "real"), (synthetic, "synthetic")):
        if sentence := _copies(side, name):
            found.append(Giveaway("copies", sentence))
    return found


def pixel_hashes(images: Images) -> list[bytes]:
    """Equal exactly where the images are."""
    return [np.ascontiguousarray(image).tobytes() for image in images]


def shared_images(real: Side, synthetic: Side) -> int:
    """How many synthetic images are, pixel by pixel, among the real ones."""
    known = set(map(hash, pixel_hashes(real.images)))
    return sum(hash(pixels) in known for pixels in pixel_hashes(synthetic.images))


def _same(real: Side, synthetic: Side) -> str | None:
    shared = shared_images(real, synthetic)
    if shared == len(synthetic):
        return "These are the same files: every synthetic image is, pixel by pixel, a real one."
    if shared:
        return f"{counted(shared, 'synthetic image')} of {len(synthetic):,} are, pixel by pixel, among the real ones."
    return None


def _copies(side: Side, name: str) -> str | None:
    repeated = len(side) - len(set(map(hash, pixel_hashes(side.images))))
    if not repeated:
        return None
    return f"{counted(repeated, f'{name} image')} of {len(side):,} repeat another one of the same side."


def _formats(real: Side, synthetic: Side, encoding: Encoding | None) -> str | None:
    shares = [Counter(file.format or "no file" for file in side.files) for side in (real, synthetic)]
    encodings = [usual_encoding(side.files) for side in (real, synthetic)]
    if shares[0].keys() == shares[1].keys() and encodings[0] == encodings[1]:
        return None
    sides = [
        f"the {name} images are {_formats_of(counts)}"
        for name, counts in zip(("real", "synthetic"), shares, strict=True)
    ]
    treatment = "both were encoded as the coarser JPEG" if encoding else "neither was encoded anew"
    return _sentence(f"{' and '.join(sides)}: {treatment}")


def _formats_of(counts: Counter[str]) -> str:
    names = [f"{name if name != 'no file' else 'from no file'}" for name, _ in counts.most_common(3)]
    return ", ".join(names)


def _sizes(real: Side, synthetic: Side) -> str | None:
    sizes = [_median_size(side.files) for side in (real, synthetic)]
    if sizes[0] == sizes[1]:
        return None
    size = real.images.shape[1]
    texts = [f"{w}x{h}" for w, h in sizes]
    return (
        f"The real images are {texts[0]} pixels and the synthetic ones {texts[1]} (median): both were brought to "
        f"{size}x{size}, but scaling by different factors leaves different detail."
    )


def _aspects(real: Side, synthetic: Side) -> str | None:
    parts = []
    for side, name in ((real, "real"), (synthetic, "synthetic")):
        oblong = sum(max(f.width, f.height) > SQUARE * min(f.width, f.height) for f in side.files) / len(side)
        if oblong > PARTLY:
            parts.append(f"{oblong:.0%} of the {name} images")
    return _sentence(f"{' and '.join(parts)} are not square: their middle was used") if parts else None


def _greyscale(real: Side, synthetic: Side) -> str | None:
    shares = [_grey_share(side) for side in (real, synthetic)]
    if abs(shares[0] - shares[1]) <= PARTLY:
        return None
    both = "; both were compared in grey" if real.images.shape[3] == 1 else ""
    return f"{shares[0]:.0%} of the real and {shares[1]:.0%} of the synthetic images are greyscale{both}."


def _grey_share(side: Side) -> float:
    """Of files that say so, or whose three channels are equal."""
    grey = np.array([file.channels == 1 for file in side.files])
    if side.images.shape[3] == 3:
        pixels = side.images.reshape(len(side), -1, 3)
        grey |= (np.ptp(pixels, axis=2) <= 2).all(axis=1)  # JPEG moves a channel by a level
    return float(grey.mean())


def _median_size(files: list[File]) -> tuple[int, int]:
    return int(np.median([file.width for file in files])), int(np.median([file.height for file in files]))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
