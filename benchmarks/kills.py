"""python -m benchmarks.kills: commands killed (SIGKILL) at random moments, and what they leave looked at each time.

    python -m benchmarks.kills                     # 500 kills
    python -m benchmarks.kills train --kills 50
    python -m benchmarks.kills --tally docs/kills.json   # until there were 500 with those of earlier sessions

After each kill every file of the run folder must be whole: the run loads, records and rows are complete, pictures open,
what is left half written goes with the next start. The command is then given again until it ends, and the result must
equal that of a run which nothing disturbed: weights and state to the bit, records but for their date, exports by their
bytes. Commands run in a forked child of a process that has run each of them once, so that a kill costs no import; those
of a queue are processes of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file

from ganlib.__main__ import main as ganlib
from ganlib.files import PARTIAL, write_atomically
from ganlib.records import read_records
from ganlib.runs import Run
from ganlib.tensors import load_tensors
from ganlib.training.log import read_rows

TRAINING = ["--image-size", "16", "--width", "4", "--z-dim", "8", "--batch-size", "16", "--precision", "fp32"]
TRAINING += ["--log-every", "1", "--state-every", "0", "--snapshot-first", "32", "--snapshot-growth", "1.5"]
IMAGES = 480
SHARES = {"train": 0.38, "promote": 0.2, "halve": 0.2, "evaluate": 0.1, "export": 0.1, "queue": 0.02}  # of kills
QUEUE = """
[[run]]
name = "run"
model = "cdcgan"
data = "digits"
images = 320
evaluate = []
[run.fields]
image_size = 16
width = 4
z_dim = 8
batch_size = 16
precision = "fp32"
state_every = 0.0
log_every = 1
"""


class Fault(Exception):
    """What a kill left in disorder."""


@dataclass
class Tally:
    """Of one command."""

    kills: int = 0
    ends: int = 0  # uninterrupted to the end, and equal to the undisturbed result
    faults: list[str] = field(default_factory=list)


class Killer:
    """``attempt`` runs a command and kills it at a random moment of its usual duration, or lets it end."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.usual: dict[str, float] = {}

    def attempt(self, argv: list[str]) -> bool:
        """Whether it was killed. Fault where it failed by itself."""
        name = argv[0]
        delay = self.rng.uniform(0, 1.1 * self.usual[name]) if name in self.usual else float("inf")
        start = time.monotonic()
        child = _fork(argv)
        while time.monotonic() - start < delay:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self.usual.setdefault(name, time.monotonic() - start)
                if status:
                    raise Fault(f"{' '.join(argv[:2])} ended with status {os.waitstatus_to_exitcode(status)}")
                return False
            time.sleep(0.001)
        own = _children(child) if self.rng.random() < 0.5 else []  # else what a queue has started outlives it
        os.kill(child, signal.SIGKILL)
        for pid in own:
            os.kill(pid, signal.SIGKILL)
        os.waitpid(child, 0)
        return True

    def finish(self, argv: list[str]) -> None:
        child = _fork(argv)
        _, status = os.waitpid(child, 0)
        if status:
            raise Fault(f"{' '.join(argv[:2])} ended with status {os.waitstatus_to_exitcode(status)}")


def _children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))


