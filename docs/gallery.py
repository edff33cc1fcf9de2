"""python -m docs.gallery: writes docs/gallery.md, the scores of the shipped gallery, from its records."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from ganlib.commands.listing import list_metrics, list_scores

GALLERY = Path(__file__).parents[1] / "checkpoints"
PAGE = Path(__file__).with_name("gallery.md")
TEMPLATE = """\
# The gallery

Made by `python -m docs.gallery` from the records in `checkpoints/`; do not edit by hand.

## Scores

`python -m ganlib list scores` prints this table:

{scores}
- **class agreement**: the fraction of the n generated images that a classifier of the data set assigns to the
  requested class. The classifier itself is right on 88.8 % of CIFAR-10's test images, 99.7 % of the digits' and 76.9 %
  of the flowers' (five classes, 64 pixels).
- **linear probe of D**: the test accuracy of a linear SVM on D's features (`python -m ganlib probe`); on raw pixels it
  is 39.3 %, 96.1 % and 48.4 %.
- **training**: time on one core of a shared two-core CPU.
- Real test images have an FID of 0.01 on CIFAR-10. The digits have 359 test images and the flowers 864, too few for a
  lower bound (0.77 and 0.06).
- InfoGAN's code, trained without labels, separates the digits' test images with an accuracy of 69.1 %. SGAN's
  classifier, trained with 4,000 labels, has 55.6 % on CIFAR-10, and 51.3 % when trained on these labels alone.

FID (embedded) is measured on the features of that classifier, which this project trains per data set and ships: as
many generated images against the training split, the interval from disjoint blocks of seeds, classes requested in turn.
FID (efficientnet_lite0) is measured on the same images by features of ImageNet, enlarged to 64 pixels: it also compares
data sets, on another scale, and does not know their classes. Neither compares with published FID, which uses Inception:
`--extractor inception` computes that where torch-fidelity can download its weights or `--extractor-weights PATH` names
them. [training.md](training.md) lists all extractors.

## Other metrics

`python -m ganlib list metrics` prints what else was measured on the same images:

{metrics}
- **PPL**: the mean of squared steps along paths through z, without the lowest and highest percentile, in features of
  the same classifier.
- **CAS**: the accuracy on real test images of a small classifier trained on 100,000 generated images, n of them
  different (`--metrics cas`).

The dashboard shows the intervals and the FID of each class.
"""


def render() -> str:
    """The page for the runs that ``GANLIB_GALLERY`` and ``GANLIB_RUNS`` name."""
    return TEMPLATE.format(scores=_printed(list_scores), metrics=_printed(list_metrics))


def _printed(command: Callable[[], None]) -> str:
    output = io.StringIO()
    with redirect_stdout(output):
        command()
    return output.getvalue()


def main() -> None:
    os.environ["GANLIB_GALLERY"] = str(GALLERY)
    os.environ.pop("GANLIB_RUNS", None)
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
