"""Every page, run by Streamlit's own AppTest: on a small gallery, on none, on a damaged one, and from bad links."""

from __future__ import annotations

import gc
import io
import json
import shlex
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from gallery import (
    BROKEN,
    CANVAS,
    CODES,
    CONDITIONAL,
    IMAGES,
    MISFITS,
    OTHER,
    PROJECT,
    PYRAMID,
    RUNS,
    UNCONDITIONAL,
    add_able_runs,
    add_broken_runs,
    copy_of,
    edit_recipe,
    pictures,
    pixels,
    score,
    small_gallery,
)
from ganlib.__main__ import main
from ganlib.figures import ARCHITECTURE_COLOURS
from ganlib.models import GenerativeModel
from ganlib.runs import GALLERY, Run, RunError, scan
from ganlib.sampling import grid, interpolate, sample, sample_stages
from tiny import write_run

PAGES = {
    "gallery": "Gallery",
    "sampling": "Sampling",
    "interpolation": "Interpolation",
    "curves": "Training curves",
    "fid": "FID comparison",
}
every_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    return small_gallery(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module", autouse=True)
def _quick_collections(shared):
    """Streamlit collects garbage after every run: through all of torch and pandas that takes longer than the page.

    Caches are kept between these tests: their keys, not luck, must tell one test's runs from another's.
    """
    gc.freeze()
    yield
    gc.unfreeze()
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def use(monkeypatch):
    """Puts a folder in place of the gallery and the local runs."""

    def point(root: Path) -> Path:
        monkeypatch.setenv("GANLIB_GALLERY", str(root))
        monkeypatch.delenv("GANLIB_RUNS", raising=False)
        return root

    return point


@pytest.fixture
def gallery(shared, use) -> Path:
    return use(shared)


@pytest.fixture
def own_gallery(shared, use, tmp_path) -> Path:
    """A copy that a test may change."""
    return use(copy_of(shared, tmp_path / "gallery"))


def open_page(name: str, **link: Any) -> AppTest:
    at = AppTest.from_file(PROJECT / "app.py", default_timeout=60)
    for key, value in link.items():
        at.query_params[key.rstrip("_")] = value
    at.switch_page(f"pages/{name}.py").run()
    return fine(at)


def fine(at: AppTest) -> AppTest:
    assert [e.value for e in at.exception] == []
    assert len(at.header) == 1
    return at


def set_to(at: AppTest, kind: str, key: str, value: Any) -> AppTest:
    widget = getattr(at, kind)(key=key)
    return fine(widget.set_value(value).run())


def grids(at: AppTest) -> list[list[bytes]]:
    return [pictures(h.value) for h in at.get("html") if 'data-testid="image-grid"' in h.value]


def staged(at: AppTest) -> list[list[bytes]]:
    return [pictures(h.value) for h in at.get("html") if 'data-testid="stages"' in h.value]


def strip(at: AppTest) -> list[bytes]:
    (html,) = (h.value for h in at.get("html") if 'data-testid="film-strip"' in h.value)
    return pictures(html)


def animation(at: AppTest) -> Image.Image:
    (html,) = (h.value for h in at.get("html") if 'data-testid="animation"' in h.value)
    return Image.open(io.BytesIO(*pictures(html, "gif")))


def charts(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


def model(gallery: Path, name: str) -> GenerativeModel:
    loaded = Run(gallery / name).load()
    assert isinstance(loaded, GenerativeModel)
    return loaded


def direct(gallery: Path, name: str, seeds: Any, labels: Any = None, **options: Any) -> np.ndarray:
    """The pictures from ganlib itself; the page must show these."""
    return sample(model(gallery, name), seeds, labels, **options)[..., 0]


def arrays(files: list[bytes]) -> np.ndarray:
    return np.stack([pixels(content) for content in files])


def texts(at: AppTest) -> str:
    return " ".join(e.value for kind in ("info", "markdown", "caption", "warning", "error") for e in at.get(kind))


def is_one_sentence(text: str) -> bool:
    return "\n" not in text and "Traceback" not in text and text.rstrip().endswith(".") and len(text) < 600


# A gallery.


@every_page
def test_a_page_opens_with_its_title_and_content(name, gallery):
    at = open_page(name)
    assert at.header[0].value == PAGES[name]
    assert not at.error
    assert not at.warning
    assert not at.info
    assert at.get("html") or charts(at)
    assert at.sidebar.selectbox(key="device").value == "auto"
    assert not [e for e in at.sidebar.expander if "unusable" in e.label]


def test_the_app_opens_on_the_gallery(gallery):
    at = fine(AppTest.from_file(PROJECT / "app.py", default_timeout=60).run())
    assert at.header[0].value == "Gallery"


def test_the_gallery_has_a_card_for_each_run(gallery):
    at = open_page("gallery")
    assert sorted(s.value for s in at.subheader) == sorted(RUNS)
    html = [h.value for h in at.get("html")]
    assert [h.count("<img") for h in html].count(1) == len(RUNS)
    numbers = " ".join(html)
    for text in ("6.50", "8.25", "30.00", f"{IMAGES}", "images seen", "parameters", "FID"):
        assert text in numbers
    assert texts(at).count("10 classes to choose from") == 2
    assert texts(at).count("unconditional") == 1


def test_a_card_links_to_the_pages_with_its_run(gallery):
    links = {link.proto.page + "?" + link.proto.query_string for link in open_page("gallery").get("page_link")}
    for run in RUNS:
        assert {f"sampling?run={run}", f"interpolation?run={run}", f"curves?runs={run}"} <= links


def test_a_run_without_scores_says_how_to_get_one(own_gallery):
    (own_gallery / OTHER / "evaluation.json").unlink()
    html = " ".join(h.value for h in open_page("gallery").get("html"))
    assert f"python -m ganlib evaluate {OTHER}" in html
    assert "8.25" not in html


def test_the_best_of_the_runs_is_offered_first(own_gallery):
    assert open_page("sampling").selectbox(key="run").value == CONDITIONAL
    score(own_gallery / OTHER, 1.0, date="2026-11-21T10:00:00+00:00")
    assert open_page("sampling").selectbox(key="run").value == OTHER
    assert [s.value for s in open_page("gallery").subheader][:2] == [OTHER, CONDITIONAL]
    assert open_page("curves").multiselect(key="runs").value == [OTHER, CONDITIONAL, UNCONDITIONAL]


def test_the_gallery_can_show_one_data_set(own_gallery):
    write_run(own_gallery / "noise-dcgan", "dcgan")
    at = open_page("gallery")
    assert {s.value for s in at.subheader} == {*RUNS, "noise-dcgan"}
    at = open_page("gallery", data="noise")
    assert [s.value for s in at.subheader] == ["noise-dcgan"]
    at = open_page("gallery", data="faces")
    assert "there are" in at.warning[0].value
    assert len(at.subheader) == 4


def test_the_shipped_gallery_opens_with_pictures(monkeypatch):
    for variable in ("GANLIB_GALLERY", "GANLIB_RUNS"):
        monkeypatch.delenv(variable, raising=False)
    if not any(issubclass(run.model_class, GenerativeModel) for run in scan([GALLERY])[0]):
        pytest.skip("checkpoints/ holds no generating run yet")
    at = open_page("sampling")
    assert not at.error
    assert len(grids(at)[0]) == 16
    for name in PAGES:
        open_page(name)


# No gallery.


@pytest.mark.parametrize(
    ("name", "kind"),
    [*((name, "empty") for name in PAGES), ("sampling", "absent"), ("fid", "absent"), ("fid", "a file")],
)
def test_without_runs_a_page_says_where_they_are_looked_for_and_how_to_make_one(name, kind, use, tmp_path):
    root = use(tmp_path / "nothing")
    if kind == "empty":
        root.mkdir()
    elif kind == "a file":
        root.write_text("not a folder")
    at = open_page(name)
    assert len(at.info) == 1
    assert str(root) in at.info[0].value
    assert at.code[0].value.startswith("python -m ganlib ")
    assert not at.error
    assert at.sidebar.selectbox(key="device")
    assert list(tmp_path.iterdir()) == ([] if kind == "absent" else [root])


@pytest.mark.parametrize("name", ["gallery", "curves"])
def test_two_roots_are_both_named(name, use, tmp_path, monkeypatch):
    use(tmp_path / "one")
    monkeypatch.setenv("GANLIB_RUNS", str(tmp_path / "two"))
    at = open_page(name)
    assert str(tmp_path / "one") in at.info[0].value
    assert str(tmp_path / "two") in at.info[0].value


# A damaged gallery.


@pytest.fixture(scope="module")
def damaged(shared, tmp_path_factory) -> Path:
    root = copy_of(shared, tmp_path_factory.mktemp("damaged"))
    add_broken_runs(root)
    return root


@every_page
def test_broken_runs_are_named_and_leave_the_page_usable(name, damaged, use):
    use(damaged)
    at = open_page(name)
    assert not at.error
    assert not at.info
    assert charts(at) or at.get("html")
    (expander,) = (e for e in at.sidebar.expander if "unusable" in e.label)
    assert expander.label == f"{len(BROKEN)} unusable runs"
    sentences = [m.value for m in expander.markdown]
    for broken in BROKEN:
        (sentence,) = (s for s in sentences if f"/{broken}" in s)
        assert is_one_sentence(sentence)


def test_the_good_runs_stay_in_every_list(damaged, use):
    use(damaged)
    usable = set(RUNS) | set(MISFITS)
    assert set(open_page("sampling").selectbox(key="run").options) == usable
    assert set(open_page("interpolation").selectbox(key="run").options) == usable
    assert {s.value for s in open_page("gallery").subheader} == usable
    assert set(open_page("curves").multiselect(key="runs").options) == set(RUNS)


@pytest.mark.parametrize("name", ["sampling", "interpolation"])
@pytest.mark.parametrize("run", MISFITS)
def test_weights_that_do_not_fit_end_in_one_sentence_and_another_run_can_be_chosen(name, run, damaged, use):
    use(damaged)
    at = open_page(name, run=run)
    assert len(at.error) == 1
    assert is_one_sentence(at.error[0].value)
    assert f"{run}/weights.safetensors does not fit its config.json" in at.error[0].value
    assert not at.warning
    assert at.sidebar.selectbox(key="device")
    at = set_to(at, "selectbox", "run", CONDITIONAL)
    assert not at.error
    assert grids(at) if name == "sampling" else strip(at)


def test_a_run_that_breaks_while_the_page_is_open_is_reported_at_the_next_click(own_gallery):
    at = open_page("sampling", run=CONDITIONAL)
    (own_gallery / CONDITIONAL / "weights.safetensors").write_bytes(b"half a file")
    at = set_to(at, "number_input", "seed", 5)
    assert [e.label for e in at.sidebar.expander if "unusable" in e.label] == ["1 unusable run"]
    assert at.selectbox(key="run").value != CONDITIONAL
    assert grids(at)


def test_a_run_that_appears_while_the_page_is_open_can_be_chosen(own_gallery):
    at = open_page("sampling", run=CONDITIONAL)
    write_run(own_gallery / "new")
    at = fine(at.run())
    assert at.selectbox(key="run").value == CONDITIONAL
    at = set_to(at, "selectbox", "run", "new")
    assert at.select_slider(key="class").options == ["a", "b", "c"]
    assert len(grids(at)[0]) == 16


def test_only_broken_runs_are_like_none_but_named(use, tmp_path):
    use(tmp_path)
    add_broken_runs(tmp_path)
    for name in MISFITS:
        shutil.rmtree(tmp_path / name)
    at = open_page("sampling")
    assert len(at.info) == 1
    assert [e.label for e in at.sidebar.expander] == [f"{len(BROKEN)} unusable runs"]


@pytest.mark.parametrize(
    ("page", "file"), [("gallery", "evaluation.json"), ("fid", "evaluation.json"), ("curves", "log.csv")]
)
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b'{"records": 3}', b"step,images\n1,x\n"], ids=range(4))
def test_a_damaged_record_or_log_is_one_warning_and_the_others_stay(page, file, content, own_gallery):
    (own_gallery / CONDITIONAL / file).write_bytes(content)
    at = open_page(page)
    assert len(at.warning) == 1
    assert f"{CONDITIONAL}/{file}" in at.warning[0].value
    assert is_one_sentence(at.warning[0].value)
    assert page == "gallery" or UNCONDITIONAL in str(charts(at))


