"""Two sides that were brought to one size and encoding, and what all sections share of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganlib.data.batches import random_subset
from ganlib.data.pictures import to_square
from ganlib.images import to_pil
from ganlib.runs import Run
from ganlib.twosample.config import ComparisonConfig
from ganlib.twosample.features import FeatureNetwork, Features, feature_network
from ganlib.twosample.giveaways import common_channels, common_encoding, find_giveaways, through
from ganlib.twosample.groups import Grouping, group, halves, sequence_names
from ganlib.twosample.result import Comparison
from ganlib.twosample.sides import LARGEST_SIDE, Encoding, Images, Origin, Progress, Side, locate, read_side

PIXELS = 2**28  # bytes of a side: the rest of the memory is for features and distances


@dataclass
class Context:
    real: Side
    synthetic: Side
    native: int  # pixels a side that the images of both sides have
    config: ComparisonConfig
    device: torch.device
    encoding: Encoding | None
    result: Comparison
    progress: Progress
    networks: dict[str, FeatureNetwork] = field(default_factory=dict)
    _features: dict[tuple[str, str, int], Features] = field(default_factory=dict)

    @property
    def run(self) -> Run | None:
        """The synthetic side's, else the real side's."""
        return self.synthetic.run or self.real.run

    @cached_property
    def images(self) -> Images:
        """(n + m, S, S, C): real images, then synthetic ones."""
        return np.concatenate([self.real.images, self.synthetic.images])

    @cached_property
    def is_real(self) -> NDArray[np.bool_]:
        return np.arange(len(self.real) + len(self.synthetic)) < len(self.real)

    @cached_property
    def grouping(self) -> Grouping:
        files = [*self.real.files, *self.synthetic.files]
        names = sequence_names([file.name for file in files], self.config.sequences)
        grouping = group(self.images, self.is_real, names)
        self.result.warnings += grouping.warnings
        return grouping

    @cached_property
    def training(self) -> NDArray[np.bool_]:
        """Mask of the half that classifiers learn from; the other half is measured."""
        return halves(self.is_real, self.grouping, self.config.seed)

    def network(self, name: str) -> FeatureNetwork:
        if name not in self.networks:
            self.networks[name] = feature_network(name, self.device, self.run)
        return self.networks[name]

    def features(self, name: str, side: Side, limit: int | None = None) -> Features:
        """(m, d) of the side's images, up to ``limit`` of them at random; those of files are stored for later."""
        rows = part_of(len(side), limit)
        key = (name, "real" if side is self.real else "synthetic", len(rows))
        if key not in self._features:
            network = self.network(name)
            images = side.images if len(rows) == len(side) else side.images[rows]
            self._features[key] = network(
                images,
                lambda done: self.progress(f"{name} of {side.name}", done, len(rows)),
                store=side.run is None,
            )
        return self._features[key]

    def groups(self, limit: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Numbers of the groups of either side's images, as many as ``features`` has; None where each is one image."""
        if self.grouping.trivial:
            return None
        numbers = self.grouping.groups
        real, synthetic = (numbers[rows] for rows in (self.is_real, ~self.is_real))
        return real[part_of(len(real), limit)], synthetic[part_of(len(synthetic), limit)]

    def joint_features(self, name: str) -> Features:
        """(n + m, d), in the order of ``images``."""
        return np.concatenate([self.features(name, side) for side in (self.real, self.synthetic)])

    def treated(self, name: str, n: int) -> Side:
        """Another side, brought to the same size and encoding."""
        origin = locate(name, n, self.device, root=self.config.data_root)
        side = read_side(origin, self.real.images.shape[1], self.real.images.shape[3], self.progress)
        return through(side, self.encoding)


def prepare(
    real: str,
    synthetic: str,
    config: ComparisonConfig,
    device: torch.device,
    options: tuple[dict[str, str], dict[str, str]],
    progress: Progress,
) -> Context:
    """Reads both sides; what gives one away is found before anything is measured."""

    def locate_both(n: int) -> list[Origin]:
        sides = zip((real, synthetic), options, strict=True)
        return [locate(name, n, device, options=chosen, root=config.data_root) for name, chosen in sides]

    origins = locate_both(config.n)
    fewest = min(len(origin.files) for origin in origins)
    if any(len(origin.files) > fewest for origin in origins) and fewest > 1:
        # As many images of either side: average precision, for one, depends on their ratio.
        origins = locate_both(fewest)
    native = min(min(origin.side for origin in origins), LARGEST_SIDE)
    size = config.size or native
    channels = common_channels(*(origin.files for origin in origins))
    most = PIXELS // (size * size * channels)
    warnings = [_shortened(origin, most) for origin in origins if len(origin.files) > most]
    if warnings:
        shorter = replace(config, n=most)
        context = prepare(real, synthetic, shorter, device, options, progress)
        context.result.warnings += warnings
        return context
    sides = [read_side(origin, size, channels, progress) for origin in origins]
    a, b = sides
    encoding = common_encoding(a, b) if config.alike else None
    a, b = through(a, encoding), through(b, encoding)
    result = Comparison(a.name, b.name, _protocol(a, b, config, size, channels, encoding))
    result.giveaways = [giveaway.sentence for giveaway in find_giveaways(a, b, encoding)]
    return Context(a, b, min(native, size), config, device, encoding, result, progress)


def scaled(images: Images, size: int) -> Images:
    """(N, S, S, C) -> (N, size, size, C)."""
    if images.shape[1] == size:
        return images
    return np.stack([to_square(to_pil(image), size, images.shape[3]) for image in images])


def _protocol(
    real: Side, synthetic: Side, config: ComparisonConfig, size: int, channels: int, encoding: Encoding | None
) -> dict[str, Any]:
    def describe(side: Side) -> dict[str, Any]:
        run = side.run
        about = {"run": run.name, "weights": run.weights_hash, "options": dict(side.options)} if run else {}
        return {"name": side.name, "n": len(side), "fingerprint": side.fingerprint} | about

    return {
        "real": describe(real),
        "synthetic": describe(synthetic),
        "size": size,
        "channels": channels,
        "encoding": "JPEG" if encoding else "none",
        "config": config.to_dict(),
    }


def _shortened(origin: Origin, most: int) -> str:
    return f"Of {origin.name} {most:,} images were compared: more of this size do not fit in memory; lower --size."


def part_of(n: int, limit: int | None) -> NDArray[np.int64]:
    """Up to ``limit`` of n rows at random, sorted: classes may lie one after the other, or take turns."""
    return random_subset(n, n if limit is None else limit)
