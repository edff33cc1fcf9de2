"""Many sessions at one dashboard, each pressing a key on the sampling page every few seconds.

    python -m benchmarks.load [--run cifar10-sngan] [--sessions 50] [--period 2] [--seconds 30] [--images 16]

Sessions are Streamlit's own websocket connections without a browser: each opens the page, then moves its seed on by one
every ``--period`` seconds where the answer to the last press is there by then. A press ends when the page's script has.
The processor's time of a press is that of the server, whatever else the machine does. ``--against`` names another
checkout of this project, whose server gets the same presses at the same time, so that whatever else the machine does
hits both.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.browsing import PROJECT, server


class Session:
    """One connection: ``open`` it, then ``press`` the seed to ``first``, ``first`` + 1, …"""

    def __init__(self, url: str, run: str, images: int, first: int) -> None:
        self.url, self.run, self.images, self.seed = url, run, images, first
        self.seconds: list[float] = []
        self.errors: list[str] = []
        self.skipped = 0
        self._first, self._slider = first, ""  # the slider's id, once the page has told it

    async def play(self, start: float, period: float, end: float) -> None:
        stream = self.url.replace("http", "ws") + "/_stcore/stream"
        limits: dict[str, Any] = {"max_size": None, "open_timeout": None, "ping_interval": None, "close_timeout": 1}
        async with connect(stream, subprotocols=[Subprotocol("streamlit")], **limits) as connection:
            await self._rerun(connection)  # home, which the server answers first
            await self._rerun(connection)
            self.seconds.clear()
            next_press = start
            while next_press < end:
                await asyncio.sleep(max(next_press - time.monotonic(), 0))
                self.seed += 1
                await self._rerun(connection)
                late = int(max(time.monotonic() - next_press, 0) // period)
                self.skipped += late
                next_press += (late + 1) * period

    async def _rerun(self, connection: ClientConnection) -> None:
        message = BackMsg()
        message.rerun_script.query_string = f"run={self.run}&n={self.images}&seed={self._first}"
        message.rerun_script.page_name = "sampling"
        if self._slider:
            slider = message.rerun_script.widget_states.widgets.add()
            slider.id = self._slider
            slider.double_array_value.data.append(self.seed)
        drawn = False
        begin = time.monotonic()
        await connection.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            data = await connection.recv()
            assert isinstance(data, bytes)
            answer.ParseFromString(data)
            kind, element = answer.WhichOneof("type"), answer.delta.new_element
            drawn |= f"seed {self.seed}".encode() in data
            if kind == "delta" and element.WhichOneof("type") == "slider" and element.slider.id.endswith("seed_slider"):
                self._slider = element.slider.id
            if kind == "delta" and element.WhichOneof("type") == "exception":
                self.errors.append(element.exception.message)
            if kind == "script_finished":
                if self._slider and not drawn:
                    self.errors.append(f"seed {self.seed} was not drawn")
                self.seconds.append(time.monotonic() - begin)
                return


async def play(url: str, args: argparse.Namespace) -> tuple[list[Session], Usage]:
    """All sessions at once, each beginning at another moment of the first period, at seeds of its own; and what the
    server had used when the last of them had opened the page.
    """
    sessions = [Session(url, args.run, args.images, 100 * i % 900 if args.apart else i) for i in range(args.sessions)]
    begin = time.monotonic() + args.opening
    starts = [begin + args.period * i / args.sessions for i in range(args.sessions)]
    played = [s.play(t, args.period, begin + args.seconds) for s, t in zip(sessions, starts, strict=True)]
    opened = asyncio.create_task(_usage_at(begin, url))
    await asyncio.gather(*played)
    return sessions, await opened


async def _usage_at(moment: float, url: str) -> Usage:
    await asyncio.sleep(max(moment - time.monotonic(), 0))
    return usage(url.rpartition(":")[2])


def describe(name: str, sessions: list[Session], seconds: float, before: Usage, after: Usage) -> str:
    times = sorted(t for session in sessions for t in session.seconds)
    errors = [error for session in sessions for error in session.errors]
    if len(times) < 2:
        return f"{name}: no presses were answered"
    p95 = statistics.quantiles(times, n=20)[-1]
    return (
        f"{name}: {len(times)} presses, {len(times) / seconds:.1f}/s, median {statistics.median(times):.2f} s, "
        f"p95 {p95:.2f} s, {sum(s.skipped for s in sessions)} due while waiting, {len(errors)} errors, "
        f"memory {before.memory / 1e6:.0f} -> {after.memory / 1e6:.0f} MB, "
        f"{1000 * (after.seconds - before.seconds) / len(times):.0f} ms of processor a press"
    )


class Usage(NamedTuple):
    memory: int  # bytes
    seconds: float  # of processor


def usage(port: str) -> Usage:
    """Of the server that listens there."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"--server.port={port}".encode() in status.read_bytes():
                pages = int((status.parent / "statm").read_text().split()[1])
                ticks = (status.parent / "stat").read_text().rpartition(")")[2].split()[11:13]
                return Usage(pages * os.sysconf("SC_PAGE_SIZE"), sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
    return Usage(0, 0.0)


async def play_all(urls: list[str], args: argparse.Namespace) -> list[tuple[list[Session], Usage]]:
    return await asyncio.gather(*(play(url, args) for url in urls))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", default="cifar10-sngan")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--period", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--opening", type=float, default=60.0, help="seconds in which all sessions open the page")
    parser.add_argument("--apart", action="store_true", help="no two sessions at the same seeds")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    args = parser.parse_args()
    projects = [PROJECT, *([args.against.resolve()] if args.against else [])]
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(server(project / "app.py")) for project in projects]
        ports = [url.rpartition(":")[2] for url in urls]
        first = argparse.Namespace(**vars(args) | {"sessions": 1, "seconds": args.period, "opening": 0})
        asyncio.run(play_all(urls, first))  # loads weights
        for project, (sessions, opened), port in zip(projects, asyncio.run(play_all(urls, args)), ports, strict=True):
            print(describe(str(project), sessions, args.seconds, opened, usage(port)), flush=True)


if __name__ == "__main__":
    main()
