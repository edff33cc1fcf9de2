"""One thread: tiny networks gain nothing from more, and subprocesses of one thread are then bit-for-bit equal."""

from __future__ import annotations

import os

import torch

os.environ["OMP_NUM_THREADS"] = "1"  # inherited by the processes that tests start
torch.set_num_threads(1)
