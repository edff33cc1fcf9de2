"""A server for public demonstrations: it starts no jobs, writes nothing, and still shows everything."""

from __future__ import annotations

import pytest

from ganlib.errors import GanlibError
from ganlib.runs import find_run
from ganlib.settings import READ_ONLY
from ganlib.ui.jobs import Jobs
from helpers.gallery import CONDITIONAL
from helpers.streamlit_app import open_page
from helpers.tiny_models import files_of


@pytest.mark.parametrize(("page", "button"), [("fid", "Evaluate"), ("export", "Export"), ("balance", "Compare")])
def test_pages_offer_no_jobs(page, button, own_gallery, monkeypatch):
    offered = [b.label for b in open_page(page).button]
    assert button in offered
    before = files_of(own_gallery)
    monkeypatch.setenv("GANLIB_READONLY", "1")
    at = open_page(page)
    assert not at.exception
    assert button not in [b.label for b in at.button]
    assert files_of(own_gallery) == before


def test_no_job_starts_and_nothing_is_saved(own_gallery, monkeypatch):
    from ganlib.applications.saved_latents import save_latents

    monkeypatch.setenv("GANLIB_READONLY", "1")
    jobs = Jobs()
    with pytest.raises(GanlibError, match="starts no jobs"):
        jobs.start("anything", ["list", "models"])
    assert jobs.latest is None
    run = find_run(CONDITIONAL)
    with pytest.raises(GanlibError, match="saves nothing") as refused:
        save_latents(run, "mine", run.load().latents([0]), 0)
    assert str(refused.value) == READ_ONLY
