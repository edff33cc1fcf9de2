"""How a comparison is made, apart from its two sides and the device."""

from __future__ import annotations

from dataclasses import dataclass

from ganlib.config import Config, option
from ganlib.errors import GanlibError

SECTIONS = ("classifier", "features", "memorisation", "latents", "training")
STANDARD = ("classifier", "features", "memorisation")


@dataclass(frozen=True)
class ComparisonConfig(Config):
    sections: tuple[str, ...] = option(STANDARD, f"what to test, of {', '.join(SECTIONS)}")
    n: int = option(10_000, "images a side at most", min=2, max=1_000_000)
    size: int | None = option(
        None, "pixels to which both sides are scaled, else the smaller side's own", min=8, max=512
    )
    networks: tuple[str, ...] = option(
        ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"),
        "extractors of features: the first for every test, the others for the component tests",
    )
    others: int = option(2_000, "images a side that the networks after the first see", min=4)
    sequences: str | None = option(
        None, "regular expression for the part of a file's name that names its sequence: frames of one stay together"
    )
    alike: bool = option(True, "encode both sides alike where one is JPEG")
    training: str | None = option(None, "training images for memorisation, as a side; a run's own by default")
    held_out: str | None = option(None, "held-out images for memorisation, as a side; the data set's test split")
    encoder: str | None = option(None, "run that encodes, for the latent tests; the synthetic side's by default")
    train_images: int = option(100_000, "images that each classifier of the section training sees", min=1)
    data_root: str | None = option(None, "where data sets lie, if not in $GANLIB_DATA")
    seed: int = option(0, "of halves, networks and permutations", min=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.sections:
            if name not in SECTIONS:
                raise GanlibError(f"There is no section {name!r}; there are {', '.join(SECTIONS)}.")
        if not self.networks:
            raise GanlibError("A comparison takes at least one network; leave --networks out for the usual ones.")
