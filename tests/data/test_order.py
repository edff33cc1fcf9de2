"""The order by blocks: every row once an epoch, few blocks at a time, different blocks for different processes."""

from __future__ import annotations

import numpy as np
import pytest

from ganlib.data.order import BlockOrder, Blocks, epoch_order

BOUNDS = np.cumsum([0, 5, 8, 8, 1, 8, 3, 8, 8])


def rows_of(order: BlockOrder, step: int = 7, start: int = 0) -> list[int]:
    n, rows = int(order._blocks.bounds[-1]), []
    while start < n:
        rows += order[start : start + step].tolist()
        start += len(order[start : start + step])
    return rows


@pytest.mark.parametrize("lanes", [1, 2, 4, 64])
def test_every_row_comes_once_and_from_any_position_on_the_same(lanes: int) -> None:
    order = BlockOrder(Blocks(BOUNDS, lanes), (3, 0))
    whole = rows_of(order)
    assert sorted(whole) == list(range(BOUNDS[-1]))
    assert all(rows_of(BlockOrder(Blocks(BOUNDS, lanes), (3, 0)), 4, start) == whole[start:] for start in (1, 20, 48))
    assert rows_of(BlockOrder(Blocks(BOUNDS, lanes), (3, 1))) != whole


def test_no_more_blocks_than_lanes_are_open() -> None:
    whole = rows_of(BlockOrder(Blocks(np.arange(0, 810, 10), 4), (0, 0)))
    windows = [{row // 10 for row in whole[start : start + 40]} for start in range(0, 800, 40)]
    assert [len(blocks) for blocks in windows] == [4] * 20
    assert len(set().union(*windows)) == 80


def test_processes_read_different_blocks() -> None:
    whole = rows_of(BlockOrder(Blocks(np.arange(0, 1610, 10), 8), (0, 0)))
    blocks = [{row // 10 for row in whole[rank::4]} for rank in range(4)]
    assert [len(own) for own in blocks] == [40] * 4
    assert len(set().union(*blocks)) == 160


def test_blocks_of_a_selection_are_those_of_its_rows() -> None:
    assert Blocks(np.array([0, 4, 8, 12]), 2).of(np.array([1, 3, 8, 9, 11])).bounds.tolist() == [0, 2, 5]
    assert (
        epoch_order(6, None, (1, 0))[0:6].tolist()
        == np.random.Generator(np.random.PCG64([1, 0])).permutation(6).tolist()
    )
