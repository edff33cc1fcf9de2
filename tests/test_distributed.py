"""Processes of one command: they meet, add up, agree, and none waits for one that is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganlib.distributed import SharedError, World
from ganlib.errors import GanlibError
from helpers.processes import PROJECT, SECONDS, free_port, in_processes


def test_one_process_alone_needs_no_others():
    world, x = World(), torch.ones(2)
    world.add_up(x)
    assert x.tolist() == [1, 1]
    assert world.gather("a") == ["a"]
    assert world.agree(lambda: 3) == 3
    with pytest.raises(GanlibError, match="no such"):
        world.agree(refuse)


def refuse() -> None:
    raise GanlibError("There is no such thing.")


def test_tensors_are_added_up_and_values_gathered():
    def work(world: World) -> tuple[list[float], list[int], list[int], list[int] | None]:
        x, first = torch.tensor([1.0, world.rank]), torch.full((2,), world.rank + 5, dtype=torch.uint8)
        world.add_up(x)
        world.copy_from_first(first)
        rows = world.gather_rows(torch.full((world.rank, 1), world.rank), [0, 1, 2])
        return x.tolist(), first.tolist(), world.gather(world.rank), None if rows is None else rows.flatten().tolist()

    expected = [3.0, 3.0], [5, 5], [0, 1, 2]
    assert in_processes(3, work) == [(*expected, [1, 2, 2]), (*expected, None), (*expected, None)]


@pytest.mark.parametrize(
    ("failing", "sentence"),
    [({1}, "Rank 1 of 2: There is no such thing."), ({0, 1}, "There is no such thing.")],
)
def test_where_one_fails_all_end_and_rank_0_says_it(failing, sentence):
    def work(world: World) -> None:
        world.agree(refuse if world.rank in failing else int)

    first, second = in_processes(2, work)
    assert isinstance(first, SharedError)
    assert str(first) == sentence
    assert second == 1  # its exit status


def test_processes_that_differ_are_named():
    def work(world: World) -> None:
        world.require_equal(code="abc", training_setting={"lr": 0.1 if world.rank else 0.2})

    first, _ = in_processes(2, work)
    assert "Rank 1 of 2 has another training setting than rank 0; start the same command" in str(first)


def test_a_killed_process_ends_the_others():
    def work(world: World) -> None:
        if world.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        world.add_up(torch.ones(1))

    first, second, third = in_processes(3, work)
    assert second is None
    for rank, error in [(0, first), (2, third)]:
        assert isinstance(error, GanlibError)
        assert str(error).startswith(f"Rank {rank} of 3 has lost the connection to another process")
        assert str(error).endswith("; start the same command again.")


def test_a_missing_process_is_named_after_the_timeout():
    environment = {"WORLD_SIZE": "3", "GANLIB_RANK_TIMEOUT": "1"}
    results = in_processes(2, lambda world: None, environment)
    assert "Rank 2 of 3 did not start within 1 seconds; start it, or raise GANLIB_RANK_TIMEOUT." in str(results[0])


def test_a_process_that_finds_no_first_one_says_where_it_looked():
    port = str(free_port())
    environment = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_PORT": port, "GANLIB_RANK_TIMEOUT": "1"}
    (error,) = in_processes(1, lambda world: None, environment)
    assert f"Rank 1 of 2 cannot reach rank 0 at localhost:{port} within 1 seconds" in str(error)


OPTIMISED = """
from pathlib import Path
import torch
from ganlib.distributed import join_world
with join_world() as world:
    parameter = torch.nn.Parameter(torch.ones(1))
    parameter.sum().backward()
    torch.optim.Adam([parameter]).step()  # imports what would hold the group
    world.gather(None)
print(*sorted((task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds threads in /proc")
def test_no_thread_of_the_group_outlives_it():
    """One that does may abort the process while the interpreter shuts down."""
    shared = os.environ | {"WORLD_SIZE": "2", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", OPTIMISED], cwd=PROJECT, env=shared | {"RANK": rank}, stdout=subprocess.PIPE
        )
        for rank in "01"
    ]
    assert [rank.communicate(timeout=SECONDS)[0].decode() for rank in ranks] == ["python\n"] * 2
