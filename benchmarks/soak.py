"""python -m benchmarks.soak: sessions as browsers hold them, on a real server, with random pages and links.

    python -m benchmarks.soak --sessions 10 --minutes 5          # on two small runs of digits
    python -m benchmarks.soak --gallery checkpoints --sessions 50 --minutes 20 --log soak.log

Each session is a websocket that opens pages and follows links: other runs, classes, seeds and counts. Some vanish
without a word, as closed laptops do, and others come. Measured: errors on pages; pictures of one command line that
differ between sessions, or from what the run draws by itself; resident memory, threads and open files of the server,
with the slope of each after warm-up and its 95 % interval, and what is left of them when all sessions are gone. Where a
page gives no answer, the server writes the stacks of its threads into its log; the lines where they stood are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode
from urllib.request import urlopen

import numpy as np
from PIL import Image
from scipy.stats import linregress, t
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from ganlib.models import GenerativeModel
from ganlib.runs import Run, scan
from ganlib.sampling import sample
from ganlib.ui.navigation import PAGES

PROJECT = Path(__file__).parents[1]
SMALL = ("digits-cdcgan", "digits-sngan", "digits-classifier")
WITHOUT = ("export",)  # starts no work by itself, but lists what others export meanwhile
VANISH = 0.04  # of all actions
PATIENCE = 90.0  # seconds for one page
STALLED = 20.0  # seconds without a word, after which the server is asked what it does
EVERY = 2.0  # seconds between two looks at the server
PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")


class Look(NamedTuple):
    seconds: float
    mebibytes: float
    threads: int
    files: int


SERVER = """
import faulthandler, signal, sys
from streamlit.web.cli import main
signal.signal(signal.SIGUSR1, lambda *_: faulthandler.dump_traceback())  # register() would read running threads' frames
sys.exit(main(prog_name="streamlit"))
"""


@dataclass
class Outcome:
    actions: int = 0
    vanished: int = 0
    left: int = 0  # pages left while they still worked
    errors: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # of each action
    pictures: dict[str, str] = field(default_factory=dict)  # command that a page shows -> hash of its pictures
    links: set[str] = field(default_factory=set)  # to pages of pictures
    unequal: list[str] = field(default_factory=list)
    compared: int = 0


@contextmanager
def server(gallery: Path, log: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Port and process of the dashboard, which writes into ``log``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVER, "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    with tempfile.TemporaryDirectory() as cache, log.open("wb") as output:
        environment = os.environ | {"GANLIB_GALLERY": str(gallery), "GANLIB_CACHE": cache, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            for _ in range(600):
                with suppress(OSError):
                    urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                    break
                time.sleep(0.2)
            yield port, process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def open_tab(port: int) -> connect:
    """A websocket as the page's own script opens it."""
    origin = Origin(f"http://127.0.0.1:{port}")
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    return connect(address, origin=origin, subprotocols=[Subprotocol("streamlit")], max_size=None, open_timeout=60)


class Shown(NamedTuple):
    """HTML and pictures of a page, and the command line that makes the same pictures."""

    html: str
    command: str