# Links.

BAD_LINKS = {
    "seed": ["abc", "-1", str(2**32), str(2**63), "1.5", "1e2", "1e999", "nan", "9" * 5000],
    "class": ["zebra", "10", "-1"],
    "run": ["no-such-run", "../digits-cdcgan"],
    "compare": ["no-such-run"],
    "temperature": ["hot", "nan", "-1", "1.6", "1e999"],
    "n": ["0", "7", "many", "1000000"],
}


@pytest.mark.parametrize(
    ("key", "value"), [(k, v) for k, values in BAD_LINKS.items() for v in values], ids=lambda t: t[:9]
)
def test_what_a_link_asks_for_in_vain_is_one_sentence_over_the_default_picture(key, value, gallery):
    at = open_page("sampling", **{key: value})
    assert [is_one_sentence(w.value) for w in at.warning] == [True]
    assert f"asks for {key} “{value[:40]}”" in at.warning[0].value
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, range(16), [0] * 16))
    assert not at.error
    at = set_to(at, "number_input", "seed", 3)
    assert not at.warning  # said once


BAD_WALKS = [
    ("seed_a", "abc"),
    ("seed_b", "-1"),
    ("class_a", "x"),
    ("class_b", "10"),
    ("frames", "1"),
    ("frames", "65"),
]


