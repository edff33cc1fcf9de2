"""How the tests are run, and where a new one goes.

Tiers, by marker:

fast      no marker    ``make test-fast``, at most two minutes on two cores: run it all day
slow      ``slow``     more than about two seconds, a process of its own, or generated inputs by the hundred
browser   ``browser``  journeys in Chromium; everything in tests/browser has the marker, none need set it

``make test`` runs the checks and all tiers, ``make coverage`` measures which lines the first two run. One file or one
test: ``python -m pytest tests/training/test_step.py -k freezes``; one tier: ``python -m pytest -n 2 -m slow``.

A new test: ``tests/`` mirrors ``ganlib/``; ``tests/training/test_step.py`` tests ``ganlib/training/step.py``. Real
classes at the sizes of ``Config.tiny()``, no mocks; ``tests/helpers`` builds models, runs and galleries. One rule is
one test: parametrize over architectures; where a rule holds for many files or fields, one test lists all violations.

One thread each: tiny networks gain nothing from more, and processes of one thread are bit-for-bit equal.
"""

from __future__ import annotations

import os

import pytest
import torch

os.environ["OMP_NUM_THREADS"] = "1"  # inherited by the processes that tests start
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def random_numbers_of_its_own() -> None:
    """The same in each run of a test, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def no_settings_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is set where the tests are started, or by a fixture that outlives its test, is not set here."""
    for name in [name for name in os.environ if name.startswith("GANLIB_")]:
        monkeypatch.delenv(name)
