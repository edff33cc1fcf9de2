"""Weights of networks that others have trained: fetched once or named by path. Nothing of a file is ever run."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

import torch

from ganlib.errors import GanlibError


class Source(NamedTuple):
    """Where weights are published."""

    name: str
    url: str
    sha256: str  # the first digits of the file's, "" where its publisher does not say


def find_weights(source: Source, path: str | None) -> Path:
    """``path``, else the published file, downloaded once. GanlibError where there is none."""
    if path:
        if not Path(path).is_file():
            raise GanlibError(f"There is no file {path}; fetch {source.url} and give its path.")
        return Path(path)
    filename = source.url.rsplit("/", 1)[1]
    download_path = Path(torch.hub.get_dir()) / "checkpoints" / filename
    if not download_path.exists():
        try:
            download_path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(source.url, str(download_path), source.sha256 or None, progress=False)
        except (OSError, RuntimeError) as error:
            raise GanlibError(
                f"{source.name} weights cannot be downloaded here ({error}); fetch {source.url} "
                f"elsewhere and give --extractor-weights PATH/{filename}, or use --extractor embedded."
            ) from None
    return download_path


def file_hash(path: Path) -> str:
    """12 hex digits of SHA-256, as of a run's weights."""
    return sha256(path)[:12]


def sha256(path: Path) -> str:
    with path.open("rb") as f:
        return file_digest(f, "sha256").hexdigest()
