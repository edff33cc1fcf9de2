"""Attacks that others have met, by the numbers of their reports, tried on what corresponds to them here."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, UnidentifiedImageError
from safetensors.torch import save

from benchmarks.fuzzing.guard import Guard
from ganlib.applications.sheets import parse_axis
from ganlib.data import load_data
from ganlib.data.pictures import decode, picture_formats
from ganlib.errors import GanlibError
from ganlib.figures.report import Report
from ganlib.logs.archives import UNPACKED_FILES, unpack
from ganlib.picture_files import MAX_PIXELS
from ganlib.queue import read_queue
from ganlib.run_folder import RunError
from ganlib.runs import Run, scan
from ganlib.tensors import load_tensors
from ganlib.ui.downloads import scalars_csv, to_csv
from helpers.gallery import edit_recipe
from helpers.image_files import picture
from helpers.streamlit_app import PAGES, open_page
from helpers.tiny_models import make_trainer, write_run

SOURCES = sorted(Path(__file__).parents[2].glob("ganlib/**/*.py"))


def calls(function: str) -> list[ast.Call]:
    """All calls of ``module.function`` in the package."""
    nodes = (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == function]


# Pillow


def test_cve_2026_40192_a_format_outside_data_sets_is_not_even_tried():
    """A FITS file that unpacks to gigabytes; every other call names its formats as well."""
    header = "".join(f"{card:80}" for card in ("SIMPLE  =                    T", "BITPIX  =                    8"))
    with pytest.raises(UnidentifiedImageError):
        decode(f"{header:2880}".encode() + b"\0" * 2880)
    assert not {"FITS", "EPS", "PSD", "GBR", "DDS", "ICNS", "PCD"} & set(picture_formats())
    opened = calls("Image.open")
    assert opened
    assert [ast.unparse(call) for call in opened if "formats" not in {k.arg for k in call.keywords}] == []


def test_a_picture_bomb_is_refused_by_its_header():
    bomb = io.BytesIO()
    side = int(MAX_PIXELS**0.5) + 1
    Image.new("1", (side, side)).save(bomb, "PNG")
    assert bomb.tell() < 100_000
    with pytest.raises(ValueError, match="megapixels, more than 64"):
        decode(bomb.getvalue())


# PyTorch


class Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("legacy", [False, True])
def test_cve_2025_32434_a_state_runs_nothing(legacy, tmp_path):
    trainer = make_trainer(tmp_path / "run")
    trainer.save()
    state = trainer.state_dict() | {"step": Payload(tmp_path / "executed")}
    torch.save(state, trainer.folder.state, pickle_protocol=2, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(GanlibError, match=r"state\.pt is damaged, so that the run cannot go on"):
        make_trainer(tmp_path / "run", resume=True)
    assert not (tmp_path / "executed").exists()
    assert len(calls("torch.load")) == 1
    assert ast.unparse(calls("torch.load")[0].keywords[-1]) == "weights_only=True"


def test_a_torch_that_cannot_be_trusted_reads_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.5.1+cu124")
    with pytest.raises(GanlibError, match=r"torch 2\.5\.1\+cu124 could be made to run code by it; install torch 2\.6"):
        load_tensors(tmp_path / "state.pt")
    assert "torch>=2.6" in (Path(__file__).parents[2] / "requirements" / "core.txt").read_text()


def test_no_array_is_unpickled(tmp_path):
    for path in ("labels.npy", "log.npz"):
        np.save(tmp_path / path, np.array([Payload(tmp_path / "executed")], dtype=object), allow_pickle=True)
    (tmp_path / "log.csv").write_bytes(pickle.dumps(Payload(tmp_path / "executed")))
    for path in tmp_path.iterdir():
        with pytest.raises(GanlibError):
            open_log(path)
    assert not (tmp_path / "executed").exists()


def open_log(path: Path) -> pd.DataFrame:
    from ganlib.logs import read

    return read(path)


# MLflow: a name that is a path reads or removes what it should not


@pytest.mark.parametrize("name", ["secret.safetensors", "../../secret.safetensors", "/etc/passwd.safetensors"])
def test_cve_2023_1177_a_link_names_no_file_of_latents(name, tmp_path):
    run = write_run(tmp_path / "run")
    secret = tmp_path / "secret.safetensors"
    secret.write_bytes(save({"z": torch.zeros(1, 8), "seeds": torch.zeros(1)}, {"ganlib": "{}"}))
    model = run.load()
    for text in (name, str(tmp_path / name)):
        with pytest.raises(GanlibError, match=r"^run has no latents .*; it has none\.$"):
            parse_axis(f"seed=@{text}", run, model, files=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        *("folder:/etc", "folder:../x", "folder:..", "folder:~/x", "folder:C:\\x", "folder:\\\\host\\share"),
        *("subset:folder:/etc@50", "subset:folder:..@50", "mixture:digits+folder:/etc", "mixture:folder:a+folder:.."),
        *("shards:/etc", "shards:..", "mixture:digits+shards:..#a"),
    ],
)
def test_cve_2026_2614_a_run_opens_no_folder_by_a_path(data, tmp_path):
    """Nor a share of another host: Windows would send it the user's name and password (Streamlit's CVE-2026-33682)."""
    run = write_run(tmp_path / "run")
    edit_recipe(run.path, data__name=data)
    with pytest.raises(
        RunError, match=r"names its data set by a path, .*, which a run may not open; write (folder|shards):NAME"
    ):
        Run(run.path)
    edit_recipe(run.path, data__name="folder:etc")
    assert Run(run.path).data_name == "folder:etc"


@pytest.mark.parametrize("name", ["..", ".", "../other", "a/../../other", "/tmp/other", "..\\other", ".hidden"])
def test_cve_2024_1560_a_queue_removes_no_folder_but_its_own(name, tmp_path):
    """The queue removes the folder of a training that was killed before it was first saved."""
    (tmp_path / "queue.toml").write_text(
        f"[[run]]\nname = {json.dumps(name)}\nmodel = 'dcgan'\ndata = 'digits'\nimages = 64\n"
    )
    with pytest.raises(GanlibError, match=r"line 2: name .* is no folder's name"):
        read_queue(tmp_path / "queue.toml")


# Starlette, and archives in general


@pytest.mark.parametrize(
    "name", ["../unpacked-not/x.csv", "/tmp/x.csv", "..\\x.csv", "C:\\x.csv", "a/../../x.csv", "CON"]
)
def test_cve_2023_29159_an_archive_stays_in_its_folder(name, tmp_path):
    """Also out of a folder whose name begins alike, which a comparison of beginnings would let pass."""
    (tmp_path / "upload" / "unpacked-not").mkdir(parents=True)
    path = tmp_path / "upload" / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "step,loss\n1,2\n")
    unpack(path)
    outside = {p for p in tmp_path.rglob("*") if p.is_file() and p != path} - set((path.parent / "unpacked").rglob("*"))
    assert outside == set()


@pytest.mark.parametrize("kind", ["symbolic", "device"])
def test_links_and_devices_of_an_archive_of_pictures_lead_nowhere(kind, tmp_path):
    path = tmp_path / "set.tar"
    with tarfile.open(path, "w") as archive:
        for i in range(10):
            info = tarfile.TarInfo(f"{'ab'[i % 2]}/{i}.png")
            info.size = len(content := picture(i))
            archive.addfile(info, io.BytesIO(content))
        info = tarfile.TarInfo("a/passwd.png")
        info.type, info.linkname = (tarfile.SYMTYPE, "/etc/passwd") if kind == "symbolic" else (tarfile.CHRTYPE, "")
        archive.addfile(info)
    data = load_data(f"folder:{path}", size=8, cache=tmp_path / "cache")
    assert len(data.train) + len(data.test) == 10
    assert data.skipped_count == 0


def test_an_archive_of_logs_in_many_files_or_in_an_archive_is_refused_or_left(tmp_path):
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as archive:
        for i in range(UNPACKED_FILES + 1):
            archive.writestr(f"{i}.csv", "")
    with pytest.raises(GanlibError, match="holds 2,001 files"):
        unpack(many)
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("many.zip", many.read_bytes())
    assert [path.name for path in unpack(nested).rglob("*")] == ["many.zip"]  # which is no log, and stays packed


# Gradio, Streamlit: addresses in links and files


@pytest.mark.slow
@pytest.mark.parametrize("page", ["home", "sampling", "curves", "compare"])
def test_cve_2026_28416_no_address_in_a_run_or_a_link_is_asked_for(page, tmp_path, monkeypatch):
    address = "http://127.0.0.1:9/x"
    run = write_run(tmp_path / "gallery" / "run")
    texts = dict.fromkeys(("note", "data__name", "commit", "training__proxy_url", "proxy_url"), address)
    edit_recipe(run.path, **texts)
    monkeypatch.setenv("GANLIB_GALLERY", str(tmp_path / "gallery"))
    guard = Guard(tmp_path)
    with guard.watching():
        open_page(page, **dict.fromkeys(("run", "runs", "real", "synthetic", "result", "seed"), address))
    assert [
        text for text in guard.violations if text.startswith(("socket.connect", "socket.getaddrinfo", "urllib"))
    ] == []
    assert page in PAGES


# Spreadsheets, HTML


def test_formulas_in_downloads_are_texts():
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "plain", "a=b"]
    frame = pd.DataFrame({"run": pd.Categorical(names), "=name": names, "value": np.linspace(-4, 3, 8)})
    for content in (to_csv(frame), scalars_csv(frame)):
        again = pd.read_csv(io.BytesIO(content))
        assert list(again.columns) == ["run", "'=name", "value"]
        assert [text[0] for text in again["run"]] == ["'"] * 6 + ["p", "a"]
        assert again["run"].equals(again["'=name"].rename("run"))
        assert again["value"].tolist() == pytest.approx(frame["value"].tolist())
    assert list(frame.columns) == ["run", "=name", "value"]


def test_a_report_holds_no_markup_from_outside():
    import plotly.graph_objects as go

    bad = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    report = Report(bad)
    report.add(go.Figure(go.Scatter(x=[bad], y=[1], name=bad), layout={"title": {"text": bad}}), bad, bad)
    report.add(pd.DataFrame({bad: [bad]}), bad)
    report.add(bad)
    page = report.html(bad)
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# Symbolic links among runs


def test_links_in_a_folder_of_runs_show_nothing_of_what_they_point_to(tmp_path):
    root = tmp_path / "runs"
    write_run(root / "good")
    (root / "itself").symlink_to(root)
    (root / "loop").symlink_to(root / "loop")
    (root / "nowhere").symlink_to(tmp_path / "nothing")
    secret = tmp_path / "secret"
    secret.write_text("password = 1")
    for name, target in {"secret": secret, "device": Path("/dev/zero")}.items():
        (root / name).mkdir()
        (root / name / "config.json").symlink_to(target)
    write_run(root / "weights")
    (root / "weights" / "weights.safetensors").unlink()
    (root / "weights" / "weights.safetensors").symlink_to("/dev/zero")
    runs, errors = scan([root])
    assert {run.name for run in runs} == {"good", "weights"}
    assert len(errors) == 2
    assert not any("password" in str(error) for error in errors)
    with pytest.raises(RunError, match="it is no file"):
        _ = next(run for run in runs if run.name == "weights").weights_hash
