"""Small sets of shards: WebDataset's archives and Parquet files as ``datasets`` writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from helpers.image_files import pack, picture

CLASSES = ("cat", "dog", "owl")


def pictures(first: int, n: int, size: int = 16) -> list[tuple[bytes, int]]:
    """The file and the class of ``n`` pictures, each another."""
    return [(picture(i, (size, size)), i % len(CLASSES)) for i in range(first, first + n)]


def samples(first: int, n: int, size: int = 16) -> dict[str, bytes]:
    """The members of an archive."""
    files: dict[str, bytes] = {}
    for i, (content, label) in enumerate(pictures(first, n, size), first):
        files |= {f"{i:05}.png": content, f"{i:05}.cls": str(label).encode()}
        files[f"{i:05}.json"] = json.dumps({"class": CLASSES[label]}).encode()
    return files


def write_tars(folder: Path, shards: int = 4, n: int = 30, *, split: str = "train") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(shards):
        pack(folder / f"{split}-{shard:06}.tar", samples(shard * n, n))
    return folder


def write_parquet(
    path: Path, rows: Sequence[tuple[bytes | None, Any]], *, group: int = 10, names: Any = CLASSES
) -> Path:
    """With the names of the classes in the schema, where there are any, as the Hugging Face hub has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pa.array([{"bytes": content, "path": None} for content, _ in rows])
    table = pa.table({"image": image, "label": pa.array([label for _, label in rows])})
    if names:
        features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path, row_group_size=group, compression="none")
    return path


def write_parquets(folder: Path, files: int = 4, n: int = 30, *, split: str = "train") -> Path:
    for file in range(files):
        write_parquet(folder / f"{split}-{file:05}-of-{files:05}.parquet", pictures(file * n, n))
    return folder
