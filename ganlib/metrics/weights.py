"""Weights of networks that others have trained: fetched once or named by path. Nothing of a file is ever run."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ganlib.errors import GanlibError
from ganlib.tensors import load_tensors, read_safetensors


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


def read_tensors(path: Path, name: str) -> dict[str, Tensor]:
    """Name -> tensor, of a file of safetensors or of ``torch.save``. GanlibError where it holds anything else."""
    try:
        if path.suffix == ".safetensors":
            return read_safetensors(path)[0]
        tensors = load_tensors(path)
    except (OSError, EOFError, RuntimeError, ValueError, UnpicklingError, SafetensorError) as error:
        raise _not_the_weights(path, name, error) from None
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise _not_the_weights(path, name, "it holds more than named tensors")
    return tensors


def load_into(network: nn.Module, tensors: dict[str, Tensor], path: Path, name: str, *, assign: bool = False) -> None:
    """GanlibError where these are not the network's tensors. ``assign``: as in ``load_state_dict``."""
    try:
        network.load_state_dict(tensors, assign=assign)
    except RuntimeError as error:
        raise _not_the_weights(path, name, error) from None


def _not_the_weights(path: Path, name: str, reason: object) -> GanlibError:
    return GanlibError(f"{path} does not hold the weights of {name} ({' '.join(str(reason).split())[:100]}).")
