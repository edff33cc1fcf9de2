"""The command line in this process: what it printed, what it refused, what it drew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganlib.__main__ import main


def run_command(*arguments: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints."""
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


def run_refused_command(*arguments: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence in which the command ends."""
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert code == 1
    assert out == ""
    assert err.startswith("ganlib: ")
    assert err.endswith(".\n")
    assert err.count("\n") == 1
    assert len(err) < 600
    return err


def read(path: Any) -> np.ndarray:
    return np.asarray(Image.open(path))


def cells(path: Any, size: int = 16, gap: int = 2) -> np.ndarray:
    """(rows, columns, H, W): the pictures of a grid, after checking what lies between them."""
    whole = read(path)
    rows, columns = ((n + gap) // (size + gap) for n in whole.shape)
    assert whole.shape == (rows * (size + gap) - gap, columns * (size + gap) - gap)
    padded = np.pad(whole, ((0, gap), (0, gap)), constant_values=255)
    blocks = padded.reshape(rows, size + gap, columns, size + gap).transpose(0, 2, 1, 3)
    assert (blocks[:, :, size:] == 255).all()
    assert (blocks[:, :, :, size:] == 255).all()
    return blocks[:, :, :size, :size]
