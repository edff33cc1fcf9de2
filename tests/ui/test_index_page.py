"""The first HTML page that a browser gets."""

from __future__ import annotations

import re

import pytest
from starlette.requests import Request

from ganlib.ui.index_page import CHARTS, RESERVED, SCRIPT, STATIC, index_html, index_routes
from ganlib.ui.navigation import PAGES
from helpers.gallery import PROJECT


def test_heights_are_reserved_keys_heard_and_charts_loaded_before_streamlits_own_code():
    original = (STATIC / "index.html").read_text()
    for page in PAGES:
        html = index_html(page)
        added = html.partition("</head>")[0].removeprefix(original.partition("</head>")[0])
        assert RESERVED.read_text() in added
        assert SCRIPT.read_text() in added
        assert html.replace(added, "", 1) == original
        scripts = re.findall(r'src="(.*?)"', added)
        assert len(scripts) == (page in CHARTS)
        assert all((STATIC / script).is_file() for script in scripts)


def test_reserved_heights_are_of_widgets_that_exist():
    sources = "".join(path.read_text() for path in [*PROJECT.glob("ganlib/ui/*.py"), *PROJECT.glob("pages/*.py")])
    keys = set(re.findall(r"st-key-(\w+)", RESERVED.read_text()))
    assert len(keys) > 20
    assert sorted(key for key in keys if f'"{key}' not in sources) == []


@pytest.mark.parametrize("base", ["", "demo", "/demo/"])
def test_every_page_has_an_address(base):
    routes = {route.path: route for route in index_routes(base)}
    assert sorted(routes) == sorted(f"{base and '/demo'}/{page.removeprefix('home')}" for page in PAGES)
    for page in PAGES:
        answer = routes[f"{base and '/demo'}/{page.removeprefix('home')}"].endpoint(Request({"type": "http"}))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert answer.body.decode() == index_html(page)
