"""How methods of balancing are compared."""

from __future__ import annotations

from dataclasses import dataclass

from ganlib.balances import COPYING
from ganlib.config import Config, option
from ganlib.errors import GanlibError

WITH_GENERATOR = ("generated", "filtered", "mixed")
FILLING = (*COPYING, *WITH_GENERATOR)  # methods that add images, as many as a ratio says
METHODS = {
    "none": "the images as they are",
    "reweighting": "a class counts in the loss as much as it is rare",
    "oversampling": "images of rare classes several times",
    "augmentation": "images of rare classes several times, the copies with other colours and moved",
    "generated": "generated images of rare classes",
    "filtered": "generated ones that a classifier of the real images recognises, or that are no near copy of one",
    "mixed": "generated images for half of what is missing, copies for the rest",
}


@dataclass(frozen=True)
class BalanceConfig(Config):
    methods: tuple[str, ...] = option(tuple(METHODS), f"how classes are filled up, of {', '.join(METHODS)}")
    ratios: tuple[float, ...] = option(
        (1.0,), "to how many times the largest class copies or generated images fill up each", min=0.01, max=100.0
    )
    seeds: int = option(3, "classifiers of each method", min=2, max=100)
    train_images: int = option(40_000, "images that each classifier sees", min=1)
    width: int = option(16, "channels of the classifier at full resolution", min=1)
    min_confidence: float = option(
        0.5, "of filtered: what a classifier trained on the real images gives the class", min=0.0, max=1.0
    )
    min_distance: float = option(
        0.0,
        "of filtered: leave out images as near to a training image as this share of test images is, 0 = none",
        min=0.0,
        max=0.9,
    )
    data_root: str | None = option(None, "where data sets lie, if not in $GANLIB_DATA")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.methods:
            if name not in METHODS:
                raise GanlibError(f"There is no method {name!r} of balancing; there are {', '.join(METHODS)}.")
        if not self.methods or not self.ratios:
            raise GanlibError(
                "Balancing takes a method and a ratio; leave --methods and --ratios out for the usual ones."
            )