def _fork(argv: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        code = ganlib(argv)
    finally:
        os._exit(code)


def check_run(folder: Path) -> None:
    """Fault for a file that is not whole."""
    try:
        if (folder / "config.json").exists() and (folder / "weights.safetensors").exists():
            Run(folder).load()
        for path in sorted(folder.rglob("*")):
            if path.name.startswith("."):
                continue
            if path.suffix == ".safetensors":
                load_file(path)
            elif path.suffix in (".webp", ".png"):
                with Image.open(path, formats=["WEBP", "PNG"]) as picture:
                    picture.load()
            elif path.name == "state.pt":
                load_tensors(path)
            elif path.suffix == ".json":
                json.loads(path.read_bytes())
        if (folder / "log.csv").exists():
            read_rows(folder / "log.csv")
        read_records(folder / "evaluation.json")
    except Exception as error:
        raise Fault(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}") from error


def content_of(folder: Path) -> dict[str, Any]:
    """What must be equal: everything but times, dates and locks."""
    result: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or path.name.endswith(".lock") or ".queue" in path.parts:
            continue
        if path.suffix == ".safetensors":
            result[name] = {key: (t.dtype, t.numpy().tobytes()) for key, t in load_file(path).items()}
        elif path.name == "state.pt":
            result[name] = _plain({k: v for k, v in load_tensors(path).items() if k != "seconds"})
        elif path.name == "log.csv":
            rows = read_rows(path)[1]
            result[name] = [{k: v for k, v in row.items() if k not in ("wall_time", "images/s")} for row in rows]
        elif path.name == "evaluation.json":
            result[name] = [{k: v for k, v in r.to_dict().items() if k != "date"} for r in read_records(path)]
        elif path.name in ("config.json", "export.json"):
            result[name] = {k: v for k, v in json.loads(path.read_bytes()).items() if k != "created"}
        elif path.name != "README.md":  # says when it was written
            result[name] = path.read_bytes()
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.dtype, value.shape, value.numpy().tobytes()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def differences(expected: dict[str, Any], result: dict[str, Any]) -> list[str]:
    names = sorted(expected.keys() | result.keys())
    return [name for name in names if expected.get(name) != result.get(name)]


class Case:
    """A command: ``prepare`` makes a folder for it, ``argv`` says what to run, given what is there by now."""

    def __init__(self, root: Path, prepare: Callable[[Path], object], argv: Callable[[Path], list[str]]) -> None:
        self.root, self.prepare, self.argv = root, prepare, argv
        self._expected: dict[str, Any] | None = None

    def folder(self) -> Path:
        return self.root / "case" / "run"

    def begin(self) -> None:
        shutil.rmtree(self.folder().parent, ignore_errors=True)
        self.folder().parent.mkdir(parents=True)
        self.prepare(self.folder())

    def expected(self, killer: Killer) -> dict[str, Any]:
        """Of a run that nothing disturbed; it also says how long the command takes."""
        if self._expected is None:
            self.begin()
            killer.attempt(self.argv(self.folder()))
            self._expected = content_of(self.folder().parent)
        return self._expected

    def torment(self, kills: int, killer: Killer, tally: Tally) -> None:
        expected = self.expected(killer)
        while tally.kills < kills:
            self.begin()
            killed = True
            while killed and tally.kills < kills:
                killed = killer.attempt(self.argv(self.folder()))
                tally.kills += killed
                check_run(self.folder())
            killer.finish(self.argv(self.folder()))
            check_run(self.folder())
            if different := differences(expected, content_of(self.folder().parent)):
                raise Fault(f"other results than undisturbed: {', '.join(different)[:300]}")
            if left := list(self.folder().parent.rglob(f".*{PARTIAL}")):
                raise Fault(f"left half written: {left[0].name}")
            tally.ends += 1


def train_argv(folder: Path) -> list[str]:
    if (folder / "state.pt").exists():
        return ["train", "--resume", str(folder), "--images", str(IMAGES), "--device", "cpu"]
    if (folder / "config.json").exists():  # as the queue does: nothing is lost yet
        shutil.rmtree(folder)
    budget = ["--images", str(IMAGES), "--device", "cpu", "--out", str(folder)]
    return ["train", "cdcgan", "--data", "digits", *TRAINING, *budget]


def cases(root: Path, run: Path) -> Iterator[tuple[str, Case]]:
    def copy(folder: Path) -> None:
        shutil.copytree(run, folder)

    def promote(folder: Path) -> list[str]:
        return ["promote", str(folder), "32"]

    def halve(folder: Path) -> list[str]:
        return ["halve", str(folder), "--device", "cpu"]

    def evaluate(folder: Path) -> list[str]:
        if read_records(folder / "evaluation.json"):  # done before it was killed: a second would add the same again
            return ["list", "models"]
        return ["evaluate", str(folder), "--metrics", "fid", "--n", "64", "--blocks", "2", "--device", "cpu"]

    def export(folder: Path) -> list[str]:
        return [
            "export",
            str(folder),
            "--images",
            "20",
            "--format",
            "folder",
            "--device",
            "cpu",
            "--out",
            str(folder / "set"),
        ]

    def queue(folder: Path) -> list[str]:
        file = folder.parent / "queue.toml"
        file.write_text(QUEUE, encoding="utf-8")
        return ["queue", str(file), "--runs", str(folder.parent), "--device", "cpu"]

    yield "train", Case(root, lambda folder: None, train_argv)
    yield "promote", Case(root, copy, promote)
    yield "halve", Case(root, copy, halve)
    yield "evaluate", Case(root, copy, evaluate)
    yield "export", Case(root, copy, export)
    yield "queue", Case(root, lambda folder: None, queue)


@contextmanager
def environment(root: Path) -> Iterator[None]:
    """Caches of their own, and one thread: several would not survive a fork."""
    os.environ["GANLIB_CACHE"] = str(root / "cache")
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    yield


def run(names: list[str], kills: int, tallies: dict[str, Tally], save: Callable[[], None]) -> None:
    """Until the commands together were killed so often; ``tallies``, by command, are added to."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="ganlib-kills-", dir=base))
    try:
        with environment(root):
            killer = Killer(sum(tally.kills for tally in tallies.values()))  # other moments than in the session before
            whole = root / "whole"
            _run_quietly(train_argv(whole))
            for name, case in cases(root, whole):
                if name not in names:
                    continue
                tally = tallies.setdefault(name, Tally())
                wanted = max(1, round(kills * SHARES[name] / sum(SHARES[n] for n in names)))
                start, first = time.monotonic(), tally.kills
                if name != "queue" and tally.kills < wanted:
                    case.begin()
                    _run_quietly(case.argv(case.folder()))
                while tally.kills < wanted:
                    before = tally.kills
                    try:
                        case.torment(wanted, killer, tally)
                    except Fault as fault:
                        tally.faults.append(str(fault))
                        if tally.kills == before:
                            break
                    save()
                print(
                    f"{name:10}{tally.kills:6} kills {tally.ends:5} equal ends {len(tally.faults):4} faults, "
                    f"{tally.kills - first} in {time.monotonic() - start:.0f} s",
                    flush=True,
                )
                for text in dict.fromkeys(tally.faults):
                    print(f"    {tally.faults.count(text)} × {text}", flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _run_quietly(argv: list[str]) -> None:
    """In this process, so that its children have imported what the command needs."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        if code := ganlib(argv):
            raise Fault(f"{' '.join(argv[:2])} ended with status {code}")


def main() -> int:
    names = list(SHARES)
    parser = argparse.ArgumentParser("python -m benchmarks.kills")
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(names))
    parser.add_argument("--kills", type=int, default=500, metavar="N", help="of all commands together (default: 500)")
    parser.add_argument("--tally", type=Path, metavar="FILE", help="what was done before counts, and is added to")
    args = parser.parse_args()
    if unknown := set(args.commands) - set(names):
        parser.error(f"there is no command {', '.join(sorted(unknown))}")
    content = json.loads(args.tally.read_bytes()) if args.tally and args.tally.exists() else {}
    tallies = {name: Tally(**tally) for name, tally in content.items()}

    def save() -> None:
        if args.tally:
            content = {name: asdict(tally) for name, tally in tallies.items()}
            write_atomically(args.tally, (json.dumps(content, indent=1) + "\n").encode())

    run(args.commands or names, args.kills, tallies, save)
    return int(any(tally.faults for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
