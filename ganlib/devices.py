"""Which device computes, in which precision, in which threads."""

from __future__ import annotations

import contextlib
import os
import platform
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import torch

from ganlib.errors import GanlibError
from ganlib.naming import counted
from ganlib.settings import launch

T = TypeVar("T")

_WORKERS: dict[str, _Worker] = {}
_CREATING = threading.Lock()
os.register_at_fork(after_in_child=_WORKERS.clear)  # threads stay in the parent
SHORT_IN_TURN = 8  # computations in a row that come before a step of long work which waits
_CORES = os.cpu_count() or 1
_most_threads = 0  # of a computation on the CPU that gives way to other processes; 0 where it does not
_while_waiting: Callable[[Future[Any]], None] | None = None


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
    return counted(n, "thread")


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


def while_waiting(follow: Callable[[Future[Any]], None]) -> None:
    """From now on whoever waits for a computation calls ``follow(future)`` first, which may return before it is done.

    What it raises is raised there: a session that moves on. A computation that has not begun is then given up, one that
    has goes on to its end.
    """
    global _while_waiting
    _while_waiting = follow


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
            if not future.set_running_or_notify_cancel():
                return
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
    """``compute()`` in the one thread that works for this device, in float32 where it asks for no less; with
    ``gradients``, autograd records it.

    Must not be nested. ``long``: a step of work that takes many: what others wait for goes first.

    One thread: sessions share models, and two forward passes at once only slow each other. Always the same:
    OpenMP builds a team of threads for every thread that calls it, and each run of a dashboard is a new one.
    """

    def work() -> T:
        if _most_threads > 1 and device.type == "cpu":
            _adapt_threads(_most_threads)
        # TensorFloat-32, a GPU's default for convolutions, is too coarse for the same image on every machine.
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with exact, torch.enable_grad() if gradients else torch.inference_mode():
            return compute()

    with _CREATING:
        name = str(device)
        if name not in _WORKERS:
            _WORKERS[name] = _Worker(f"ganlib-{name}")
    future = _WORKERS[name].submit(work, long=long)
    try:
        if _while_waiting:
            _while_waiting(future)
        return future.result()
    finally:
        future.cancel()  # nothing where it has ended


def tasks_at_once(device: torch.device) -> int:
    """How many independent computations use the device best: on a CPU one a thread, for threads that share a
    computation wait for each other at every layer. Where sessions share the cores, one.
    """
    return torch.get_num_threads() if device.type == "cpu" and not _most_threads else 1


def on_device_at_once(device: torch.device, tasks: Sequence[Callable[[], T]]) -> list[T]:
    """The results of tasks, ``tasks_at_once`` of them at a time, each as ``on_device`` has it, to the bit; the first
    one's error.

    Nothing is computed any more when it returns or raises.
    """
    if len(tasks) < 2 or tasks_at_once(device) == 1:
        return [on_device(device, task) for task in tasks]

    def work(task: Callable[[], T]) -> T:
        with torch.inference_mode():
            return task()

    pool = _single_threads(tasks_at_once(device), os.getpid())
    futures = [pool.submit(work, task) for task in tasks]
    try:
        return [future.result() for future in futures]
    finally:  # also where one of them failed, or the user has interrupted it
        for future in futures:
            future.cancel()
        wait(futures)


@lru_cache(maxsize=1)
def _single_threads(n: int, process: int) -> ThreadPoolExecutor:
    """Threads that compute with no others; those of another ``process`` are not alive in a forked one."""
    return ThreadPoolExecutor(n, "ganlib-single", initializer=_compute_alone)


def _compute_alone() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # by which this thread keeps it: its first operation would take what others have set since


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
