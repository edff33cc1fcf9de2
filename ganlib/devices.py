"""Which device computes, in which precision, and one thread for each."""

from __future__ import annotations

import contextlib
import os
import platform
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch

from ganlib.errors import GanlibError
from ganlib.settings import launch

T = TypeVar("T")

_WORKERS: dict[str, _Worker] = {}
_CREATING = threading.Lock()
os.register_at_fork(after_in_child=_WORKERS.clear)  # threads stay in the parent
SHORT_IN_TURN = 8  # computations in a row that come before a step of long work which waits
_CORES = os.cpu_count() or 1
_most_threads = 0  # of a computation on the CPU that gives way to other processes; 0 where it does not


def available_devices() -> list[str]:
    """Names that ``pick_device`` accepts here, best first; always ends with "cpu"."""
    cuda = [f"cuda:{i}" for i in range(_gpus())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


@cache
def _gpus() -> int:
    """Looking for the driver's library takes a moment, several times a run of a page."""
    return torch.cuda.device_count()


def pick_device(name: str = "auto") -> torch.device:
    """ "auto" takes CUDA, then MPS, then the CPU; "cuda" is the first GPU, or under torchrun that of the process."""
    names = available_devices()
    own = f"cuda:{launch().local_rank}"
    gpu = own if own in names else "cuda:0"
    if name == "cuda" or (name == "auto" and gpu in names):
        name = gpu
    if name == "auto":
        return torch.device(names[0])
    if name in names:
        return torch.device(name)
    raise GanlibError(f"This machine has no device {name!r}; choose auto, {', '.join(names)}.")


def hardware(device: torch.device) -> str:
    """What computes there, in words: "NVIDIA H200" or "Intel(R) Xeon(R) Platinum 8481C, 2 threads"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"{_processor()}, {threads()}"


def threads() -> str:
    """How many share a computation on the CPU, in words."""
    n = _most_threads or torch.get_num_threads()
    return f"{n} thread{'' if n == 1 else 's'}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def share_cores() -> None:
    """From now on computations take one thread while other processes keep the cores busy.

    For the dashboard: beside a training, two threads that wait for each other take three times as long as one.
    """
    global _most_threads
    _most_threads = _most_threads or torch.get_num_threads()


def usable_threads(most: int, load: float, cores: int = _CORES) -> int:
    """Threads for a computation of ``most`` at a load average of ``load`` processes."""
    return 1 if load > cores else most


def _adapt_threads(most: int) -> None:
    with contextlib.suppress(OSError):  # a system that counts no load
        torch.set_num_threads(usable_threads(most, os.getloadavg()[0]))


class _Worker:
    """One thread. Steps of long work let everything else go first, but for one after ``SHORT_IN_TURN`` others."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._short: deque[Callable[[], None]] = deque()
        self._long: deque[Callable[[], None]] = deque()
        self._waiting = threading.Lock()
        self._in_turn = 0  # short ones since the last long one

    def submit(self, compute: Callable[[], T], *, long: bool) -> Future[T]:
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(compute())
            except BaseException as error:  # it belongs to whoever waits for it
                future.set_exception(error)

        with self._waiting:
            (self._long if long else self._short).append(run)
        self._thread.submit(self._run_next)
        return future

    def _run_next(self) -> None:
        with self._waiting:
            short = bool(self._short) and not (self._long and self._in_turn >= SHORT_IN_TURN)
            self._in_turn = self._in_turn + 1 if short else 0
            run = (self._short if short else self._long).popleft()
        run()


def on_device(device: torch.device, compute: Callable[[], T], *, gradients: bool = False, long: bool = False) -> T:
    """``compute()`` in the one thread that works for this device; with ``gradients``, autograd records it.

    Must not be nested. ``long``: a step of work that takes many: what others wait for goes first.

    One thread: sessions share models, and two forward passes at once only slow each other. Always the same:
    OpenMP builds a team of threads for every thread that calls it, and each run of a dashboard is a new one.
    """

    def work() -> T:
        if _most_threads > 1 and device.type == "cpu":
            _adapt_threads(_most_threads)
        with torch.enable_grad() if gradients else torch.inference_mode():
            return compute()

    with _CREATING:
        name = str(device)
        if name not in _WORKERS:
            _WORKERS[name] = _Worker(f"ganlib-{name}")
    return _WORKERS[name].submit(work, long=long).result()


def bf16_helps(device: torch.device) -> bool:
    """True where bfloat16 runs on the hardware: emulated on the CPU it is several times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # older torch cannot tell
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA has a type for it; the CPU and MPS allocators only say so in words."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()
