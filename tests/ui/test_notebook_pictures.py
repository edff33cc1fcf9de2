"""Pictures of notebooks beside their curves."""

from __future__ import annotations

import pytest

from helpers.gallery import CONDITIONAL
from helpers.notebooks import notebook_picture, notebook_sheet, write_notebook
from helpers.streamlit_app import fine, open_page


@pytest.mark.parametrize("shown", [1, 3])
def test_a_server_notebook_has_its_pictures_on_the_curves_page(gallery, tmp_path, monkeypatch, shown):
    monkeypatch.setenv("GANLIB_LOGS", str(tmp_path / "logs"))
    pictures = [notebook_picture((8, 8), level) for level in range(shown + 1)]
    write_notebook(tmp_path / "logs" / "theirs" / "gan.ipynb", *pictures)
    at = fine(open_page("curves", runs=["theirs", CONDITIONAL]))
    (slider,) = (element for element in at.select_slider if element.label == "Pictures of theirs")
    assert slider.value == f"epoch {shown + 1}"


@pytest.mark.parametrize(("last", "collapsed"), [(2, True), (16, False)])
def test_pictures_that_became_alike_are_a_finding(gallery, tmp_path, monkeypatch, last, collapsed):
    monkeypatch.setenv("GANLIB_LOGS", str(tmp_path / "logs"))
    sheets = [notebook_sheet(16)] * 5 + [notebook_sheet(last)] * 3
    write_notebook(tmp_path / "logs" / "theirs" / "gan.ipynb", *sheets)
    at = fine(open_page("curves", runs=["theirs"]))
    findings = [option for radio in at.radio for option in radio.options]
    assert any("Signs of mode collapse" in option for option in findings) == collapsed
