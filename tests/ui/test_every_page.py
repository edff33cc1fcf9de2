"""Every page on a small gallery, on none, and on a damaged one."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import pytest
import streamlit as st

from ganlib.runs import scan
from ganlib.ui import cards, catalog, controls, curves, experiments, interpolation, score_controls
from ganlib.ui.names import run_labels
from helpers.gallery import BROKEN, CONDITIONAL, MISFITS, OTHER, RUNS, add_broken_runs
from helpers.streamlit_app import (
    PAGES,
    WITHOUT_SIDEBAR,
    charts,
    every_page,
    fine,
    grids,
    has_content,
    is_one_sentence,
    open_page,
    run_names,
    set_to,
    strip,
)
from helpers.tiny_models import write_run


@every_page
def test_a_page_opens_with_its_title_and_content(name, gallery):
    at = open_page(name)
    assert at.header[0].value == PAGES[name]
    assert not at.error
    assert not at.warning
    assert not at.info
    assert has_content(at)
    if name not in WITHOUT_SIDEBAR:
        assert at.sidebar.selectbox(key="device").value == "auto"
    assert not [e for e in at.expander if "unusable" in e.label]


@pytest.fixture
def shown_spinners(monkeypatch):
    """The texts of those that are shown at the moment."""
    shown = []

    @contextmanager
    def spinner(text):
        shown.append(text)
        yield
        shown.pop()

    monkeypatch.setattr(st, "spinner", spinner)
    return shown


@every_page
def test_a_page_says_that_it_reads_the_runs_as_long_as_it_does(name, gallery, shown_spinners, monkeypatch):
    meanwhile = []
    scan_runs = catalog._scan
    monkeypatch.setattr(catalog, "_scan", lambda files: meanwhile.append([*shown_spinners]) or scan_runs(files))
    open_page(name)
    assert meanwhile[0] == ["Reading the runs …"]


def test_the_page_of_experiments_says_that_it_reads_them(gallery, shown_spinners, monkeypatch):
    meanwhile = []
    read = experiments.results
    monkeypatch.setattr(experiments, "results", lambda: meanwhile.append([*shown_spinners]) or read())
    open_page("experiments")
    assert meanwhile == [["Reading what was measured …"]]


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
    assert list(tmp_path.iterdir()) == ([] if kind == "absent" else [root])


@pytest.mark.parametrize("name", ["gallery", "curves"])
def test_two_roots_are_both_named(name, use, tmp_path, monkeypatch):
    use(tmp_path / "one")
    monkeypatch.setenv("GANLIB_RUNS", str(tmp_path / "two"))
    at = open_page(name)
    assert str(tmp_path / "one") in at.info[0].value
    assert str(tmp_path / "two") in at.info[0].value


@every_page
def test_broken_runs_are_named_and_leave_the_page_usable(name, damaged, use):
    use(damaged)
    at = open_page(name)
    assert not at.error
    assert not at.info
    assert has_content(at)
    (expander,) = (e for e in at.expander if "unusable" in e.label)
    assert expander.label == f"{len(BROKEN)} unusable runs"
    sentences = [m.value for m in expander.markdown]
    for broken in BROKEN:
        (sentence,) = (s for s in sentences if f"/{broken}" in s)
        assert is_one_sentence(sentence)


def run_options(page: str) -> list[str]:
    return open_page(page).selectbox(key="run").options


def test_the_good_runs_stay_in_every_list(damaged, use):
    use(damaged)
    usable = set(RUNS) | set(MISFITS)
    labels = sorted(run_labels(run for run in scan([damaged])[0] if run.name in usable).values())
    assert sorted(run_options("sampling")) == sorted(run_options("interpolation")) == labels
    assert len(labels) == len(usable)
    assert set(run_names(open_page("gallery"))) == usable
    trained = run_labels(run for run in scan([damaged])[0] if run.name in RUNS)
    assert set(open_page("curves").multiselect(key="runs").options) == set(trained.values())


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
    at = set_to(at, "text_input", "seed", "5")
    assert [e.label for e in at.sidebar.expander if "unusable" in e.label] == ["1 unusable run"]
    assert at.selectbox(key="run").value != CONDITIONAL
    assert grids(at)


def test_a_run_that_appears_while_the_page_is_open_can_be_chosen(own_gallery):
    at = open_page("sampling", run=CONDITIONAL)
    write_run(own_gallery / "new")
    at = fine(at.run())
    assert at.selectbox(key="run").value == CONDITIONAL
    at = set_to(at, "selectbox", "run", "new")
    assert at.segmented_control(key="class").options == ["a", "b", "c"]
    assert len(grids(at)[0]) == 16


@pytest.mark.parametrize(
    ("name", "module", "step", "sentences"),
    [
        ("gallery", controls, "pick_data", 1),
        ("sampling", controls, "pick_seeds", 1),
        ("interpolation", interpolation, "pick_interpolation", 1),
        ("curves", curves, "pick_range", 0),
        ("fid", score_controls, "pick_metric", 0),
    ],
)
def test_a_run_removed_while_a_page_is_drawn_costs_it_a_sentence_at_most(
    name, module, step, sentences, own_gallery, monkeypatch
):
    as_it_is = getattr(module, step)

    def remove_first(*args, **options):
        shutil.rmtree(own_gallery / CONDITIONAL)
        return as_it_is(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, step, remove_first)
        at = open_page(name)
    assert len(at.error) <= sentences
    assert all(is_one_sentence(error.value) for error in at.error)
    assert not fine(at.run()).error


def test_a_file_removed_while_a_page_is_drawn_is_one_sentence(own_gallery, monkeypatch):
    gone = own_gallery / CONDITIONAL / "gone.webp"
    with monkeypatch.context() as patch:
        patch.setattr(cards, "draw_cards", lambda *args, **options: gone.read_bytes())
        at = open_page("gallery")
    assert [error.value for error in at.error] == [f"{gone} was removed while this page was drawn; reload it."]


def test_only_broken_runs_are_like_none_but_named(use, tmp_path):
    use(tmp_path)
    add_broken_runs(tmp_path)
    for name in MISFITS:
        shutil.rmtree(tmp_path / name)
    at = open_page("sampling")
    assert len(at.info) == 1
    assert [e.label for e in at.sidebar.expander] == [f"{len(BROKEN)} unusable runs"]


@pytest.mark.parametrize(
    ("page", "file"),
    [("home", "evaluation.json"), ("gallery", "evaluation.json"), ("fid", "evaluation.json"), ("curves", "log.csv")],
)
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b'{"records": 3}', b"step,images\n1,x\n"], ids=range(4))
def test_a_damaged_record_or_log_is_one_warning_and_the_others_stay(page, file, content, own_gallery):
    (own_gallery / CONDITIONAL / file).write_bytes(content)
    at = open_page(page)
    assert len(at.warning) == 1
    assert f"{CONDITIONAL}/{file}" in at.warning[0].value
    assert is_one_sentence(at.warning[0].value)
    assert page in WITHOUT_SIDEBAR or OTHER in str(charts(at))
