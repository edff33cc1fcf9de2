"""How an evaluation is made, apart from the run and the device."""

from __future__ import annotations

from dataclasses import dataclass

from ganlib.config import Config, option
from ganlib.errors import GanlibError
from ganlib.records import GROUPS


@dataclass(frozen=True)
class EvaluationConfig(Config):
    metrics: tuple[str, ...] = option(("fid", "class_agreement"), f"what to measure of {', '.join(GROUPS)}")
    per_class: bool = option(False, "FID of each class as well, of conditional models")
    n: int = option(10_000, "images to generate", min=2, max=10_000_000)
    blocks: int = option(4, "disjoint seed blocks behind the interval, 1 = no interval", min=1, max=1000)
    extractor: str = option(
        "embedded",
        "embedded (the data set's classifier), efficientnet_lite0, _lite1 or _lite2 (ImageNet), timm:NAME, "
        "torchvision:NAME, these with @SIDE for other than 64 pixels, inception, vgg16, clip or dinov2",
    )
    extractor_weights: str | None = option(None, "file of another extractor's weights, else downloaded")
    space: str = option("z", "of ppl: where its paths run, z, or w where the model has it")
    keep_images: bool = option(False, "keep the images for the run's next evaluation, which then generates none")
    data_root: str | None = option(None, "where data sets lie, if not in $GANLIB_DATA")
    batch: int = option(64, "images per forward pass; no number depends on it", min=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.metrics:
            if name not in GROUPS:
                raise GanlibError(f"There is no metric {name!r}; there are {', '.join(GROUPS)}.")
        if self.n < 2 * self.blocks:
            raise GanlibError(f"{self.blocks} blocks of at least 2 images need n ≥ {2 * self.blocks}, not {self.n}.")
