"""Images for many sessions at once: what they want of one model is joined into one forward pass, in fair turns.

A seed is one image, alone or in any batch. So images that several sessions want, or that one wanted a moment ago, are
drawn once: whoever moves through seeds one by one needs one new image a step.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganlib.applications.pass_sizes import PassSizes
from ganlib.errors import GanlibError

WINDOW = 0.004  # seconds in which sessions that ask at the same time are joined
PASS = 64  # images of a forward pass at most
CACHE = 128_000_000  # bytes of images that stay in memory
OVERHEAD = 8  # bytes of memory for each byte of a requested image: float32, its PNG and the page's text of it

CONTAINER = Path("/sys/fs/cgroup")

Image = NDArray[np.uint8]  # (H, W, C)
Draw = Callable[[list[Any]], NDArray[np.uint8]]


class Ticket:
    """What one session waits for: the images of ``items``, all of one ``group``, by ``draw``."""

    def __init__(self, session: Hashable, group: Hashable, items: Sequence[Hashable], draw: Draw) -> None:
        self.session, self.group, self.items, self.draw = session, group, list(items), draw
        self.images: dict[Hashable, Image] = {}
        self.error: Exception | None = None
        self.cancelled = False
        self._ended = threading.Event()

    @property
    def missing(self) -> list[Hashable]:
        """Items without an image, each once."""
        return [item for item in dict.fromkeys(self.items) if item not in self.images]

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it ended: drawn, failed or cancelled."""
        return self._ended.wait(seconds)

    def end(self) -> None:
        self._ended.set()

    def result(self) -> NDArray[np.uint8]:
        """(N, H, W, C) of all items, in an array of its own. Raises what went wrong."""
        self.wait()
        if self.error is not None:
            raise self.error
        if self.cancelled:
            raise GanlibError("These images were given up for newer ones of the same session; load the page again.")
        return np.stack([self.images[item] for item in self.items])


class BatchingSampler:
    """One thread draws for all; a session has one turn at a time, and a newer request of it replaces the older.

    A pass serves the session whose turn it is, up to ``pass_size`` images or as few as make an image no dearer
    (``PassSizes``), and fills up with what others want of the same group. Who needs more passes goes to the end of the
    queue after each.
    """

    def __init__(self, window: float = WINDOW, pass_size: int = PASS, cache_bytes: int = CACHE) -> None:
        self.window, self.cache_bytes = window, cache_bytes
        self._sizes = PassSizes(pass_size)
        self.passes = 0  # drawn so far
        self._queue: OrderedDict[Hashable, Ticket] = OrderedDict()  # by session, in the order of their turns
        self._cache: OrderedDict[tuple[Hashable, Hashable], Image] = OrderedDict()
        self._cached_bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(self, session: Hashable, group: Hashable, items: Sequence[Hashable], draw: Draw) -> Ticket:
        """``group``: all that images depend on besides their item, the weights' hash included; items of one group are
        drawn together by any ticket's ``draw(items)``, which gives (n, H, W, C) uint8.
        """
        ticket = Ticket(session, group, items, draw)
        with self._changed:
            older = self._queue.pop(session, None)
            if older is not None:
                self._cancel(older)
            self._fill(ticket)
            if ticket.missing:
                self._queue[session] = ticket
                self._start()
                self._changed.notify()
            else:
                ticket.end()
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Nobody waits for it any more; nothing where it has ended."""
        with self._changed:
            if self._queue.get(ticket.session) is ticket:
                del self._queue[ticket.session]
                self._cancel(ticket)

    def position(self, ticket: Ticket) -> int:
        """Sessions whose turn comes before."""
        with self._changed:
            tickets = list(self._queue.values())
        return tickets.index(ticket) if ticket in tickets else 0

    def _cancel(self, ticket: Ticket) -> None:
        ticket.cancelled = True
        ticket.end()

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="ganlib-serving", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        idle = True  # else others have gathered while the last pass was drawn
        while True:
            with self._changed:
                idle |= not self._queue
                while not self._queue:
                    self._changed.wait()
            if idle:
                threading.Event().wait(self.window)
            self._draw_pass()
            idle = False

    def _draw_pass(self) -> None:
        with self._changed:
            if not self._queue:
                return
            first = next(iter(self._queue.values()))
            most = self._sizes.limit(first.group)
            items = dict.fromkeys(first.missing[:most])
            for other in self._queue.values():
                if other.group == first.group and len(items) < most:
                    items |= dict.fromkeys(other.missing)
            wanted = list(items)[:most]
        images, error, start = None, None, time.perf_counter()
        try:
            images = first.draw(wanted)
        except Exception as raised:  # it belongs to whoever waits for it
            error = raised
        with self._changed:
            self.passes += 1
            if images is None:
                self._fail(first, wanted, error)
                return
            self._sizes.add(first.group, len(wanted), time.perf_counter() - start)
            self._remember(first.group, wanted, images)
            drawn = dict(zip(wanted, images, strict=True))
            for ticket in list(self._queue.values()):
                if ticket.group == first.group:
                    ticket.images |= {item: drawn[item] for item in ticket.missing if item in drawn}
                    if not ticket.missing:
                        del self._queue[ticket.session]
                        ticket.end()
            if self._queue.get(first.session) is first:
                self._queue.move_to_end(first.session)

    def _fail(self, first: Ticket, wanted: list[Hashable], error: Exception | None) -> None:
        for ticket in list(self._queue.values()):
            if ticket.group == first.group and set(ticket.missing) & set(wanted):
                del self._queue[ticket.session]
                ticket.error = error
                ticket.end()

    def _fill(self, ticket: Ticket) -> None:
        for item in dict.fromkeys(ticket.items):
            image = self._cache.get((ticket.group, item))
            if image is not None:
                self._cache.move_to_end((ticket.group, item))
                ticket.images[item] = image

    def _remember(self, group: Hashable, items: list[Hashable], images: NDArray[np.uint8]) -> None:
        for item, image in zip(items, images, strict=True):
            if (group, item) not in self._cache:
                self._cache[group, item] = image.copy()  # not a view, which would keep the whole pass
                self._cached_bytes += image.nbytes
        while self._cached_bytes > self.cache_bytes and self._cache:
            self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes


def require_memory(images: int, image_bytes: int, available: int | None) -> None:
    """GanlibError where so many images at once would take more than half of the ``available`` bytes."""
    if available is None:
        return
    most = max(available // (2 * OVERHEAD * image_bytes), 1)
    if images > most:
        raise GanlibError(
            f"{images:,} images at once are more than this server's memory has room for at the moment (about "
            f"{most:,}); choose fewer seeds or classes."
        )


def _reclaimable() -> int:
    """Bytes of files that the container keeps in memory until something else needs it: they fill it up in time."""
    with suppress(OSError):
        lines = (CONTAINER / "memory.stat").read_text(encoding="ascii").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("inactive_file ", "slab_reclaimable ")))
    return 0


def available_memory() -> int | None:
    """Bytes that this machine, or the container that it is, can still give; None on a system that does not say."""
    sizes = []
    with suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    with suppress(OSError, ValueError):  # "max" where there is no limit
        limit, used = (int((CONTAINER / f"memory.{name}").read_text(encoding="ascii")) for name in ("max", "current"))
        sizes.append(max(limit - used + _reclaimable(), 0))
    return min(sizes, default=None)
