"""The result of a comparison: numbers and frames, with all that they depend on, as a folder.

comparison.json   sides, protocol, giveaways, warnings, seconds of each section
NAME.csv          a frame each: tests, roc, components, histograms, plane, units, neighbours, …
NAME.png          pictures
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from ganlib.errors import GanlibError
from ganlib.files import read_json, write_atomically
from ganlib.picture_files import open_picture
from ganlib.records import Record

MAX_PIXELS = 16_000_000  # of one of its pictures
FILE = "comparison.json"
TESTS = {  # columns of the frame ``tests``: one row a test
    "section": "str",
    "test": "str",
    "subject": "str",  # pixels or network
    "statistic": "str",  # what ``value`` is
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "p_value": "float64",
    "sufficient": "Int64",  # images a side, or independent groups of them, that tell the sides apart at 95 %
    "n_real": "Int64",
    "n_synthetic": "Int64",
}


@dataclass
class Comparison:
    real: str
    synthetic: str
    protocol: dict[str, Any]
    giveaways: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  # what a section could not do, and why
    seconds: dict[str, float] = field(default_factory=dict)  # of each section
    facts: dict[str, Any] = field(default_factory=dict)  # single numbers of a section
    provenance: dict[str, Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)  # of the synthetic run
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    pictures: dict[str, Image.Image] = field(default_factory=dict)

    @property
    def tests(self) -> pd.DataFrame:
        return self.frames.get("tests", pd.DataFrame(columns=list(TESTS)).astype(TESTS))

    def add_tests(self, rows: list[dict[str, Any]]) -> None:
        new = pd.DataFrame(rows, columns=list(TESTS)).astype(TESTS)
        self.frames["tests"] = pd.concat([self.tests, new], ignore_index=True) if len(self.tests) else new

    def write(self, folder: Path) -> None:
        """Each file is whole or absent; ``comparison.json`` is last."""
        for name, frame in self.frames.items():
            write_atomically(folder / f"{name}.csv", frame.to_csv(index=False).encode())
        for name, picture in self.pictures.items():
            buffer = BytesIO()
            picture.save(buffer, "PNG")
            write_atomically(folder / f"{name}.png", buffer.getvalue())
        names = ("real", "synthetic", "protocol", "giveaways", "warnings", "seconds", "facts", "provenance")
        content = {name: getattr(self, name) for name in names}
        content |= {"records": [record.to_dict() for record in self.records]}
        content |= {"frames": list(self.frames), "pictures": list(self.pictures)}
        write_atomically(folder / FILE, json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")


def read_comparison(folder: Path) -> Comparison:
    """GanlibError where the folder holds none, or a damaged one."""
    path = folder / FILE
    try:
        content = read_json(path)
        frames = {name: pd.read_csv(folder / f"{_plain(name)}.csv") for name in content.pop("frames")}
        pictures = {name: _picture(folder / f"{_plain(name)}.png") for name in content.pop("pictures")}
        records = [Record.from_dict(entry) for entry in content.pop("records", [])]
        comparison = Comparison(**content, records=records, frames=frames, pictures=pictures)
        if "tests" in frames:
            comparison.frames["tests"] = frames["tests"].astype(TESTS)[list(TESTS)]
        return comparison
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:120]
        raise GanlibError(f"{path} is no readable comparison ({reason}); run ganlib compare again.") from None


def comparisons(folder: Path) -> list[Path]:
    """Folders of the comparisons in a run's folder, or in any other."""
    return sorted(path.parent for path in folder.glob(f"comparisons/*/{FILE}"))


def _plain(name: str) -> str:
    if not name.replace("_", "").isalnum():
        raise ValueError(f"{name!r} is no name of a frame")
    return name


def _picture(path: Path) -> Image.Image:
    with open_picture(path, ["PNG"], MAX_PIXELS) as picture:
        picture.load()
        return picture.copy()
