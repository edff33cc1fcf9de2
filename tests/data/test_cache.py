"""The decoded cache: read again, rebuilt, never half."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ganlib.data import load_data
from helpers.image_files import PETS, picture, same, write


def test_second_load_decodes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "pets", PETS)
    calls: list[tuple[int, int]] = []
    first = load_data(f"folder:{path}", progress=lambda *done: calls.append(done))
    assert calls == [(20, 20)]
    again = load_data(f"folder:{path}", progress=lambda *done: calls.append(done))
    assert calls == [(20, 20)]
    assert same(first, again)
    assert isinstance(again.train.images, np.memmap)
    assert not again.train.images.flags.writeable
    assert not list((tmp_path / "cache").rglob(".building-*"))


def test_changed_files_are_decoded_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "pets", PETS)
    first = load_data(f"folder:{path}")
    write(path, {"cats/00.png": picture(999)})
    os.utime(path / "cats/00.png", ns=(1, 1))
    assert not same(first, load_data(f"folder:{path}"))


@pytest.mark.parametrize("damage", ["cut", "text", "gone", "meta"])
def test_damaged_cache_is_rebuilt(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "pets", PETS)
    first = load_data(f"folder:{path}")
    (arrays,) = (tmp_path / "cache").rglob("train.images.npy")
    if damage == "cut":
        arrays.write_bytes(arrays.read_bytes()[:-100])
    elif damage == "text":
        arrays.write_text("no array")
    elif damage == "gone":
        arrays.unlink()
    else:
        (arrays.parent / "meta.json").write_text("{")
    assert same(first, load_data(f"folder:{path}"))


def test_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    path = write(tmp_path / "pets", PETS)
    with pytest.raises(KeyboardInterrupt):
        load_data(f"folder:{path}", progress=stop)
    assert not list((tmp_path / "cache").rglob("*.npy"))
    assert not list((tmp_path / "cache").rglob(".building-*"))
    assert len(load_data(f"folder:{path}").train) == 16


def test_fingerprint_knows_pixels_labels_and_class_names(tmp_path: Path) -> None:
    renamed = {name.replace("cats", "carp"): data for name, data in PETS.items()}
    other = PETS | {"cats/03.png": picture(500)}
    sets = [load_data(f"folder:{write(tmp_path / f'{i}', files)}") for i, files in enumerate((PETS, renamed, other))]
    assert len({(d.train.fingerprint, d.test.fingerprint) for d in sets}) == 3
    assert all(len(d.train.fingerprint) == 16 and int(d.train.fingerprint, 16) >= 0 for d in sets)
