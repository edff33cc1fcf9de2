"""Notebooks: what cells printed, the tables that they showed, the pictures between."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganlib.logs import LogError, notebook_pictures, read

HTML = '<div><progress value="2"></progress> [2/2 00:10]</div><table border="1" class="dataframe"><thead>{}</table>'


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text.splitlines(keepends=True)}


def shown(**data: str) -> dict[str, Any]:
    kinds = {"plain": "text/plain", "html": "text/html", "png": "image/png"}
    return {"output_type": "display_data", "metadata": {}, "data": {kinds[kind]: text for kind, text in data.items()}}


def png(level: int) -> str:
    data = io.BytesIO()
    Image.new("L", (4, 4), level).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def code(*outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["train()"], "outputs": list(outputs)}


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": [text]}


def write(path: Path, *cells: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def epochs(first: int, last: int, offset: float = 0) -> str:
    return "".join(f"Epoch {e}: d_loss: {offset + e / 8}, g_loss: {offset + e / 4}\n" for e in range(first, last + 1))


def test_notebook_of_one_training(tmp_path, points):
    cell = code(stream("Epoch: 0\nD_loss: 1.25\nG_loss: 2\n"), stream("Epoch: 1\nD_loss: 1\nG_loss: 2.5\n"))
    frame = read(write(tmp_path / "gan.ipynb", markdown("# GAN"), code(stream("torch 2.6\n")), cell))
    assert frame["run"].unique().tolist() == ["gan"]
    assert points(frame, "loss/D") == [(0, 1.25), (1, 1)]
    assert points(frame, "loss/G") == [(0, 2), (1, 2.5)]


def test_trainings_are_runs_under_their_headings(tmp_path, points, skipped_reasons):
    path = write(
        tmp_path / "all.ipynb",
        markdown("# Comparison\n## DCGAN"),
        code(stream(epochs(1, 3))),
        code(stream(epochs(4, 5))),  # goes on
        markdown("## WGAN-GP"),
        code(stream(epochs(1, 2, offset=1))),
        code(stream("Epoch [2/2] Step [5/5] fid: 30.5, kid: 0.25\n")),
        code(stream(epochs(1, 2, offset=2))),
    )
    frame = read(path)
    assert list(frame["run"].cat.categories) == ["DCGAN", "WGAN-GP (cell 5)", "WGAN-GP (cell 7)"]
    assert points(frame, "loss/D", "DCGAN") == [(e, e / 8) for e in range(1, 6)]
    assert points(frame, "loss/D", "WGAN-GP (cell 7)") == [(1, 2.125), (2, 2.25)]
    assert skipped_reasons(frame) == [(None, "cell 6 prints single values and no curve")]


def test_carriage_returns_and_backspaces(tmp_path, points):
    bars = "".join(f"\r{i * 50}%|##  | {i}/2 [00:01<00:01, 1.0it/s, loss={1 - i / 4}]" for i in range(3))
    frame = read(write(tmp_path / "tqdm.ipynb", code(stream(bars, "stderr"))))
    assert points(frame, "loss") == [(0, 1), (1, 0.75), (2, 0.5)]
    keras = "Epoch 1/2\n" + "\b" * 40 + "2/2 [=====] - 1s 5ms/step - d_loss: 0.5 - g_loss: 1.5\n"
    keras += "Epoch 2/2\n" + "\b" * 40 + "2/2 [=====] - 1s 5ms/step - d_loss: 0.25 - g_loss: 1.75\n"
    frame = read(write(tmp_path / "keras.ipynb", code(stream(keras))))
    assert [value for _, value in points(frame, "loss/D")] == [0.5, 0.25]


def test_tables(tmp_path, points):
    """fastai and Hugging Face's trainer show a table that grows; pandas shows any table, of which logs are read."""
    header = "<tr><th>Step</th><th>Training Loss</th><th>Validation Loss</th></tr></thead>"
    rows = ["<tr><td>500</td><td>1.5</td><td>2.5</td></tr>", "<tr><td>1000</td><td>1.25</td><td>No log</td></tr>"]
    growing = [shown(html=HTML.format(header + "".join(rows[:count]))) for count in (1, 2)]
    people = HTML.format("<tr><th></th><th>name</th><th>age</th></tr></thead><tr><th>0</th><td>x</td><td>3</td></tr>")
    frame = read(write(tmp_path / "hf.ipynb", code(shown(html=people)), code(*growing)))
    assert points(frame, "loss") == [(500, 1.5), (1000, 1.25)]
    assert points(frame, "Validation Loss") == [(500, 2.5)]
    pandas = "<tr><th></th><th>loss</th></tr></thead>" + "".join(
        f"<tr><th>{i}</th><td>{v}</td></tr>" for i, v in ((0, 0.5), ("...", "..."), (9, 0.25))
    )
    frame = read(write(tmp_path / "pandas.ipynb", code(shown(plain="   loss\n0  0.5", html=HTML.format(pandas)))))
    assert points(frame, "loss") == [(0, 0.5), (9, 0.25)]
    text = "   epoch  d_loss  g_loss\n0      1    0.50    1.50\n1      2    0.25    1.75\n"
    frame = read(write(tmp_path / "printed.ipynb", code(stream(text))))
    assert points(frame, "loss/G") == [(1, 1.5), (2, 1.75)]