class Session:
    """One browser tab."""

    def __init__(
        self, port: int, process: int, runs: list[Run], rng: random.Random, outcome: Outcome, pause: float = 0.0
    ) -> None:
        self.port, self.process, self.runs, self.rng, self.outcome = port, process, runs, rng, outcome
        self.pause = pause
        self.answered = 0.0  # when the server last sent something

    async def live(self, until: float) -> None:
        while time.monotonic() < until:
            async with open_tab(self.port) as tab:
                while time.monotonic() < until:
                    await self._act(tab)
                    if self.rng.random() < VANISH:
                        self.outcome.vanished += 1
                        tab.transport.abort()
                        break
                    await asyncio.sleep(self.rng.expovariate(1 / self.pause))

    async def _act(self, tab: ClientConnection) -> None:
        page, query = self._link()
        message = BackMsg()
        message.rerun_script.query_string = urlencode(query)
        message.rerun_script.page_name = page
        start = time.monotonic()
        await tab.send(message.SerializeToString())
        self.answered = start
        watch = asyncio.create_task(self._watch())
        try:
            shown = await asyncio.wait_for(self._page(tab), PATIENCE)
        except TimeoutError:
            if time.monotonic() - self.answered < PATIENCE / 2:  # it works on, and shows how far it is
                self.outcome.left += 1
            else:
                self.outcome.errors[f"{page}: no answer in {PATIENCE:.0f} s"] += 1
            return
        except ConnectionClosed as error:
            self.outcome.errors[f"{page}: connection closed ({error})"] += 1
            return
        finally:
            watch.cancel()
        self.outcome.actions += 1
        self.outcome.seconds.append(time.monotonic() - start)
        if page == "sampling":
            self.outcome.links.add(urlencode(query))
            self._compare(shown)

    async def _watch(self) -> None:
        while time.monotonic() - self.answered < STALLED:
            await asyncio.sleep(1.0)
        os.kill(self.process, signal.SIGUSR1)

    async def _page(self, tab: ClientConnection) -> Shown:
        """Once the page's script has ended."""
        html: list[str] | None = None
        command = ""
        while True:
            message = ForwardMsg()
            message.ParseFromString(await tab.recv(decode=False))
            self.answered = time.monotonic()
            kind = message.WhichOneof("type")
            if kind == "new_session":  # what came before is of the page that was left
                html, command = [], ""
            elif html is None:
                continue
            elif kind == "delta" and message.delta.HasField("new_element"):
                element = message.delta.new_element
                if element.HasField("exception"):
                    self.outcome.errors[f"{element.exception.type}: {element.exception.message}"[:200]] += 1
                if element.HasField("code") and " sample " in element.code.code_text:
                    command = element.code.code_text
                if element.HasField("html") or element.HasField("bidi_component"):
                    html.append(element.SerializeToString().decode("latin-1"))
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return Shown("".join(html), command)

    def _link(self) -> tuple[str, dict[str, str]]:
        rng = self.rng
        page = rng.choice(["sampling"] * 4 + [name for name in PAGES if name not in WITHOUT])
        run = rng.choice(self.runs)
        query = {"run": run.name}
        if page == "sampling":
            query |= {"seed": str(rng.randrange(5)), "n": rng.choice(("4", "8", "16"))}
            if run.conditional:
                query["class"] = rng.choice(run.classes)
        elif page == "interpolation":
            query |= {"seed_a": str(rng.randrange(9)), "seed_b": str(rng.randrange(9)), "frames": "8"}
        elif page == "curves":
            query = {"x": rng.choice(("steps", "images")), "smooth": str(rng.choice((0, 0.5)))}
        return "" if page == "home" else page, query

    def _compare(self, shown: Shown) -> None:
        """With what other sessions saw beside the same command: what a link leaves open is as the session had it."""
        contents = [b64decode(text) for text in PICTURE.findall(shown.html)]
        if not contents:
            return
        seen = hashlib.sha256(b"".join(contents)).hexdigest()
        self.outcome.compared += 1
        if self.outcome.pictures.setdefault(shown.command, seen) != seen:
            self.outcome.unequal.append(f"{shown.command}: other pictures than in another session")


def check_directly(outcome: Outcome, runs: list[Run], port: int, number: int = 5) -> None:
    """Some of the links again, beside what their runs draw in this process."""
    for link in sorted(outcome.links)[:number]:
        query = dict(parse_qsl(link))
        run = next(run for run in runs if run.name == query["run"])
        model = run.load()
        assert isinstance(model, GenerativeModel)
        first, n = int(query["seed"]), int(query["n"])
        labels = [run.classes.index(query["class"])] * n if "class" in query else None
        expected = sample(model, range(first, first + n), labels)
        html = asyncio.run(_open(port, link)).html
        shown = [np.asarray(Image.open(io.BytesIO(b64decode(text)), formats=["PNG"])) for text in PICTURE.findall(html)]
        if len(shown) < n or any(
            np.abs(image.astype(int) - wanted.squeeze().astype(int)).max() > 1
            for image, wanted in zip(shown, expected, strict=False)
        ):
            outcome.unequal.append(f"{link}: other pictures than the run draws")


async def _open(port: int, link: str) -> Shown:
    outcome = Outcome()
    session = Session(port, 0, [], random.Random(0), outcome)
    async with open_tab(port) as tab:
        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_name = link, "sampling"
        await tab.send(message.SerializeToString())
        return await session._page(tab)


def look(process: int, start: float) -> Look:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    files = len(list(Path(f"/proc/{process}/fd").iterdir()))
    return Look(time.monotonic() - start, int(values["VmRSS"].split()[0]) / 1024, int(values["Threads"]), files)


def open_files(process: int) -> Counter[str]:
    """What the server's open files are, numbers left out."""
    kinds: Counter[str] = Counter()
    for path in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            kinds[re.sub(r"\d+|[0-9a-f]{12,}", "…", os.readlink(path))] += 1
    return kinds


