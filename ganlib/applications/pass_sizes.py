"""How many images a forward pass should draw, by what earlier passes took.

A small network, or a GPU, draws 64 images in little more time than 4; a larger one on a processor core is as fast by
the image at 16 as at 64, so that joining more only makes everybody wait for everybody.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

SMALLEST = 4  # images: fewer are filled up (ganlib.sampling.generate)
GAIN = 0.1  # a larger pass is worth it where an image takes this much less time
FEWEST = 3  # passes of a size before its time counts
REPEATED = 50  # one pass in so many may be the largest again: other work may have slowed the earlier ones
GROUPS = 256  # whose times are remembered


class PassSizes:
    """Times are the best of their size, since other work can only slow a pass down."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seconds: OrderedDict[Hashable, dict[int, list[float]]] = OrderedDict()  # by group and size, of an image
        self._passes = 0

    def limit(self, group: Hashable) -> int:
        """Images of a pass: the smallest size that no larger one beats by ``GAIN``; the most until two are known."""
        self._passes += 1
        if self._passes % REPEATED == 0:
            return self._most
        best = {size: min(s) for size, s in sorted(self._seconds.get(group, {}).items()) if len(s) >= FEWEST}
        for size, seconds in best.items():
            larger = [other for other_size, other in best.items() if other_size > size]
            if larger and seconds <= (1 + GAIN) * min(larger):
                return size
        return self._most

    def add(self, group: Hashable, images: int, seconds: float) -> None:
        """A pass of so many images took so long."""
        drawn = max(-(-images // SMALLEST) * SMALLEST, 1)
        size = min(max(SMALLEST, 1 << (images - 1).bit_length()), self._most)
        times = self._seconds.setdefault(group, {}).setdefault(size, [])
        times.append(seconds / drawn)
        times.sort()
        del times[FEWEST:]
        self._seconds.move_to_end(group)
        while len(self._seconds) > GROUPS:
            self._seconds.popitem(last=False)
