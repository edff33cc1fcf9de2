"""Which files of a folder are its shards, and of which split."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from ganlib.data.files import file_names
from ganlib.data.layout import Role, is_data_file, split_role
from ganlib.data.shards.index import SCANS, Files
from ganlib.errors import GanlibError

COMPRESSED = (".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar.zst")


def find_shards(path: Path) -> Files:
    """A folder's, or one file; GanlibError where there are none, or of two kinds."""
    if path.is_dir():
        root, names = path, sorted(name for name in file_names(path) if is_data_file(name))
    else:
        root, names = path.parent, [path.name]
    by_ending = {ending: [name for name in names if name.lower().endswith(ending)] for ending in SCANS}
    present = [ending for ending in SCANS if by_ending[ending]]
    if len(present) > 1:
        raise GanlibError(f"{path} holds shards of two kinds, {' and '.join(present)}; keep one of them.")
    if not present:
        packed = next((name for name in names if name.lower().endswith(COMPRESSED)), None)
        hint = (
            f"{packed} is compressed, and shards are read in place: unpack it to .tar"
            if packed
            else "for a folder of pictures write folder:PATH"
        )
        raise GanlibError(f"There are no shards (.tar or .parquet) in {path}; {hint}.")
    return _deal(root, by_ending[present[0]], present[0])


def _deal(root: Path, names: list[str], ending: str) -> Files:
    """``train-00000.tar``, ``test/00000.tar``, …; without any for training or none for tests, all are one split."""
    roles = {name: _role(name) for name in names}
    held_out = next((role for role in ("test", "validation") if role in roles.values()), None)
    test = frozenset(name for name in names if roles[name] == held_out) if held_out else frozenset()
    if len(test) == len(names):
        return Files(root, tuple(names), ending)
    left_out = [name for name in names if roles[name] not in (None, "train", held_out)]
    notes = (f"{len(left_out):,} shards for validation, such as {left_out[0]}, were left out.",) if left_out else ()
    return Files(root, tuple(name for name in names if name not in left_out), ending, test, notes)


def _role(name: str) -> Role | None:
    """Of the folders above a shard, else of a word of its name: "train-00000-of-00002.parquet", "cats-test-000001"."""
    path = PurePosixPath(name)
    words = [*path.parts[:-1], *re.split(r"[^A-Za-z]+", path.stem)]
    return next((role for word in words if (role := split_role(word))), None)