@pytest.mark.parametrize(("key", "value"), [*BAD_WALKS, ("frames", "x"), ("path", "zigzag"), ("run", "x")])
def test_a_bad_link_to_an_interpolation_is_one_sentence_over_the_default_one(key, value, gallery):
    at = open_page("interpolation", **{key: value})
    assert [is_one_sentence(w.value) for w in at.warning] == [True]
    assert len(strip(at)) == 24


@pytest.mark.parametrize(("key", "value"), [("runs", "no-such-run"), ("tags", "loss/X")])
def test_a_bad_link_to_curves_is_one_sentence(key, value, gallery):
    at = open_page("curves", **{key: value})
    assert [is_one_sentence(w.value) for w in at.warning] == [True]
    assert not at.error


def test_several_bad_values_are_each_named_and_the_good_ones_kept(gallery):
    at = open_page("sampling", run=OTHER, seed="abc", class_="zebra", n="4")
    assert len(at.warning) == 2
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, OTHER, range(4), [0] * 4))


def test_a_link_sets_every_control(gallery):
    at = open_page("sampling", run=CONDITIONAL, class_="7", seed="123456789", n="2", temperature="0.5")
    assert not at.warning
    expected = direct(gallery, CONDITIONAL, [123456789, 123456790], [7, 7], temperature=0.5)
    assert np.array_equal(arrays(grids(at)[0]), expected)


def test_a_link_with_a_class_to_an_unconditional_run_still_opens(gallery):
    at = open_page("sampling", run=UNCONDITIONAL, class_="3", seed="2", n="4")
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, UNCONDITIONAL, range(2, 6)))


SHARED = [
    {"run": CONDITIONAL, "class_": "4", "seed": "9", "n": "8", "temperature": "0.7"},
    {"run": OTHER, "all": "true", "seed": "5", "n": "2"},
    {"run": UNCONDITIONAL, "seed": "7", "n": "4"},
    {"run": OTHER, "compare": CONDITIONAL, "class_": "2"},
]


def from_link(page: str, text: str) -> AppTest:
    return open_page(page, **dict(parse_qsl(urlsplit(text).query)))


@pytest.mark.parametrize("link", SHARED, ids=lambda link: link["run"])
def test_the_link_on_the_page_opens_the_same_pictures(link, gallery):
    at = open_page("sampling", **link)
    again = from_link("sampling", at.code[0].value)
    assert not again.warning
    assert grids(again) == grids(at)
    assert again.code[0].value == at.code[0].value


# Sampling.


