"""The dashboard in Streamlit's own AppTest: opening a page, setting a control, reading what is shown."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ganlib.models import MODELS
from helpers.gallery import (
    CANVAS,
    CODES,
    CONDITIONAL,
    OTHER,
    PROJECT,
    PYRAMID,
    RUNS,
    SLOW,
    STYLES,
    UNCONDITIONAL,
    pictures,
    pixels,
)

PAGES = {
    "home": "Overview",
    "gallery": "Gallery",
    "sampling": "Sampling",
    "interpolation": "Interpolation",
    "directions": "Directions",
    "sheets": "Sheets",
    "inversion": "Inversion",
    "edit": "Edit a picture",
    "export": "Export",
    "curves": "Training curves",
    "fid": "FID comparison",
    "compare": "Real vs synthetic",
    "balance": "Balance",
    "experiments": "Experiments",
    "guessing": "Real or generated?",
}
LINKS = [
    {"run": CONDITIONAL, "class_": "4", "seed": "9", "n": "8", "temperature": "0.7"},
    {"run": OTHER, "all": "true", "seed": "5", "n": "2"},
    {"run": UNCONDITIONAL, "seed": "7", "n": "4"},
    {"run": OTHER, "compare": CONDITIONAL, "class_": "2"},
]
WITHOUT_SIDEBAR = ("home", "gallery", "experiments")
every_page = pytest.mark.parametrize("name", PAGES)


def open_page(name: str, **link: Any) -> AppTest:
    at = AppTest.from_file(PROJECT / "dashboard.py", default_timeout=60)
    if name == "inversion":
        link.setdefault("steps", "2")  # of optimisation, which takes seconds
    for key, value in link.items():
        at.query_params[key.rstrip("_")] = value
    at.switch_page(f"pages/{name}.py").run()
    return fine(at)


def fine(at: AppTest) -> AppTest:
    assert [e.value for e in at.exception] == []
    assert len(at.header) == 1
    return at


def has_content(at: AppTest) -> bool:
    return bool(at.get("html") or at.get("bidi_component") or charts(at))


def set_to(at: AppTest, kind: str, key: str, value: Any) -> AppTest:
    widget = getattr(at, kind)(key=key)
    return fine(widget.set_value(value).run())


def values(at: AppTest, kind: str) -> list[str]:
    """What the page's elements of one kind hold."""
    elements: list[Any] = list(at.get(kind))
    return [element.value for element in elements]


def components(at: AppTest, name: str) -> list[dict[str, Any]]:
    """What the page's components of one kind were given."""
    return [json.loads(c.proto.json) for c in at.get("bidi_component") if c.proto.component_name == f"ganlib_{name}"]


def cards(at: AppTest) -> list[dict[str, Any]]:
    return [item for group in components(at, "cards") for item in group["items"]]


def run_names(at: AppTest) -> list[str]:
    """The runs of the page's cards."""
    return [card["links"][0]["to"].partition("/")[2] for card in cards(at)]


def grid_cells(at: AppTest) -> list[dict[str, str]]:
    """The cells of the page's grid of images, row by row."""
    (grid,) = (data for data in components(at, "pictures") if data["testid"] == "image-grid")
    cells: list[dict[str, str]] = grid["cells"]
    return cells


def grids(at: AppTest) -> list[list[bytes]]:
    """The images of each run."""
    runs: dict[str, list[bytes]] = {}
    for cell in grid_cells(at):
        if "src" in cell:
            runs.setdefault(cell["id"].split()[0], []).append(b64decode(cell["src"].partition(",")[2]))
    return list(runs.values())


def staged(at: AppTest) -> list[list[bytes]]:
    return [pictures(html) for html in values(at, "html") if 'data-testid="stages"' in html]


def strip(at: AppTest) -> list[bytes]:
    (html,) = (html for html in values(at, "html") if 'data-testid="film-strip"' in html)
    return pictures(html)


def player(at: AppTest) -> dict[str, Any]:
    """What the page's player was given, its frames as files."""
    (data,) = components(at, "player")
    return data | {"frames": [b64decode(src.partition(",")[2]) for src in data["frames"]]}


def charts(at: AppTest) -> list[dict[str, Any]]:
    """Charts call runs by their architectures; here they have the names of the small gallery's."""
    specs = [str(chart.proto.spec) for chart in at.get("plotly_chart")]
    for name in (CODES, CANVAS, PYRAMID, STYLES, SLOW, *RUNS):
        label = json.dumps(MODELS[name.partition("-")[2]].display_name)
        specs = [spec.replace(label, json.dumps(name)) for spec in specs]
    return [json.loads(spec) for spec in specs]


def arrays(files: list[bytes]) -> np.ndarray:
    return np.stack([pixels(content) for content in files])


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal up to float error: another batch may round a pixel to the next of 256 levels."""
    return a.shape == b.shape and int(np.abs(a.astype(int) - b.astype(int)).max()) <= 1


def texts(at: AppTest) -> str:
    return " ".join(text for kind in ("info", "markdown", "caption", "warning", "error") for text in values(at, kind))


def is_one_sentence(text: str) -> bool:
    return "\n" not in text and "Traceback" not in text and text.rstrip().endswith(".") and len(text) < 600


def from_link(page: str, text: str) -> AppTest:
    return open_page(page, **dict(parse_qsl(urlsplit(text).query)))