def test_nbformat_3(tmp_path, points):
    output = {"output_type": "stream", "stream": "stdout", "text": epochs(1, 2)}
    picture = {"output_type": "display_data", "png": png(9), "text": ["<Figure>"]}
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["GAN"]},
        {"cell_type": "code", "input": ["train()"], "language": "python", "outputs": [output, picture]},
    ]
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"metadata": {"name": ""}, "nbformat": 3, "worksheets": [{"cells": cells}]}))
    assert points(read(path), "loss/D") == [(1, 0.125), (2, 0.25)]
    assert [picture.step for picture in notebook_pictures(path)] == [2]


def test_pictures_have_the_run_and_the_step_before_them(tmp_path):
    path = write(
        tmp_path / "gan.ipynb",
        code(shown(png=png(0))),  # of the data, before any training
        markdown("# One"),
        code(stream(epochs(1, 2)), shown(png=png(1)), stream(epochs(3, 4)), shown(png=png(2), plain="<Figure>")),
        code(shown(png=png(3))),
        markdown("# Two"),
        code(shown(png="broken"), stream(epochs(1, 2)), shown(png=png(4))),
    )
    pictures = notebook_pictures(path)
    assert [(p.run, p.cell, p.step) for p in pictures] == [
        ("One", 3, 2),
        ("One", 3, 4),
        ("One", 4, None),
        ("Two", 6, 2),
    ]
    levels = [Image.open(io.BytesIO(picture.content)).getpixel((0, 0)) for picture in pictures]
    assert levels == [1, 2, 3, 4]


@pytest.mark.parametrize("cells", [[], [code()], [code(stream("hello\n"), shown(html="<table><tr><td>1</table>"))]])
def test_notebooks_without_a_training_say_so(tmp_path, cells):
    with pytest.raises(LogError, match="no cell of the notebook shows losses"):
        read(write(tmp_path / "notes.ipynb", *cells))


def test_notebooks_are_found_in_folders(tmp_path):
    write(tmp_path / "gan.ipynb", code(stream(epochs(1, 2))))
    write(tmp_path / "notes.ipynb", code(stream("hello\n")))
    assert set(read(tmp_path)["run"]) == {tmp_path.name}


def test_a_history_that_a_cell_returned(tmp_path, points):
    history = "{'loss': [0.5, 0.25, 0.125],\n 'val_loss': [0.75, 0.5, 0.375]}"
    frame = read(write(tmp_path / "vae.ipynb", code(shown(plain=history))))
    assert points(frame, "loss") == [(0, 0.5), (1, 0.25), (2, 0.125)]
    assert points(frame, "val_loss") == [(0, 0.75), (1, 0.5), (2, 0.375)]
