"""The server itself: what it gives to whom."""

from __future__ import annotations

import http.client
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from helpers.gallery import PROJECT
from helpers.server import serve
from helpers.tiny_models import write_run

pytestmark = pytest.mark.slow

UP = "../" * 12
OUTSIDE = (
    f"/component/streamlit_drawable_canvas.st_canvas/{UP}etc/passwd",
    f"/component/streamlit_drawable_canvas.st_canvas/{UP.replace('/', '%2f')}etc/passwd",
    "/component/streamlit_drawable_canvas.st_canvas//etc/passwd",
    "/component/streamlit_drawable_canvas.st_canvas/\\\\127.0.0.1\\share\\x",
    "/component/streamlit_drawable_canvas.st_canvas/%5c%5c127.0.0.1%5cshare%5cx",
    f"/static/{UP}etc/passwd",
    "/static/..%5c..%5c..%5cetc%5cpasswd",
    f"/app/static/{UP}etc/passwd",
    "/app/static/../static_secret/x",
    f"/media/{UP}etc/passwd",
    f"/{UP}etc/passwd",
    "/pages/home.py",
    "/.streamlit/config.toml",
    "/checkpoints/queue.toml",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    gallery = tmp_path_factory.mktemp("gallery")
    write_run(gallery / "run")
    with serve(gallery, tmp_path_factory.mktemp("server")) as address:
        yield address


def request(server: str, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    """As it is written: urllib would tidy the path."""
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
    connection.putrequest(method, path)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content


@pytest.mark.parametrize("path", OUTSIDE)
def test_cve_2022_35918_2024_42474_2026_33682_no_file_outside_is_served(path, server):
    status, content = request(server, "GET", path)
    assert status < 500
    assert b"root:" not in content
    assert status in (301, 302, 307, 308, 400, 403, 404) or b'<div id="root">' in content  # the app's own page


def test_an_upload_without_a_session_or_its_token_is_refused(server):
    for method in ("PUT", "POST", "DELETE"):
        status, _ = request(server, method, "/_stcore/upload_file/session/file", Content_Length="0")
        assert status in (400, 403, 404, 405)


def test_a_page_of_another_site_opens_no_session(server):
    """The browser says where a websocket is asked for from."""
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    handshake["Sec_WebSocket_Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    status, _ = request(server, "GET", "/_stcore/stream", Origin="http://example.org", **handshake)
    assert status in (400, 403)


def test_a_name_that_another_site_gave_to_this_machine_opens_no_session(server):
    """DNS rebinding: to the browser both are one site."""
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    handshake["Sec_WebSocket_Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
    connection.putrequest("GET", "/_stcore/stream", skip_host=True)
    for name, value in (handshake | {"Host": "example.org", "Origin": "http://example.org"}).items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)
    connection.close()


def test_settings_keep_the_server_to_this_machine():
    settings = tomllib.loads((Path(PROJECT) / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    server, browser = settings["server"], settings["browser"]
    assert server["address"] == "127.0.0.1"
    assert set(server["allowedHosts"]) == {"localhost", "127.0.0.1"}
    assert server["enableXsrfProtection"]
    assert server["enableCORS"]
    assert not server["enableStaticServing"]
    assert server["maxUploadSize"] <= 200
    assert server["maxMessageSize"] <= 200
    assert not browser["gatherUsageStats"]
    assert settings["client"]["showErrorDetails"] in ("type", "none")