def test_class_and_seed_change_the_pictures_to_those_of_ganlib(gallery):
    at = open_page("sampling", run=CONDITIONAL)
    seen = [grids(at)]
    at = set_to(at, "select_slider", "class", "3")
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, range(16), [3] * 16))
    seen.append(grids(at))
    at = set_to(at, "number_input", "seed", 1000)
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, range(1000, 1016), [3] * 16))
    seen.append(grids(at))
    at = set_to(at, "select_slider", "n", 4)
    assert len(grids(at)[0]) == 4
    assert grids(at)[0] == seen[-1][0][:4]
    assert len({str(s) for s in seen}) == 3


def test_the_seed_slider_and_the_seed_field_follow_each_other(gallery):
    at = open_page("sampling")
    at = set_to(at, "slider", "seed_slider", 42)
    assert at.number_input(key="seed").value == 42
    by_slider = grids(at)
    at = set_to(at, "number_input", "seed", 7)
    assert at.slider(key="seed_slider").value == 7
    assert grids(at) != by_slider
    assert grids(set_to(at, "number_input", "seed", 42)) == by_slider


def test_the_last_seed_is_a_picture_and_nothing_comes_after_it(gallery):
    at = open_page("sampling", run=CONDITIONAL, seed=str(2**32 - 1))
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, CONDITIONAL, [2**32 - 1], [0]))


def test_each_picture_has_its_class_and_seed_as_text_and_its_seed_beneath(gallery):
    at = open_page("sampling", run=CONDITIONAL, class_="4", seed="5", n="2")
    (html,) = (h.value for h in at.get("html"))
    assert [html.count(text) for text in ('alt="4, seed 5"', 'alt="4, seed 6"', ">5</figcaption>")] == [1, 1, 1]


def test_all_classes_are_rows_of_the_same_seeds(gallery):
    at = open_page("sampling", run=OTHER, n="8")
    at = set_to(at, "toggle", "all", True)
    expected = direct(gallery, OTHER, list(range(8)) * 10, np.repeat(np.arange(10), 8))
    assert np.array_equal(arrays(grids(at)[0]), expected)
    assert not [s for s in at.select_slider if s.key == "class"]
    at = set_to(at, "select_slider", "n", 2)
    assert len(grids(at)[0]) == 20


@pytest.mark.parametrize("classes", [40, 300])
def test_all_classes_of_a_data_set_with_many(classes, use, tmp_path):
    use(tmp_path)
    with suppress(RunError):  # it names thirteen
        write_run(tmp_path / "many", "sngan", num_classes=classes, g_width=4, d_width=4)
    edit_recipe(tmp_path / "many", data__classes=[f"number {i}" for i in range(classes)])
    assert len(grids(open_page("sampling", all="true"))[0]) >= classes


def test_runs_are_compared_at_the_same_seeds_and_class(gallery):
    at = open_page("sampling", run=CONDITIONAL, class_="3", seed="5", n="4")
    at = fine(at.multiselect(key="compare").set_value([OTHER, UNCONDITIONAL]).run())
    assert [s.value for s in at.subheader] == [CONDITIONAL, OTHER, UNCONDITIONAL]
    first, second, third = (arrays(g) for g in grids(at))
    assert np.array_equal(first, direct(gallery, CONDITIONAL, range(5, 9), [3] * 4))
    assert np.array_equal(second, direct(gallery, OTHER, range(5, 9), [3] * 4))
    assert np.array_equal(third, direct(gallery, UNCONDITIONAL, range(5, 9)))
    assert len(at.get("download_button")) == 6


def test_runs_of_other_data_or_other_classes_are_no_comparison(own_gallery):
    for name, classes in (("one", 3), ("two", 3), ("other", 4)):  # all on data called "noise"
        write_run(own_gallery / name, num_classes=classes)
    assert open_page("sampling", run="one").multiselect(key="compare").options == ["two"]
    assert open_page("sampling", run=OTHER).multiselect(key="compare").options == [CONDITIONAL, UNCONDITIONAL]


def test_an_option_of_the_model_changes_the_pictures(gallery):
    at = open_page("sampling", run=OTHER)
    before = grids(at)
    at = set_to(at, "slider", "temperature", 0.5)
    assert grids(at) != before
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, OTHER, range(16), [0] * 16, temperature=0.5))
    at = set_to(at, "slider", "temperature", 0.0)
    assert len(set(grids(at)[0])) == 1  # nothing left of the seeds


def test_an_unconditional_run_hides_the_class_and_says_why(gallery):
    at = open_page("sampling", run=UNCONDITIONAL)
    assert not [s for s in at.select_slider if s.key == "class"]
    assert not [t for t in at.toggle if t.key == "all"]
    assert f"{UNCONDITIONAL} is unconditional" in texts(at)
    assert np.array_equal(arrays(grids(at)[0]), direct(gallery, UNCONDITIONAL, range(16)))
    at = set_to(at, "selectbox", "run", CONDITIONAL)
    assert at.select_slider(key="class").value == "0"


def test_another_run_with_other_classes_takes_over_the_seed(own_gallery):
    write_run(own_gallery / "noise-cdcgan")
    at = open_page("sampling", run=CONDITIONAL, class_="7", seed="5")
    at = set_to(at, "selectbox", "run", "noise-cdcgan")
    assert at.select_slider(key="class").value == "a"
    assert np.array_equal(arrays(grids(at)[0]), direct(own_gallery, "noise-cdcgan", range(5, 21), [0] * 16))