async def soak(
    port: int,
    process: subprocess.Popen[bytes],
    runs: list[Run],
    sessions: int,
    seconds: float,
    seed: int,
    pause: float,
) -> tuple[Outcome, list[Look]]:
    outcome, looks, start = Outcome(), list[Look](), time.monotonic()
    until = start + seconds
    tabs = [Session(port, process.pid, runs, random.Random(f"{seed} {i}"), outcome, pause) for i in range(sessions)]
    tasks = [asyncio.create_task(tab.live(until)) for tab in tabs]
    while not all(task.done() for task in tasks):
        if process.poll() is not None:
            after = time.monotonic() - start
            raise SystemExit(f"The server ended after {after:.0f} s with status {process.returncode}.")
        looks.append(look(process.pid, start))
        await asyncio.sleep(EVERY)
    for task in tasks:
        if task.exception():
            outcome.errors[f"{type(task.exception()).__name__}: {task.exception()}"[:200]] += 1
    return outcome, looks


def slope(looks: list[Look], name: str) -> str:
    """Of the second half: per minute, with its interval."""
    half = looks[len(looks) // 2 :]
    minutes, values = [look.seconds / 60 for look in half], [getattr(look, name) for look in half]
    if len(set(values)) == 1:
        return f"{values[0]:.0f}, flat"
    fit = linregress(minutes, values)
    margin = float(t.ppf(0.975, len(half) - 2)) * fit.stderr
    return f"{np.mean(values):.0f}, {fit.slope:+.2f} ± {margin:.2f} a minute"


def stalled_at(log: str) -> Counter[str]:
    """Lines of this project at which the threads of a server without an answer stood, and how often."""
    lines: Counter[str] = Counter()
    for stack in re.split(r"\n\n|\n(?=Thread 0x|Current thread)", log):
        own = re.findall(r'File "[^"]*?/((?:ganlib|pages)/[^"]*)", line (\d+) in (\S+)', stack)
        if own:
            lines[" < ".join(f"{file}:{line} {function}" for file, line, function in own[:3])] += 1
    return lines


@contextmanager
def small_gallery() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for name in SMALL:
            shutil.copytree(PROJECT / "checkpoints" / name, Path(folder, name))
        yield Path(folder)


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.soak")
    parser.add_argument("--sessions", type=int, default=10, metavar="N")
    parser.add_argument("--minutes", type=float, default=5.0, metavar="M")
    parser.add_argument(
        "--gallery", type=Path, metavar="DIR", help="folder of runs (default: three small ones of digits)"
    )
    parser.add_argument("--gone", type=float, default=150.0, metavar="S", help="wait so long when all are gone")
    parser.add_argument("--log", type=Path, metavar="FILE", help="the server's log, with its stacks, goes there")
    parser.add_argument("--pause", type=float, default=5.0, metavar="S", help="mean look at a page (default: 5)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with small_gallery() as small, tempfile.TemporaryDirectory() as folder:
        gallery = args.gallery or small
        log_file = args.log or Path(folder, "server.log")
        runs = [run for run in scan([gallery])[0] if run.generates]
        with server(gallery, log_file) as (port, process):
            outcome, looks = asyncio.run(
                soak(port, process, runs, args.sessions, 60 * args.minutes, args.seed, args.pause)
            )
            check_directly(outcome, runs, port)
            time.sleep(args.gone)
            asyncio.run(
                _open(port, next(iter(outcome.links), ""))
            )  # Streamlit lets go of the others at the next session
            last, files = look(process.pid, 0.0), open_files(process.pid)
        log = log_file.read_text(encoding="utf-8", errors="replace")
    if "Traceback" in log:
        outcome.errors["a traceback in the server's log"] += log.count("Traceback")
    times = np.percentile(outcome.seconds or [0.0], [50, 95])
    print(f"{args.sessions} sessions, {args.minutes:g} minutes, {args.pause:g} s a page")
    print(f"{outcome.actions:,} pages, {outcome.vanished} sessions vanished")
    print(f"pages left while they still worked: {outcome.left}")
    print(f"seconds a page: median {times[0]:.2f}, 95 % below {times[1]:.2f}")
    print(f"pictures compared {outcome.compared}, of {len(outcome.pictures)} commands, unequal {len(outcome.unequal)}")
    for name, unit in (("mebibytes", "MiB"), ("threads", "threads"), ("files", "open files")):
        print(f"{unit}: {slope(looks, name)}; {getattr(last, name):.0f} when all are gone")
    print(f"open when all are gone: {', '.join(f'{count} × {kind}' for kind, count in files.most_common(4))}")
    for text, count in outcome.errors.most_common(10):
        print(f"    {count} × {text}")
    for text in outcome.unequal[:10]:
        print(f"    {text}")
    for text, count in stalled_at(log).most_common(10):
        print(f"    without an answer, {count} × at {text}")
    return int(bool(outcome.errors or outcome.unequal))


if __name__ == "__main__":
    sys.exit(main())
