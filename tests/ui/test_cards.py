"""The gallery's cards of runs that can do more than make pictures of seeds."""

from __future__ import annotations

import io
import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ganlib.run_folder import RunFolder
from ganlib.runs import Run
from helpers.gallery import PROJECT, edit_recipe, score
from helpers.streamlit_app import cards, open_page, run_names
from helpers.tiny_models import write_run


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "gallery"))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    return tmp_path / "gallery"


def picture(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (16, 16), level).save(buffer, "WEBP")
    return buffer.getvalue()


def draw(folder: RunFolder, *moments: int) -> list[bytes]:
    """Pictures of the training at these moments; the reconstructions' contents."""
    for kind in (folder.samples, folder.reconstructions):
        kind.mkdir()
        for i, images in enumerate(moments):
            (kind / f"{images}.webp").write_bytes(picture(20 * i + 100 * (kind == folder.reconstructions)))
    return [(folder.reconstructions / f"{images}.webp").read_bytes() for images in moments]


def gallery(**link: str) -> list[dict[str, Any]]:
    at = open_page("gallery", **link)
    assert not at.warning
    return cards(at)


def test_a_card_shows_the_reconstructions_that_its_weights_made(root):
    run = write_run(root / "digits-gan", "dcgan")  # has seen 64 images
    made = draw(run.folder, 0, 32, 100)
    (card,) = gallery(cards="large")
    samples, reconstructions = (b64decode(picture["src"].partition(",")[2]) for picture in card["pictures"])
    assert (samples in made, reconstructions) == (False, made[1])
    said = "Test images and, below each, its reconstruction by digits-gan after 32 training images"
    assert card["pictures"][1]["alt"] == said
    assert card["notes"] == ["Test images, each above its reconstruction"]
    shutil.rmtree(run.folder.reconstructions)
    (card,) = gallery(cards="large")
    assert len(card["pictures"]) == 1
    assert card["notes"] == []


def test_a_card_says_which_gpu_trained_a_run(root):
    for name, hardware in [("a", "NVIDIA H200"), ("b", "a CPU, 1 thread"), ("c", "")]:
        edit_recipe(write_run(root / name, "dcgan").path, hardware=hardware)
    seen = [fact for card in gallery(cards="large") for fact in card["facts"] if fact["label"] == "images seen"]
    assert [" on NVIDIA H200" in fact["help"] for fact in seen] == [True, False, False]
    start = {"run": "before", "weights": "abcdef012345", "images": 64, "seconds": 600.0}
    edit_recipe(root / "a", start=start)
    help = next(f["help"] for card in gallery(cards="large") for f in card["facts"] if "H200" in f["help"])
    assert help.startswith("10 minutes of training, 0 of them on NVIDIA H200, with those of before")


def code_score(run: Run, value: float, **changes: Any) -> None:
    protocol = {
        "n_real": 100,
        "n_fake": 0,
        "reference": {"data": "noise", "split": "test", "fingerprint": "f"},
        "extractor": None,
        "extractor_name": None,
        "extractor_hash": None,
        "resizer": "none",
        "options": {},
        "code": "c1",
        "matched": {"data": "noise", "split": "train", "fingerprint": "f", "n": 100},
    }
    score(run.path, value, metric="code_accuracy", protocol=protocol, **changes)


def test_a_card_says_how_well_a_code_names_the_classes(root):
    run = write_run(root / "digits-gan", "dcgan")
    score(run.path, 12.5)
    (without,) = gallery(cards="large")
    code_score(run, 0.99, weights_hash="of others")
    assert gallery(cards="large") == [without]
    code_score(run, 0.31, date="2026-11-20T09:00:00+00:00")
    code_score(run, 0.866)
    (with_code,) = gallery(cards="large")
    assert with_code["facts"] == without["facts"]  # the FID stands as before
    assert with_code["notes"] == ["Code c1 as a classifier: 87% test accuracy"]


def test_the_fid_page_knows_nothing_of_codes(root):
    run = write_run(root / "digits-gan", "dcgan")
    score(run.path, 12.5)

    def shown() -> list[str]:
        at = AppTest.from_file(PROJECT / "dashboard.py", default_timeout=60)
        at.switch_page("pages/fid.py").run()
        assert [e.value for e in at.exception] == []
        charts = [chart.proto.spec for chart in at.get("plotly_chart")]
        return [*charts, *(c.value for c in at.caption), *(at.selectbox(key="protocol").options)]

    before = shown()
    code_score(run, 0.866)
    assert shown() == before


def test_cards_show_the_fid_of_the_protocol_that_most_runs_share(root):
    for name, value in (("a", 9.0), ("b", 5.0), ("c", 7.0)):
        score(write_run(root / name, "dcgan").path, value, n_fake=500 if name == "b" else 1000)
    score(root / "a", 1.0, n_fake=500, date="2026-11-21T10:00:00+00:00")  # later, and comparable with b alone
    score(root / "a", 0.5, n_fake=100)
    score(root / "c", 0.1, weights_hash="of others")
    score(root / "c", 0.2, snapshot=320)
    assert run_names(open_page("gallery")) == ["c", "a", "b"]  # the best first, what was not measured alike last
    facts = [card["facts"][0] for card in gallery()]
    assert [fact["value"] for fact in facts] == ["7.00", "9.00", "–"]
    assert "Not measured under the protocol of most runs of noise, only otherwise: 5.00 (" in facts[2]["help"]