@pytest.mark.parametrize("link", [*SHARED[:3], {"run": CONDITIONAL, "seed": "4294967290", "temperature": "0.1234567"}])
def test_the_command_line_on_the_page_makes_the_same_picture(link, gallery, tmp_path, monkeypatch):
    at = open_page("sampling", **link)
    command = shlex.split(at.code[1].value)
    assert command[:3] == ["python", "-m", "ganlib"]
    monkeypatch.chdir(tmp_path)
    assert main(command[3:]) == 0
    shown = arrays(grids(at)[0])[..., None]
    columns = int(link["n"]) if "all" in link else min(8, len(shown))
    assert np.array_equal(np.asarray(Image.open("grid.png")), np.asarray(grid(shown, columns)))


def test_two_roots_may_hold_runs_of_one_name(gallery, tmp_path, monkeypatch):
    write_run(tmp_path / "mine" / CONDITIONAL)
    monkeypatch.setenv("GANLIB_RUNS", str(tmp_path / "mine"))
    name = f"mine/{CONDITIONAL}"
    at = open_page("sampling", run=name)
    assert not at.warning
    assert at.select_slider(key="class").options == ["a", "b", "c"]
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(at.code[1].value)[3:]) == 0
    assert np.array_equal(np.asarray(Image.open("grid.png"))[:16, :16], arrays(grids(at)[0])[0])
    for page in PAGES:
        open_page(page)


# Options that the seed decides until they are set.


@pytest.fixture(scope="module")
def able_runs(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("able")
    add_able_runs(root)
    write_run(root / "more-codes", "infogan", categories=[20])
    write_run(root / "two-codes", "infogan", categories=[3, 5])
    write_run(root / "long-canvas", "gran", steps=16)
    write_run(root / "plain", "dcgan")
    return root


@pytest.fixture
def able(able_runs, use) -> Path:
    return use(able_runs)


def codes(at: AppTest) -> dict[str, str]:
    return {s.key: s.value for s in at.select_slider if s.key in ("c1", "c2", "c3")}


FREE = {"c1": "from seed", "c2": "from seed", "c3": "from seed"}


def test_a_code_is_the_seeds_until_it_is_set(able):
    at = open_page("sampling", run=CODES)
    assert codes(at) == FREE
    assert at.select_slider(key="c1").options == ["from seed", "0", "1", "2"]
    tenths = [f"{i / 10:g}" for i in range(-20, 21)]
    assert at.select_slider(key="c2").options == ["from seed", *tenths]
    free = arrays(grids(at)[0])
    assert np.array_equal(free, direct(able, CODES, range(16)))
    at = set_to(at, "select_slider", "c1", "2")
    assert np.array_equal(arrays(grids(at)[0]), direct(able, CODES, range(16), c1=2))
    at = set_to(at, "select_slider", "c2", "-0.3")
    assert np.array_equal(arrays(grids(at)[0]), direct(able, CODES, range(16), c1=2, c2=-0.3))
    assert not np.array_equal(arrays(grids(at)[0]), free)
    at = set_to(at, "select_slider", "c1", "from seed")
    at = set_to(at, "select_slider", "c2", "from seed")
    assert np.array_equal(arrays(grids(at)[0]), free)


@pytest.mark.parametrize("link", [{"c1": "1", "c2": "-0.3"}, {"c1": "from seed", "c3": "0"}, {}], ids=str)
def test_a_link_and_a_command_line_keep_the_codes(link, able, tmp_path, monkeypatch):
    at = open_page("sampling", run=CODES, n="4", **link)
    assert codes(at) == FREE | link
    shared = dict(parse_qsl(urlsplit(at.code[0].value).query))
    assert {name: shared[name] for name in FREE} == FREE | link
    again = from_link("sampling", at.code[0].value)
    assert not again.warning
    assert grids(again) == grids(at)
    assert again.code[0].value == at.code[0].value
    assert "from seed" not in at.code[1].value
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(at.code[1].value)[3:]) == 0
    assert np.array_equal(np.asarray(Image.open("grid.png")), np.asarray(grid(arrays(grids(at)[0])[..., None], 4)))


@pytest.mark.parametrize(
    ("key", "value"), [("c1", "3"), ("c1", "-1"), ("c1", "0.5"), ("c1", "seed"), ("c2", "2.1"), ("c2", "nan")]
)
def test_a_code_that_cannot_be_is_one_sentence_over_the_seeds_own(key, value, able):
    at = open_page("sampling", run=CODES, **{key: value})
    assert [is_one_sentence(w.value) for w in at.warning] == [True]
    assert "it can be from seed or " in at.warning[0].value
    assert codes(at) == FREE
    assert np.array_equal(arrays(grids(at)[0]), direct(able, CODES, range(16)))


@pytest.mark.parametrize(
    ("run", "link", "other", "left"),
    [
        ("more-codes", {"c1": "15"}, CODES, {}),
        ("more-codes", {"c1": "2", "c3": "1"}, CODES, {"c1": "2", "c3": "1"}),
        (CODES, {"c2": "-0.3", "c3": "0.5"}, "two-codes", {"c3": "0.5"}),
        (CODES, {"c2": "1"}, "two-codes", {"c2": "1"}),  # a number there, one of five here
    ],
)
@pytest.mark.parametrize("page", ["sampling", "interpolation"])
def test_another_run_takes_over_the_codes_that_it_has(page, run, link, other, left, able):
    at = open_page(page, run=run, **link)
    at = set_to(at, "selectbox", "run", other)
    assert not at.error
    assert not at.warning
    assert codes(at) == FREE | left
    options = {name: float(value) for name, value in left.items()}
    if page == "sampling":
        assert np.array_equal(arrays(grids(at)[0]), direct(able, other, range(16), **options))
    else:
        assert np.array_equal(arrays(strip(at)), interpolate(model(able, other), (0, 1), None, 24, **options)[..., 0])


