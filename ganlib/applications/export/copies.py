"""Whether an export holds copies of training images: the section of *Real vs synthetic*, as files beside the data card.

Training images are no part of an export: the report shows them beside generated ones only where anyone may publish
them, and never where the export was filtered by its distance to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganlib.applications.export.config import ExportConfig
from ganlib.applications.export.manifest import Manifest, Row
from ganlib.applications.export.selection import Draw, Images, Picture, Selection
from ganlib.data import display_name
from ganlib.data.subset import whole_set
from ganlib.errors import GanlibError
from ganlib.metrics.references import load_split, load_training_images
from ganlib.runs import Run
from ganlib.twosample.groups import thumbnails
from ganlib.twosample.memorisation import Memorisation, held_out_rows, image_points, memorisation
from ganlib.twosample.memorisation_section import add_memorisation
from ganlib.twosample.result import Comparison
from ganlib.twosample.verdict import verdict

EXAMINED = 1_000  # images that are compared with training images
HELD_OUT = 2_000  # test images that they are judged beside, at most
FREE = ("digits", "mnist", "fashion_mnist")  # data sets whose licences let anyone publish their images
PAGE = "memorisation.html"
FRAMES = {name: f"memorisation_{name}.csv" for name in ("neighbours", "distances", "tests")}
REPORT = (PAGE, *FRAMES.values())  # in the root of an export: in a folder they would be taken for a class

Render = Callable[[Comparison], bytes]


class Copies(NamedTuple):
    paragraphs: list[str]  # of the data card
    files: dict[str, bytes]  # of ``REPORT``, those that there are


class Sample:
    """Images spread over the export, kept as they are written: to draw them again would take a second or more."""

    def __init__(self, total: int) -> None:
        self.numbers = np.linspace(0, total - 1, min(total, EXAMINED)).astype(int)  # of rows of the manifest
        self._kept: dict[int, NDArray[np.uint8]] = dict.fromkeys(self.numbers.tolist(), np.empty(0, np.uint8))

    def keep(self, first: int, part: Sequence[Picture]) -> None:
        """``first``: the row of the part's first image."""
        for number, picture in enumerate(part, first):
            if number in self._kept:
                self._kept[number] = picture.image.copy()  # it is a view of the whole part

    def images(self, rows: Sequence[Row], draw: Draw) -> Images:
        """(n, H, W, C), drawing those that an interrupted export has written; ``rows``: of ``numbers``."""
        kept = [self._kept[number] for number in self.numbers.tolist()]
        missing = [i for i, image in enumerate(kept) if not image.size]
        if missing:
            drawn = draw([rows[i].seed for i in missing], [rows[i].label or 0 for i in missing])
            for i, image in zip(missing, drawn, strict=True):
                kept[i] = image
        return np.stack(kept)


def examine(
    run: Run,
    config: ExportConfig,
    manifest: Manifest,
    selection: Selection,
    sample: Sample,
    render: Render | None = None,
) -> Copies:
    """Of the sample; ``render`` makes the page."""
    chosen = np.zeros(selection.total, bool)
    chosen[sample.numbers] = True
    rows = list(compress(manifest.rows(), chosen))
    try:
        training = np.asarray(load_training_images(run, config.data_root or None).images)
        test = load_split(run, "test", config.data_root or None)
        labels = np.array([-1 if row.label is None else row.label for row in rows])
        held_out = held_out_rows(test.labels, labels, HELD_OUT)
        generated = sample.images(rows, selection.draw)
        found = memorisation(thumbnails(training), *map(image_points, (test.images[held_out.rows], generated)))
    except GanlibError as error:
        return Copies([f"Not examined: {error}"], {})
    private = bool(config.min_distance) or whole_set(run.data_name) not in FREE
    comparison = _comparison(run, rows, found, generated, None if private else training)
    warnings = [warning] if (warning := held_out.warning(run.classes)) else []
    comparison.warnings += warnings
    if config.min_distance:  # nor does a row number lead from an image to a person's
        comparison.frames["neighbours"] = comparison.frames["neighbours"].drop(columns="training")
    files = {FRAMES[name]: comparison.frames[name].to_csv(index=False).encode() for name in FRAMES}
    if render:
        files = {PAGE: render(comparison)} | files
    shown = "" if not private else " Training images are not among them."
    listed = f"The likeliest copies and all distances: {', '.join(f'`{name}`' for name in files)}.{shown}"
    return Copies([" ".join([_in_words(found), *warnings]), "", listed], files)


def _comparison(run: Run, rows: list[Row], found: Memorisation, generated: Images, shown: Images | None) -> Comparison:
    """``shown``: training images that may be."""
    name = display_name(run.data_name)
    protocol = {"run": run.name, "weights": run.weights_hash, "images": len(rows), "data": run.data_name}
    comparison = Comparison(f"{name}, test images", f"an export of {run.name}", protocol)
    add_memorisation(comparison, "pixels", found, generated, shown)
    comparison.facts["verdict"] = verdict(comparison)
    neighbours = comparison.frames["neighbours"]
    files = [rows[i].file for i in neighbours["image"]]
    comparison.frames["neighbours"] = neighbours.drop(columns="image").assign(file=files)
    comparison.warnings.append(
        f"Looked for in thumbnails of {len(rows):,} images spread over the export; ganlib compare with --sections "
        "memorisation looks in the features of a network as well."
    )
    return comparison


def _in_words(result: Memorisation) -> str:
    nearer = (
        "They lie nearer to training images than fresh real images do"
        if result.p_value < 0.05
        else "They do not lie nearer to training images than fresh real images do"
    )
    copies = f"{result.copies:,} are called copies" if result.copies else "none is called a copy"
    return (
        f"Of {len(result.neighbours):,} images {copies} (thumbnails, calibrated on {len(result.held_out):,} test "
        f"images, 5 % false discovery rate; fewer than {result.fewest:,} copies could not be told from chance). "
        f"{nearer} (Mann-Whitney, p = {result.p_value:.3g})."
    )
