"""Pages over run folders and links as nobody makes them in good faith: each stays a page, all texts stay texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from helpers.hostile_runs import KEYS, MARKUP, NAMES, PICTURE, REFUSED, add_hostile_runs
from helpers.streamlit_app import charts, every_page, has_content, open_page, values
from helpers.tiny_models import write_run

PLAIN = {
    "arrow_data_frame",
    "code_block",
    "multiselect",
    "plotly_chart",
    "selectbox",
    "text_input",
}  # show text as it is
MARKDOWN = {"body", "label", "text", "help", "content", "captions", "options"}  # fields of the others


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    write_run(root / "good")
    add_hostile_runs(root)
    return root


def markdown(at: AppTest) -> Iterator[str]:
    """All that Streamlit would read as Markdown."""

    def strings(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from strings(part)

    def walk(node: Any) -> Iterator[str]:
        for child in getattr(node, "children", {}).values():
            yield from walk(child)
        proto = getattr(node, "proto", None)
        if proto is not None and node.type not in PLAIN:
            fields = MessageToDict(proto)
            yield from (text for key in MARKDOWN & fields.keys() for text in strings(fields[key]))

    for block in (at.main, at.sidebar):
        yield from walk(block)


def assert_only_texts(at: AppTest) -> None:
    html = values(at, "html")
    read_as_markdown = [text for text in markdown(at) if text not in html]
    assert read_as_markdown
    assert [text for text in read_as_markdown if any(mark in text for mark in MARKUP)] == []
    assert [text for text in html if "<img src=http" in text] == []
    assert [chart for chart in charts(at) if "<img src=http" in str(chart)] == []


@every_page
def test_hostile_folders_cost_a_page_nothing_but_themselves(name, hostile, use):
    use(hostile)
    at = open_page(name)
    assert [e.value for e in at.error] == []
    assert has_content(at) or (name == "guessing" and at.info)  # whose runs' data are nowhere
    (expander,) = (e for e in at.expander if "unusable" in e.label)
    assert expander.label == f"{len(REFUSED) + 1} unusable runs"
    assert all("\n" not in m.value and len(m.value) < 600 for m in expander.markdown)
    assert_only_texts(at)


@every_page
def test_whatever_a_link_holds_is_shown_as_text(name, gallery):
    at = open_page(name, **dict.fromkeys(KEYS, PICTURE))
    assert [e.value for e in at.error] == []
    assert_only_texts(at)


@pytest.mark.parametrize("page", ["sampling", "interpolation"])
@pytest.mark.parametrize("name", [*NAMES, "marked"])
def test_a_run_of_any_name_and_classes_is_shown_as_text(page, name, hostile, use):
    use(hostile)
    at = open_page(page, run=name)
    assert not at.error
    assert at.selectbox(key="run").value == name
    assert_only_texts(at)
    if name == "marked":
        key = "class" if page == "sampling" else "class_a"
        assert at.selectbox(key=key).options == list(MARKUP[:3])


@pytest.mark.parametrize("axis", ["steps", "images", "time"])
def test_logs_of_extreme_numbers_are_drawn(axis, hostile, use):
    use(hostile)
    at = open_page("curves", runs=[f"log-{i}" for i in range(4)], x=axis, log="true", log_x="true", clip="true")
    assert not at.error
    assert charts(at)
    assert_only_texts(at)