def test_a_run_without_codes_and_back(able):
    at = set_to(open_page("sampling", run=CODES, c1="1"), "selectbox", "run", "plain")
    assert codes(at) == {}
    assert np.array_equal(arrays(grids(at)[0]), direct(able, "plain", range(16)))
    assert codes(set_to(at, "selectbox", "run", CODES)).keys() == FREE.keys()


def test_compared_runs_follow_the_codes_as_far_as_they_can(able):
    at = open_page("sampling", run="more-codes", compare=CODES, c1="15", c2="0.5", n="4")
    first, second = (arrays(g) for g in grids(at))
    assert np.array_equal(first, direct(able, "more-codes", range(4), c1=15, c2=0.5))
    assert np.array_equal(second, direct(able, CODES, range(4), c2=0.5))
    at = set_to(at, "select_slider", "c1", "2")
    assert np.array_equal(arrays(grids(at)[1]), direct(able, CODES, range(4), c1=2, c2=0.5))


def test_an_interpolation_holds_the_codes_and_its_link_keeps_them(able):
    at = open_page("interpolation", run=CODES, frames="5")
    free = arrays(strip(at))
    assert np.array_equal(free, interpolate(model(able, CODES), (0, 1), None, 5)[..., 0])
    at = set_to(at, "select_slider", "c1", "2")
    held = arrays(strip(at))
    assert np.array_equal(held, interpolate(model(able, CODES), (0, 1), None, 5, c1=2)[..., 0])
    assert not np.array_equal(held, free)
    again = from_link("interpolation", at.code[0].value)
    assert not again.warning
    assert codes(again) == FREE | {"c1": "2"}
    assert strip(again) == strip(at)


# Steps.


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
    assert "Shown for 8 of the 16 pictures" in texts(at)


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


