"""Pictures of notebooks beside their curves."""

from __future__ import annotations

import pytest

from helpers.gallery import CONDITIONAL
from helpers.notebooks import notebook_picture, write_notebook
from helpers.streamlit_app import fine, open_page


@pytest.mark.parametrize("shown", [1, 3])
def test_a_server_notebook_has_its_pictures_on_the_curves_page(gallery, tmp_path, monkeypatch, shown):
    monkeypatch.setenv("GANLIB_LOGS", str(tmp_path / "logs"))
    pictures = [notebook_picture((8, 8), level) for level in range(shown + 1)]
    write_notebook(tmp_path / "logs" / "theirs" / "gan.ipynb", *pictures)
    at = fine(open_page("curves", runs=["theirs", CONDITIONAL]))
    (slider,) = (element for element in at.select_slider if element.label == "Pictures of theirs")
    assert slider.value == f"epoch {shown + 1}"
