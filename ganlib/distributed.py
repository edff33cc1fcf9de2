"""The processes that torchrun starts for one command: they meet, agree, add up tensors and notice when one is gone.

torchrun sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; whatever else sets them does as well. A command in one
process has ``World()``, in which every operation is the identity and nothing of torch.distributed is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.settings import Launch, launch, rank_timeout

T = TypeVar("T")

# Between two operations: a process that ends is noticed at once, but rank 0 may draw a snapshot or measure references.
OPERATION_TIMEOUT = timedelta(hours=2)


class SharedError(GanlibError):
    """Raised by every process alike, so that one of them says it for all."""


class LostProcess(GanlibError):
    """Another process has ended in the middle of the work."""


@dataclass(frozen=True)
class World:
    """All processes of one command; ``rank``, 0 … size - 1, is this one. Rank 0 alone writes and reports."""

    rank: int = 0
    size: int = 1

    def add_up(self, tensor: Tensor) -> None:
        """Replaces a tensor by the sum over all processes; each gets the same bits."""
        if self.size > 1:
            import torch.distributed as dist

            with self._noticing_losses():
                dist.all_reduce(tensor)

    def copy_from_first(self, tensor: Tensor) -> None:
        """Replaces a tensor by rank 0's."""
        if self.size > 1:
            import torch.distributed as dist

            with self._noticing_losses():
                dist.broadcast(tensor, 0)

    def gather(self, value: T) -> list[T]:
        """Everybody's value of plain Python types, by rank."""
        if self.size == 1:
            return [value]
        import torch.distributed as dist

        values: list[Any] = [None] * self.size
        with self._noticing_losses():
            dist.all_gather_object(values, value)
        return values

    def gather_rows(self, rows: Tensor, counts: list[int]) -> Tensor | None:
        """The rows of all processes, on the CPU, one rank's after the other's, at rank 0; None at the others.

        counts: rows of each rank, known to all.
        """
        if self.size == 1:
            return rows
        import torch.distributed as dist

        with self._noticing_losses():
            if self.rank:
                if len(rows):
                    dist.send(rows.contiguous(), 0)
                return None
            parts = [rows]
            for rank in range(1, self.size):
                parts.append(rows.new_empty(counts[rank], *rows.shape[1:]))
                if counts[rank]:
                    dist.recv(parts[-1], rank)
            return torch.cat(parts)

    def agree(self, work: Callable[[], T]) -> T:
        """``work()`` in every process; where it fails in any of them, SharedError in all: none waits for the others.

        Within ``work`` they may agree on parts: one that fails between two says so where the others agree next.
        """
        if self.size == 1:
            return work()
        result, failure = None, None
        try:
            result = work()
        except (SharedError, LostProcess):
            raise  # all know
        except (GanlibError, OSError) as error:
            failure = str(error)
        failures = self.gather(failure)
        sentences = [(rank, text) for rank, text in enumerate(failures) if text is not None]
        if sentences:
            rank, text = sentences[0]
            raise SharedError(text if failures == [text] * self.size else f"Rank {rank} of {self.size}: {text}")
        return result  # type: ignore[return-value]  # None where work returns it

    def rank_0_first(self, work: Callable[[], T]) -> T:
        """``work()``, whose results are stored: the other processes read what rank 0 has stored."""
        if self.size == 1:
            return work()
        if self.rank == 0:
            try:
                return work()
            finally:
                self.gather(None)
        self.gather(None)
        return work()

    def require_equal(self, **values: Any) -> None:
        """SharedError that names the first of these values in which a process differs from rank 0."""
        all_values = self.gather(values)
        for rank, others in enumerate(all_values):
            for name, value in others.items():
                if value != all_values[0][name]:
                    raise SharedError(
                        f"Rank {rank} of {self.size} has another {name.replace('_', ' ')} than rank 0; start the same "
                        "command with the same version of ganlib everywhere."
                    )

    @contextmanager
    def _noticing_losses(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise LostProcess(
                f"Rank {self.rank} of {self.size} has lost the connection to another process, which ended or was killed"
            ) from error


@contextmanager
def join_world(after_loss: str = "start the same command again") -> Iterator[World]:
    """Waits for all processes of this command, for ``GANLIB_RANK_TIMEOUT`` seconds; GanlibError names the missing.

    ``after_loss``: what to do where another process ends in the middle, for the sentence on it. What all processes
    refuse alike is said by rank 0 alone.
    """
    launched = launch()
    world = World(launched.rank, launched.world_size)
    if world.size == 1:
        yield World()
        return
    import torch.distributed as dist

    # Before the group is there: imported later, by an optimiser's step, the defaults of its functions would hold the
    # group for good, and threads that outlive the interpreter abort the process now and then.
    import torch.distributed.nn

    store = _meet(launched)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "cpu:gloo"
    dist.init_process_group(backend, store=store, rank=world.rank, world_size=world.size, timeout=OPERATION_TIMEOUT)
    try:
        yield world
        world.gather(None)  # none leaves while another still needs what it hosts
    except LostProcess as error:
        raise GanlibError(f"{error}; {after_loss}.") from error
    except SharedError:
        if world.rank:
            raise SystemExit(1) from None
        raise
    finally:
        dist.destroy_process_group()


def _meet(launched: Launch) -> Any:
    """The store in which every rank has registered."""
    from torch._C._distributed_c10d import PrefixStore, TCPStore  # as torch.distributed has them

    rank, size, timeout = launched.rank, launched.world_size, timedelta(seconds=rank_timeout())
    try:
        tcp = TCPStore(
            launched.host,
            launched.port,
            is_master=rank == 0 and not launched.store,
            wait_for_workers=False,
            timeout=timeout,
        )
        store = PrefixStore(f"ganlib/{launched.attempt}", tcp)
        store.set(f"rank {rank}", "1")
    except RuntimeError:
        raise GanlibError(
            f"Rank {rank} of {size} cannot reach rank 0 at {launched.host}:{launched.port} within {rank_timeout():g} "
            "seconds; start rank 0 there, or set MASTER_ADDR and MASTER_PORT to where it is."
        ) from None
    try:
        store.wait([f"rank {other}" for other in range(size)], timeout)
    except RuntimeError:
        missing = [str(other) for other in range(size) if not store.check([f"rank {other}"])]
        raise GanlibError(
            f"Rank {', '.join(missing) or '?'} of {size} did not start within {rank_timeout():g} seconds; start it, or "
            "raise GANLIB_RANK_TIMEOUT."
        ) from None
    return store
