"""Several processes that work together as under torchrun: forked from the test, or started by torchrun itself."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from ganlib.__main__ import main
from ganlib.distributed import World, join_world

PROJECT = Path(__file__).parents[2]
SECONDS = 300


def in_processes(size: int, work: Callable[[World], Any], environment: dict[str, str] | None = None) -> list[Any]:
    """What ``work(world)`` returns in each of ``size`` processes, by rank; an exception is what it raised."""
    context, port = get_context("fork"), free_port()
    pipes = [context.Pipe(duplex=False) for _ in range(size)]
    processes = []
    for rank, (_, sending) in enumerate(pipes):
        variables = {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_PORT": str(port)} | (environment or {})
        processes.append(context.Process(target=_work, args=(variables, work, sending)))
        processes[-1].start()
        sending.close()
    results = [_receive(receiving) for receiving, _ in pipes]
    for process in processes:
        process.join(SECONDS)
    return results


def start_command(size: int, *argv: str) -> list[ForkProcess]:
    """``ganlib`` with these arguments in each of ``size`` forked processes, by rank."""
    context, port = get_context("fork"), free_port()
    processes = []
    for rank in range(size):
        variables = {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_PORT": str(port)}
        processes.append(context.Process(target=_command, args=(variables, argv)))
        processes[-1].start()
    return processes


def run_command_in(size: int, *argv: str) -> list[int | None]:
    """Exit statuses by rank."""
    processes = start_command(size, *argv)
    for process in processes:
        process.join(SECONDS)
    return [process.exitcode for process in processes]


def _command(variables: dict[str, str], argv: tuple[str, ...]) -> None:
    os.environ.update(variables)
    try:
        status: Any = main(argv)
    except SystemExit as error:
        status = error.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _receive(receiving: Connection) -> Any:
    assert receiving.poll(SECONDS), "a process neither returned nor failed"
    try:
        return pickle.loads(receiving.recv_bytes())
    except EOFError:
        return None  # killed


def _work(variables: dict[str, str], work: Callable[[World], Any], sending: Connection) -> None:
    os.environ.update(variables)
    try:
        with join_world() as world:
            result = work(world)
    except SystemExit as error:
        result = error.code
    except Exception as error:
        traceback.print_exc()
        result = error
    sending.send_bytes(pickle.dumps(result))  # not send(), by which tensors would stay in this process's memory
    sending.close()
    os._exit(0)  # none of pytest's own endings


def torchrun(size: int, *argv: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    """``python -m ganlib`` in ``size`` processes of this machine."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(size)]
    launcher += ["--master-addr", "localhost", "--master-port", str(free_port())]
    return subprocess.Popen(
        [*launcher, "-m", "ganlib", *argv],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("localhost", 0))
        return int(s.getsockname()[1])
