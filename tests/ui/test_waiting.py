"""A session whose computation waits for those of others."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch
from streamlit.delta_generator import DeltaGenerator

from ganlib.devices import on_device
from ganlib.ui.serving import follow_computation
from helpers.gallery import CONDITIONAL
from helpers.streamlit_app import has_content, open_page


def test_the_page_says_what_it_waits_for_and_goes_on(gallery, monkeypatch):
    release, begun, said = threading.Event(), threading.Event(), []

    def hold() -> None:
        begun.set()
        release.wait(60)

    def caption(self: DeltaGenerator, body: str, **options: Any) -> DeltaGenerator:
        said.append(body)
        release.set()
        return original(self, body, **options)

    original = DeltaGenerator.caption
    monkeypatch.setattr(DeltaGenerator, "caption", caption)
    holder = threading.Thread(target=on_device, args=(torch.device("cpu"), hold))
    holder.start()
    assert begun.wait(30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganlib.ui.serving.SILENT_SECONDS", 0.0)
        patch.setattr("ganlib.devices._while_waiting", follow_computation)  # as app.py has it
        at = open_page("interpolation", run=CONDITIONAL)
    release.set()
    holder.join(30)
    assert "Other sessions' work comes first …" in said
    assert not at.error
    assert has_content(at)
    assert "Other sessions' work comes first …" not in [caption.value for caption in at.caption]
