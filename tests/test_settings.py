"""What the environment sets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganlib import settings
from ganlib.errors import GanlibError

PROJECT = Path(__file__).parents[1]
VARIABLES = set(re.findall(r"^(GANLIB_\w+)  ", settings.__doc__ or "", re.MULTILINE))


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_the_environment_adds_roots_or_replaces_the_gallery(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLIB_RUNS", f"{tmp_path / 'x'}:{tmp_path / 'y'}")
    usual = [PROJECT / "checkpoints", Path("runs"), PROJECT / "experiments" / "runs"]
    assert settings.run_roots() == [*usual, tmp_path / "x", tmp_path / "y"]
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "g"))
    assert [root.name for root in settings.run_roots()] == ["g", "x", "y"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLIB_RUNS", "g:x:./g:x/../y")
    assert [str(r) for r in settings.run_roots()] == [str(tmp_path / "g"), "x", "x/../y"]  # each once


def test_data_sets_are_looked_for_where_the_caller_says_first(tmp_path, monkeypatch):
    default = tmp_path / "home/.cache/ganlib/data"
    assert settings.data_roots() == (default,)
    monkeypatch.setenv("GANLIB_DATA", "~/sets")
    assert settings.data_roots(tmp_path) == (tmp_path, tmp_path / "home/sets", default)


def test_the_caches_lie_in_the_home_folder_or_where_the_environment_says(tmp_path, monkeypatch):
    home = tmp_path / "home/.cache/ganlib"
    assert (settings.array_cache(), settings.reference_cache()) == (home / "arrays", home / "references")
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "c"))
    assert (settings.array_cache(), settings.reference_cache()) == (tmp_path / "c", tmp_path / "c/references")


def test_logs_are_looked_for_in_several_folders(monkeypatch):
    assert settings.log_roots() == []
    monkeypatch.setenv("GANLIB_LOGS", "a:b")
    assert settings.log_roots() == [Path("a"), Path("b")]


def test_every_folder_may_be_named_from_the_home_folder(tmp_path, monkeypatch):
    home = tmp_path / "home"
    for name in ("RUNS", "GALLERY", "EXPERIMENTS", "VIEWS", "DATA", "CACHE"):
        monkeypatch.setenv(f"GANLIB_{name}", "~/x")
    monkeypatch.setenv("GANLIB_LOGS", "~/a:~no-such-user/b")
    assert settings.run_roots() == [home / "x"]
    assert settings.gallery_folder() == settings.experiments_folder() == settings.views_file() == home / "x"
    assert settings.data_roots()[0] == settings.array_cache() == home / "x"
    assert settings.log_roots() == [home / "a", Path("~no-such-user/b")]
    monkeypatch.setenv("GANLIB_DATA", "~no-such-user/x")
    assert settings.data_roots()[0] == Path("~no-such-user/x")


def test_progress_is_a_number_of_seconds(monkeypatch):
    assert settings.progress_interval() == 30
    monkeypatch.setenv("GANLIB_PROGRESS", "0.5")
    assert settings.progress_interval() == 0.5
    assert settings.child_environment(2)["GANLIB_PROGRESS"] == "2"
    monkeypatch.setenv("GANLIB_PROGRESS", "often")
    with pytest.raises(GanlibError, match="GANLIB_PROGRESS must be a number of seconds, not 'often'"):
        settings.progress_interval()


def test_one_file_reads_the_environment_and_the_documents_name_all_of_it():
    reading = [path for path in PROJECT.glob("ganlib/**/*.py") if re.search(r"os\.environ|getenv", path.read_text())]
    assert [path.name for path in reading] == ["settings.py"]
    documented = (PROJECT / "docs/settings.md").read_text()
    assert len(VARIABLES) == 11
    assert [variable for variable in sorted(VARIABLES) if f"`{variable}" not in documented] == []


def test_torchrun_says_which_process_this_is(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    assert settings.launch() == settings.Launch(rank=0, world_size=1)
    for name, value in {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "MASTER_PORT": "4000"}.items():
        monkeypatch.setenv(name, value)
    assert settings.launch()[:5] == (3, 8, 1, "localhost", 4000)
    monkeypatch.setenv("WORLD_SIZE", "eight")
    with pytest.raises(GanlibError, match="WORLD_SIZE is 'eight' where torchrun sets a number"):
        settings.launch()
