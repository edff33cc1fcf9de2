"""How pictures come about, stage by stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganlib.sampling import sample_stages
from helpers.gallery import CANVAS, CODES, PYRAMID, model, pixels
from helpers.streamlit_app import arrays, close, fine, from_link, grids, open_page, set_to, staged, texts


def stages(gallery: Path, name: str, seeds: Any, labels: Any = None, **options: Any) -> list[list[np.ndarray]]:
    """A row an image, a column a stage, from ganlib itself."""
    columns = [s[..., 0] for s in sample_stages(model(gallery, name), seeds, labels, **options)]
    return [list(row) for row in zip(*columns, strict=True)]


def in_rows(files: list[bytes], columns: int) -> list[list[np.ndarray]]:
    return [[pixels(file) for file in files[i : i + columns]] for i in range(0, len(files), columns)]


def same(a: list[list[np.ndarray]], b: list[list[np.ndarray]]) -> bool:
    return all(np.array_equal(x, y) for p, q in zip(a, b, strict=True) for x, y in zip(p, q, strict=True))


@pytest.mark.parametrize(("run", "labels", "sizes"), [(CANVAS, None, [16, 16, 16]), (PYRAMID, [0] * 8, [4, 8, 16])])
def test_the_steps_of_the_first_eight_pictures_are_shown_on_demand(run, labels, sizes, able):
    at = open_page("sampling", run=run)
    assert not staged(at)
    assert "stages" not in at.code[0].value
    at = set_to(at, "toggle", "stages", True)
    (shown,) = staged(at)
    rows = in_rows(shown, 3)
    assert same(rows, stages(able, run, range(8), labels))
    assert [len(stage) for stage in rows[0]] == sizes
    assert close(np.stack([row[-1] for row in rows]), arrays(grids(at)[0])[:8])
    assert "Shown for 8 of the 16 images" in texts(at)


def test_each_stage_is_named_by_its_class_seed_and_number(able):
    at = open_page("sampling", run=PYRAMID, class_="b", seed="5", n="2", stages="true")
    (html,) = (h.value for h in at.get("html") if 'data-testid="stages"' in h.value)
    names = [f'alt="b, seed {seed}, stage {stage} of 3"' for seed in (5, 6) for stage in (1, 2, 3)]
    assert [html.count(name) for name in names] == [1] * 6
    assert [html.count(text) for text in (">1 of 3<", ">2 of 3<", ">3 of 3<", ">b, seed 5<")] == [1] * 4
    assert "Shown for" not in texts(at)


def test_the_steps_follow_class_seed_and_options(able):
    at = open_page("sampling", run=PYRAMID, class_="c", seed="7", n="4", temperature="0.5", stages="true")
    assert same(in_rows(staged(at)[0], 3), stages(able, PYRAMID, range(7, 11), [2] * 4, temperature=0.5))
    at = set_to(at, "toggle", "all", True)
    expected = stages(able, PYRAMID, [7, 8] * 3, [0, 0, 1, 1, 2, 2], temperature=0.5)  # every class
    assert same(in_rows(staged(at)[0], 3), expected)


def test_of_many_steps_eight_are_shown_from_the_first_to_the_last(able):
    at = open_page("sampling", run="long-canvas", n="2", stages="true")
    rows = in_rows(staged(at)[0], 8)
    chosen = [1, 3, 5, 7, 10, 12, 14, 16]
    expected = stages(able, "long-canvas", range(2))
    assert same(rows, [[row[i - 1] for i in chosen] for row in expected])
    (html,) = (h.value for h in at.get("html") if 'data-testid="stages"' in h.value)
    assert [html.count(f">{i} of 16<") for i in chosen] == [1] * 8


def test_the_link_opens_with_the_steps(able):
    at = set_to(open_page("sampling", run=CANVAS, n="4"), "toggle", "stages", True)
    assert "stages=true" in at.code[0].value
    again = from_link("sampling", at.code[0].value)
    assert not again.warning
    assert again.toggle(key="stages").value
    assert staged(again) == staged(at)


def test_a_run_that_draws_at_once_has_no_steps(able):
    at = open_page("sampling", run="plain", stages="true")
    assert not [t for t in at.toggle if t.key == "stages"]
    assert not staged(at)
    assert not at.warning
    assert "stages" not in at.code[0].value
    at = set_to(set_to(at, "selectbox", "run", CANVAS), "toggle", "stages", True)
    assert len(staged(at)) == 1
    assert not staged(set_to(at, "selectbox", "run", "plain"))


def test_compared_runs_show_their_steps_where_they_have_any(able):
    at = open_page("sampling", run=PYRAMID, n="2", stages="true")
    at = fine(at.multiselect(key="compare").set_value([CODES, CANVAS]).run())
    first, second = staged(at)
    assert len(grids(at)) == 3
    assert same(in_rows(first, 3), stages(able, PYRAMID, range(2), [0] * 2))
    assert same(in_rows(second, 3), stages(able, CANVAS, range(2)))
    assert len(at.get("download_button")) == 8