# Interpolation.


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal up to float error: another batch may round a pixel to the next of 256 levels."""
    return a.shape == b.shape and int(np.abs(a.astype(int) - b.astype(int)).max()) <= 1


def test_both_ends_are_the_sampling_pages_pictures(gallery):
    walk = open_page("interpolation", run=OTHER, seed_a="11", class_a="2", seed_b="12", class_b="9", frames="7")
    ends = [
        grids(open_page("sampling", run=OTHER, seed=s, class_=c, n="1"))[0][0] for s, c in (("11", "2"), ("12", "9"))
    ]
    frames = strip(walk)
    assert len(frames) == 7
    assert close(pixels(frames[0]), pixels(ends[0]))
    assert close(pixels(frames[-1]), pixels(ends[1]))
    assert len(set(frames)) == 7
    expected = interpolate(model(gallery, OTHER), (11, 12), (2, 9), 7)[..., 0]
    assert np.array_equal(arrays(frames), expected)


def test_the_animation_shows_the_film_strip_there_and_back(gallery):
    at = open_page("interpolation", run=CONDITIONAL, frames="6", fps="20")
    frames = arrays(strip(at))
    with animation(at) as gif:
        assert gif.n_frames == 10
        assert gif.info["duration"] == 50
        for i, frame in enumerate([*frames, *frames[-2:0:-1]]):
            gif.seek(i)
            assert close(np.asarray(gif.convert("L"))[8::16, 8::16], frame)


def test_a_class_changes_into_another_at_a_fixed_seed(gallery):
    at = open_page("interpolation", run=OTHER, seed_a="3", frames="5")
    at = set_to(at, "toggle", "same_seed", True)
    assert [n.key for n in at.number_input] == ["seed_a"]
    at = set_to(at, "select_slider", "class_b", "8")
    assert np.array_equal(arrays(strip(at)), interpolate(model(gallery, OTHER), (3, 3), (0, 8), 5)[..., 0])
    assert len(set(strip(at))) > 2


@pytest.mark.parametrize("path", ["lerp", "slerp"])
def test_the_path_is_the_one_chosen(path, gallery):
    at = open_page("interpolation", run=UNCONDITIONAL, frames="9", path=path)
    expected = interpolate(model(gallery, UNCONDITIONAL), (0, 1), None, 9, path=path)[..., 0]
    assert np.array_equal(arrays(strip(at)), expected)


def test_an_unconditional_run_is_walked_from_seed_to_seed(gallery):
    at = open_page("interpolation", run=UNCONDITIONAL)
    assert not at.select_slider
    assert "Animation from seed 0 to seed 1 and back" in " ".join(h.value for h in at.get("html"))


def test_seeds_frames_and_options_change_the_walk(gallery):
    at = open_page("interpolation", run=CONDITIONAL)
    seen = [strip(at)]
    for kind, key, value in [
        ("number_input", "seed_b", 99),
        ("slider", "seed_a_slider", 5),
        ("slider", "frames", 4),
        ("slider", "temperature", 0.5),
    ]:
        at = set_to(at, kind, key, value)
        seen.append(strip(at))
    assert len({str(frames) for frames in seen}) == 5
    assert len(seen[-1]) == 4


def test_the_link_of_an_interpolation_opens_the_same(gallery):
    at = open_page("interpolation", run=OTHER, seed_a="4", class_a="1", class_b="6", frames="3", path="lerp")
    again = from_link("interpolation", at.code[0].value)
    assert not again.warning
    assert strip(again) == strip(at)


# Curves.


def lines(at: AppTest) -> dict[str, list[dict[str, Any]]]:
    """Traces by run."""
    (chart,) = charts(at)
    found: dict[str, list[dict[str, Any]]] = {}
    for trace in chart["data"]:
        found.setdefault(trace["name"], []).append(trace)
    return found


def test_curves_open_on_the_losses_of_all_runs_of_one_data_set(gallery):
    at = open_page("curves")
    assert sorted(at.multiselect(key="runs").value) == sorted(RUNS)
    assert at.multiselect(key="tags").value == ["loss/D", "loss/G"]
    assert sorted(lines(at)) == sorted(RUNS)
    colours = {run: traces[0]["line"]["color"] for run, traces in lines(at).items()}
    assert colours == {run: ARCHITECTURE_COLOURS[run.removeprefix("digits-")] for run in RUNS}


def test_runs_and_scalars_are_chosen_freely(gallery):
    at = open_page("curves", smooth="0")
    at = fine(at.multiselect(key="runs").set_value([OTHER, UNCONDITIONAL]).run())
    at = fine(at.multiselect(key="tags").set_value(["loss/G", "D/real", "grad/D"]).run())
    assert {run: len(traces) for run, traces in lines(at).items()} == {OTHER: 3, UNCONDITIONAL: 3}
    titles = [a["text"] for a in charts(at)[0]["layout"]["annotations"]]
    assert sorted(titles) == ["D/real", "grad/D", "loss/G"]


def test_smoothing_keeps_the_raw_line_faint_behind(gallery):
    at = open_page("curves", runs=OTHER, tags="loss/G", smooth="0.9")
    raw, smooth = lines(at)[OTHER]
    assert raw["opacity"] < 1
    assert smooth["opacity"] == 1
    at = set_to(at, "slider", "smooth", 0.0)
    assert len(lines(at)[OTHER]) == 1


@pytest.mark.parametrize(
    ("axis", "title"), [("images", "images seen"), ("steps", "training steps"), ("time", "minutes")]
)
def test_the_horizontal_axis_is_images_steps_or_time(axis, title, gallery):
    at = open_page("curves", runs=OTHER, tags="loss/G", smooth="0")
    at = set_to(at, "segmented_control", "x", axis)
    (chart,) = charts(at)
    assert title in chart["layout"]["xaxis"]["title"]["text"]


def test_values_may_be_shown_on_a_logarithmic_scale(gallery):
    at = open_page("curves", runs=OTHER, tags="grad/G")
    assert charts(at)[0]["layout"]["yaxis"].get("type") != "log"
    at = set_to(at, "toggle", "log", True)
    assert charts(at)[0]["layout"]["yaxis"]["type"] == "log"


def test_growth_is_marked_where_a_run_grew(own_gallery):
    assert not open_page("curves", runs=OTHER).toggle(key="log").value
    assert "growth" not in {toggle.key for toggle in open_page("curves", runs=OTHER).toggle}
    log = own_gallery / OTHER / "log.csv"
    head, *rows = log.read_text().splitlines()
    half = len(rows) // 2
    sizes = [8] * half + [16] * (len(rows) - half)
    log.write_text("\n".join([f"{head},resolution", *(f"{r},{s}" for r, s in zip(rows, sizes, strict=True))]) + "\n")
    at = open_page("curves", runs=OTHER, tags="loss/G")
    (mark,) = charts(at)[0]["layout"]["shapes"]
    assert mark["x0"] == mark["x1"] == int(rows[half].split(",")[1])
    assert "16 px" in [a["text"] for a in charts(at)[0]["layout"]["annotations"]]
    at = set_to(at, "toggle", "growth", False)
    assert not charts(at)[0]["layout"].get("shapes")


@pytest.mark.parametrize("key", ["runs", "tags"])
def test_nothing_chosen_is_said_and_the_sidebar_stays(key, gallery):
    at = open_page("curves")
    at = fine(at.multiselect(key=key).set_value([]).run())
    assert "Choose at least one run" in at.info[0].value
    assert at.sidebar.selectbox(key="device")


def test_pictures_follow_the_training(gallery):
    at = open_page("curves", runs=CONDITIONAL)
    last = at.get("html")[0].value
    assert f"after {IMAGES} training images" in last
    at = set_to(at, "select_slider", "at", "0")
    first = at.get("html")[0].value
    assert "after 0 training images" in first
    assert pictures(first, "webp") == [(gallery / CONDITIONAL / "samples" / "0.webp").read_bytes()]
    assert pictures(first, "webp") != pictures(last, "webp")


def test_curves_of_a_run_whose_weights_are_gone_are_still_shown(own_gallery):
    (own_gallery / OTHER / "weights.safetensors").unlink()
    at = open_page("curves", runs=OTHER)
    assert list(lines(at)) == [OTHER]


def test_a_log_that_grows_is_read_again(own_gallery):
    at = open_page("curves", runs=OTHER, tags="loss/G", smooth="0")
    log = own_gallery / OTHER / "log.csv"
    *_, last = log.read_text().splitlines()
    step = int(last.split(",")[0])
    with log.open("a") as f:
        f.write(last.replace(f"{step},", f"{step + 2},", 1) + "\n")
    before = len(
        lines(at)[OTHER][0]["x"]["bdata"] if isinstance(lines(at)[OTHER][0]["x"], dict) else lines(at)[OTHER][0]["x"]
    )
    again = lines(fine(at.run()))[OTHER][0]["x"]
    assert len(again["bdata"] if isinstance(again, dict) else again) > before


# FID.


def bars(at: AppTest) -> dict[str, Any]:
    (chart,) = charts(at)
    (bar,) = (trace for trace in chart["data"] if trace["type"] == "bar")
    return bar


def protocol_of(at: AppTest) -> Any:
    (box,) = (box for box in at.selectbox if box.label == "Protocol")
    return box


def test_bars_are_sorted_and_named_after_the_extractor(gallery):
    at = open_page("fid")
    assert bars(at)["y"] == [CONDITIONAL, OTHER]
    assert charts(at)[0]["layout"]["yaxis"]["autorange"] == "reversed"  # the lowest on top
    title = charts(at)[0]["layout"]["xaxis"]["title"]["text"]
    assert "embedded classifier" in title
    assert title != "FID"
    table = at.dataframe[0].value
    assert list(table["Run"]) == [CONDITIONAL, OTHER]
    assert list(table["FID"]) == [6.5, 8.25]
    assert list(table["Low"]) == [5.5, 7.25]
    assert list(table["Images seen"]) == [IMAGES, IMAGES]


def test_two_protocols_never_share_a_chart(gallery):
    at = open_page("fid")
    assert UNCONDITIONAL not in str(charts(at))
    assert UNCONDITIONAL not in list(at.dataframe[0].value["Run"])
    assert f"another protocol, so not ranked here: {UNCONDITIONAL}" in texts(at)
    protocols = protocol_of(at)
    assert len(protocols.options) == 2
    assert "1,000 generated" in protocols.options[0]
    assert "500 generated" in protocols.options[1]
    at = fine(protocols.select_index(1).run())
    assert bars(at)["y"] == [UNCONDITIONAL]
    assert f"not ranked here: {CONDITIONAL}, {OTHER}" in texts(at)


PROTOCOL_CHANGES: list[dict[str, Any]] = [
    {"n_real": 360},
    {"reference": {"data": "digits", "split": "test", "fingerprint": "0123456789abcdef"}},
    {"reference": {"data": "digits", "split": "train", "fingerprint": "fedcba9876543210"}},
    {"extractor_hash": "ffffffffffff"},
    {"extractor": "inception", "extractor_name": "inception-v3-compat"},
    {"resizer": "bilinear"},
    {"options": {"temperature": 0.5}},
]


@pytest.mark.parametrize("change", PROTOCOL_CHANGES, ids=lambda change: next(iter(change)))
def test_any_difference_of_protocol_keeps_runs_apart(change, own_gallery):
    protocol = json.loads((own_gallery / CONDITIONAL / "evaluation.json").read_text())["records"][0]["protocol"]
    (own_gallery / CONDITIONAL / "evaluation.json").unlink()
    score(own_gallery / CONDITIONAL, 3.0, protocol=protocol | change)
    at = open_page("fid")
    assert len(bars(at)["y"]) == 1
    assert len(set(protocol_of(at).options)) == 3
    assert "not ranked here" in texts(at)


def test_a_link_opens_its_protocol(own_gallery):
    score(own_gallery / CONDITIONAL, 3.0, n_fake=500)
    first = open_page("fid")
    (other,) = set(protocol_of(first).options) - {protocol_of(first).value}
    at = open_page("fid", protocol=other)
    assert not at.warning
    assert list(at.dataframe[0].value["FID"]) == [3.0, 30.0]


def test_class_agreement_of_other_images_is_not_shown_beside_a_score(own_gallery):
    protocol = json.loads((own_gallery / CONDITIONAL / "evaluation.json").read_text())["records"][0]["protocol"]
    mine = protocol | {"n_real": 0, "reference": None}
    score(own_gallery / CONDITIONAL, 0.75, metric="class_agreement", protocol=mine)
    score(own_gallery / CONDITIONAL, 0.99, metric="class_agreement", protocol=mine | {"options": {"temperature": 0.5}})
    table = open_page("fid").dataframe[0].value.set_index("Run")
    assert table["Class agreement"][CONDITIONAL] == 75.0
    assert np.isnan(table["Class agreement"][OTHER])


def test_scores_of_earlier_weights_and_of_snapshots_are_left_out(own_gallery):
    (own_gallery / OTHER / "evaluation.json").unlink()
    score(own_gallery / OTHER, 1.0, weights_hash="000000000000")
    score(own_gallery / OTHER, 2.0, snapshot=320)
    at = open_page("fid")
    assert bars(at)["y"] == [CONDITIONAL]
    assert f"Not evaluated with their present weights: {OTHER}" in texts(at)


def test_only_stale_scores_are_like_none(own_gallery):
    for name in RUNS:
        (own_gallery / name / "evaluation.json").unlink()
        score(own_gallery / name, 1.0, weights_hash="000000000000")
    at = open_page("fid")
    assert not charts(at)
    assert "present weights" in at.info[0].value
    assert at.code[0].value.startswith("python -m ganlib evaluate")


def test_of_two_evaluations_of_the_same_weights_the_latest_counts(own_gallery):
    score(own_gallery / OTHER, 5.0, date="2026-11-21T10:00:00+00:00")
    score(own_gallery / OTHER, 6.0, date="2026-11-19T10:00:00+00:00")
    assert list(open_page("fid").dataframe[0].value["FID"]) == [5.0, 6.5]


def test_a_doubtful_score_is_shown_with_its_doubt(own_gallery):
    score(own_gallery / OTHER, 5.0, date="2026-11-21T10:00:00+00:00", warning="Only 100 generated images.")
    at = open_page("fid")
    assert [w.value for w in at.warning] == ["Only 100 generated images."]


def test_scores_of_a_broken_run_are_not_ranked(own_gallery):
    (own_gallery / OTHER / "config.json").write_text("{")
    assert bars(open_page("fid"))["y"] == [CONDITIONAL]
