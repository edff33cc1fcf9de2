"""Where a result comes from: package versions, the project's commit, the time."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from ganlib import __version__
from ganlib.settings import CHECKOUT, PACKAGE

PACKAGES = ("torch", "torchvision", "torch-fidelity", "numpy")


def versions() -> dict[str, str]:
    versions = {"ganlib": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # the core runs without those of metrics
    return versions


def commit() -> str | None:
    """The project's commit, with "+" where files differ from it; None outside a checkout."""
    if CHECKOUT is None:  # a repository around an installed package is not the project's
        return None
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def source_hash() -> str:
    """12 hex digits of SHA-256 over the package's code, the same wherever it is installed."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
