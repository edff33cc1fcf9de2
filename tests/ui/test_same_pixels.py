"""The link, the command line and the Python snippet of every generating page give the same pixels."""

from __future__ import annotations

import hashlib
import shlex
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ganlib.__main__ import main
from ganlib.applications.saved_latents import save_latents
from ganlib.runs import Run
from helpers.gallery import CONDITIONAL, OTHER, STYLES, add_able_runs, model, pictures, pixels
from helpers.streamlit_app import from_link, grids, open_page, strip, values


def digest(images: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()


def shown(page: str, at: AppTest) -> np.ndarray:
    if page == "interpolation":
        files = strip(at)
    elif page == "sheets":
        (html,) = (html for html in values(at, "html") if 'data-testid="sheet"' in html)
        files = pictures(html)
    else:
        files = grids(at)[-1]
    return np.stack([pixels(content) for content in files])


def by_command(text: str, folder: Path) -> np.ndarray:
    """The images that the command line writes, one by one rather than in one picture."""
    arguments = shlex.split(text.splitlines()[0])[3:]
    arguments = [*arguments[: arguments.index("--out")], "--out", str(folder / "images.zip")]
    if "--frames-per-second" in arguments:
        arguments = [a for a in arguments if a != "--boomerang"]
    assert main(arguments) == 0
    with zipfile.ZipFile(folder / "images.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
        return np.stack([pixels(archive.read(name)) for name in names])


def by_snippet(text: str) -> np.ndarray:
    namespace: dict[str, Any] = {}
    exec(compile(text, "snippet", "exec"), namespace)
    images = namespace["images"]
    return images[..., 0] if images.shape[-1] == 1 else images


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("sampling", {"run": OTHER, "seed": "3", "n": "4", "class_": "7", "temperature": "0.7", "edits": "sefa-1=1.5"}),
        ("sampling", {"run": CONDITIONAL, "seed": "3,9-11,40", "all": "true"}),
        ("sampling", {"run": OTHER, "latents": "my four"}),
        ("directions", {"run": OTHER, "seed": "3", "n": "2", "class_": "2", "edits": "sefa-2=-2"}),
        ("interpolation", {"run": OTHER, "seed_a": "8", "class_a": "1", "latents_b": "my four", "frames": "5"}),
        ("interpolation", {"run": STYLES, "keys": "3", "closed": "true", "frames": "6", "equal_speed": "true"}),
        ("interpolation", {"run": OTHER, "sheet": "true", "side": "3", "own": "true", "b_temperature": "0.5"}),
        ("sheets", {"run": OTHER, "rows": "sefa-1", "rows_values": "-1,1", "columns_values": "0-2,@my four"}),
        ("sheets", {"run": STYLES, "rows_values": "1,2", "columns_values": "5,6", "truncation": "0.6"}),
    ],
)
def test_link_command_and_snippet_give_the_same_pixels(page, link, own_gallery, tmp_path):
    add_able_runs(own_gallery)
    save_latents(Run(own_gallery / OTHER), "my four", model(own_gallery, OTHER).latents([44]), 4)
    at = open_page(page, **link)
    assert not at.error
    assert not at.warning
    address, command, snippet = (code.value for code in at.code)
    expected = shown(page, at)
    results = {
        "link": digest(shown(page, from_link(page, address))),
        "command": digest(by_command(command, tmp_path)),
        "snippet": digest(by_snippet(snippet)),
    }
    assert results == dict.fromkeys(results, digest(expected))
