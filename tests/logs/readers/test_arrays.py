"""Curves that people saved with NumPy or keep in Excel."""

from __future__ import annotations

import zipfile

import numpy as np
import openpyxl
import pytest

from ganlib.logs import LogError, read
from ganlib.naming import displayable


def test_arrays_of_different_length_in_one_file(tmp_path, points):
    np.savez(tmp_path / "losses.npz", d_loss=np.arange(4) / 4, G_losses=[2.0, 3.0], labels=np.arange(9))
    frame = read(tmp_path / "losses.npz")
    assert points(frame, "loss/D") == [(0, 0), (1, 0.25), (2, 0.5), (3, 0.75)]
    assert points(frame, "loss/G") == [(0, 2), (1, 3)]
    assert frame.attrs["skipped_total"] == 1  # the labels
    np.savez_compressed(tmp_path / "steps.npz", step=[10, 20], loss=np.array([0.5, 0.25], np.float32))
    assert points(read(tmp_path / "steps.npz"), "loss") == [(10, 0.5), (20, 0.25)]


def test_single_arrays(tmp_path, points):
    np.save(tmp_path / "d_loss.npy", np.array([1.5, 0.5], np.float32))
    assert points(read(tmp_path / "d_loss.npy"), "loss/D") == [(0, 1.5), (1, 0.5)]
    np.save(tmp_path / "history.npy", np.asfortranarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert points(read(tmp_path / "history.npy"), "history.1") == [(0, 2), (1, 4), (2, 6)]


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("features", np.zeros((50, 2048), np.float32)),
        ("mu", np.zeros(2048)),
        ("labels", np.arange(10)),
        ("images", np.zeros((4, 8, 8, 3), np.uint8)),
        ("z", np.zeros(128, np.float32)),
    ],
)
def test_other_arrays_are_no_logs(tmp_path, name, array):
    np.save(tmp_path / f"{name}.npy", array)
    with pytest.raises(LogError, match="no array of one number a step"):
        read(tmp_path / f"{name}.npy")


def test_objects_are_not_unpickled(tmp_path, monkeypatch):
    np.save(tmp_path / "losses.npy", np.array({"d_loss": [1.0]}, dtype=object), allow_pickle=True)
    monkeypatch.setattr("pickle.load", None)
    with pytest.raises(LogError, match="no array of one number a step"):
        read(tmp_path / "losses.npy")


def test_header_that_promises_more_than_the_file_has(tmp_path):
    np.save(tmp_path / "loss.npy", np.zeros(8))
    content = (tmp_path / "loss.npy").read_bytes().replace(b"(8,), }         ", b"(10000000000,), }", 1)
    content = content.replace(b"(10000000000,), }", b"(1000000000000,)}"[:17], 1)
    (tmp_path / "loss.npy").write_bytes(content)
    with pytest.raises(LogError, match="cannot be read"):
        read(tmp_path / "loss.npy")


def test_workbook(tmp_path, points):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "dcgan"
    sheet.append(["epoch", "D loss", "G loss"])
    for epoch in range(1, 4):
        sheet.append([epoch, 1 / epoch, None if epoch == 2 else epoch])
    notes = workbook.create_sheet("notes")
    notes.append(["learning rate was too high"])
    workbook.save(tmp_path / "runs.xlsx")
    frame = read(tmp_path / "runs.xlsx")
    assert points(frame, "loss/D", "runs") == [(1, 1), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert points(frame, "loss/G") == [(1, 1), (3, 3)]
    assert [reason for _, _, reason in frame.attrs["skipped"]] == ["sheet notes is no table of numbers under names"]
    second = workbook.create_sheet("wgan")
    second.append(["step", "loss_d"])
    second.append([100, -0.5])
    workbook.save(tmp_path / "runs.xlsx")
    frame = read(tmp_path / "runs.xlsx")
    assert set(frame["run"]) == {"dcgan", "wgan"}
    assert points(frame, "loss/D", "wgan") == [(100, -0.5)]
    content = (tmp_path / "runs.xlsx").read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(content[:200])
    with pytest.raises(LogError):
        read(tmp_path / "cut.xlsx")
    at = content.rfind(b"PK\1\2") + 20  # of the last file's entry in the directory: its packed size
    (tmp_path / "bomb.xlsx").write_bytes(content[:at] + (2**31 + 5).to_bytes(4, "little") + content[at + 4 :])
    with pytest.raises(LogError, match=r"it unpacks to 2,1\d\d MB"):
        read(tmp_path / "bomb.xlsx")


def test_an_array_that_a_file_holds_twice_is_one_curve(tmp_path):
    np.save(tmp_path / "a.npy", np.array([1.5, 0.5]))
    content = (tmp_path / "a.npy").read_bytes()
    with zipfile.ZipFile(tmp_path / "twice.npz", "w") as archive:
        archive.writestr("d_loss.npy", content)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("d_loss.npy", content)
    frame = read(tmp_path / "twice.npz")
    assert list(frame["original"].cat.categories) == ["d_loss"]
    assert frame["value"].tolist() == [1.5, 0.5]
    assert "there twice" in frame.attrs["skipped"][0].reason


def test_names_that_become_the_same_when_shown_are_one(tmp_path):
    """Halves of surrogate pairs: JSON may hold them, and no page can."""
    (tmp_path / "log.jsonl").write_text('{"step": 1, "a\\ud800": 1.5, "a\\udc00": 2.5}\n')
    frame = read(tmp_path / "log.jsonl")
    assert list(frame["original"].cat.categories) == [displayable("a\ud800")]
    assert frame["value"].tolist() == [1.5, 2.5]


def test_a_workbook_of_a_zip_from_the_future_is_no_log(tmp_path):
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    content = bytearray((tmp_path / "a.xlsx").read_bytes())
    content[content.index(b"PK\1\2") + 6] = 99  # the version that is needed to extract its first member
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(LogError):
        read(tmp_path / "a.xlsx")
