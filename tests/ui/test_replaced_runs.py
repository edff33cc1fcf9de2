"""Runs that are replaced by others, or copied file by file, while a page shows them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganlib.runs import Run
from ganlib.sampling import sample
from ganlib.ui import controls, curves, interpolation, score_controls
from helpers.gallery import CONDITIONAL, OTHER, pixels
from helpers.streamlit_app import every_page, fine, grids, is_one_sentence, open_page, set_to
from helpers.tiny_models import write_run


@pytest.fixture
def another(own_gallery, tmp_path) -> Path:
    """A run of another architecture, of fewer classes and other sizes."""
    return write_run(tmp_path / "another", "sngan", num_classes=3).path


def replace(run: Path, by: Path) -> None:
    shutil.rmtree(run)
    shutil.copytree(by, run)


@every_page
def test_another_run_of_the_name_is_shown_at_the_next_click(name, own_gallery, another):
    at = open_page(name, **({} if name == "home" else {"run": CONDITIONAL}))
    replace(own_gallery / CONDITIONAL, another)
    at = fine(at.run())
    assert not at.error
    assert not [e for e in at.expander if "unusable" in e.label]


def test_its_pictures_are_those_of_the_new_weights(own_gallery, another):
    at = open_page("sampling", run=CONDITIONAL, class_="7", seed="3", n="4")
    replace(own_gallery / CONDITIONAL, another)
    at = fine(at.run())
    expected = sample(Run(another).load(), range(3, 7), [0] * 4)  # type: ignore[arg-type]
    assert at.segmented_control(key="class").value == "a"
    assert [pixels(picture).squeeze().tolist() for picture in grids(at)[0]] == expected.squeeze().tolist()


@pytest.mark.parametrize(
    ("name", "module", "step", "sentences"),
    [
        ("gallery", controls, "pick_data", 0),
        ("sampling", controls, "pick_seeds", 1),
        ("interpolation", interpolation, "pick_interpolation", 1),
        ("curves", curves, "pick_range", 0),
        ("fid", score_controls, "pick_metric", 0),
    ],
)
def test_a_run_replaced_while_a_page_is_drawn_costs_it_a_sentence_at_most(
    name, module, step, sentences, own_gallery, another, monkeypatch
):
    as_it_is = getattr(module, step)

    def replace_first(*args, **options):
        replace(own_gallery / CONDITIONAL, another)
        return as_it_is(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, step, replace_first)
        at = open_page(name, run=CONDITIONAL)
    errors = [error.value for error in at.error]
    assert errors == [f"{own_gallery / CONDITIONAL} was replaced while this page was drawn; reload it."] * sentences
    assert not fine(at.run()).error


def copied_in_parts(source: Path, target: Path) -> Iterator[str]:
    """As a slow copy does it: file after file, the weights in two parts."""
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.name == "weights.safetensors":
            place.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
            yield "half of the weights"
        shutil.copy2(file, place)
        if file.name in ("config.json", "log.csv"):
            yield file.name


@pytest.mark.parametrize("name", ["home", "gallery", "sampling", "curves", "fid"])
def test_a_run_that_is_being_copied_is_unusable_until_it_is_whole(name, own_gallery, tmp_path):
    source = Path(shutil.move(own_gallery / CONDITIONAL, tmp_path / "source"))
    at = open_page(name)
    for _ in copied_in_parts(source, own_gallery / CONDITIONAL):
        at = fine(at.run())
        assert not at.error
        (expander,) = (e for e in at.expander if "unusable" in e.label)
        assert [is_one_sentence(m.value) for m in expander.markdown] == [True]
    at = fine(at.run())
    assert not at.error
    assert not [e for e in at.expander if "unusable" in e.label]


def test_a_run_copied_over_another_is_shown_once_it_is_whole(own_gallery, another):
    """In place, as ``cp`` does it: new weights beside an old recipe, and the other way round."""
    at = open_page("sampling", run=CONDITIONAL)
    for _ in copied_in_parts(another, own_gallery / CONDITIONAL):
        at = fine(at.run())
        assert len(at.error) <= 1
        assert all(is_one_sentence(error.value) for error in at.error)
    at = set_to(fine(at.run()), "selectbox", "run", CONDITIONAL)
    assert not at.error
    assert at.segmented_control(key="class").options == ["a", "b", "c"]
    assert set_to(at, "selectbox", "run", OTHER)
