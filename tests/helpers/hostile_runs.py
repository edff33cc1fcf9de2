"""Run folders as nobody wrote them in good faith: none of them may cost more than itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from ganlib.runs import Run
from helpers.gallery import edit_recipe
from helpers.record_entries import entry
from helpers.tiny_models import write_run

PORT = 9  # of a picture that no page may ask for
PICTURE = f"![a](http://127.0.0.1:{PORT}/x.png)"
MARKUP = (PICTURE, f"<img src=http://127.0.0.1:{PORT}/y.png>", ":red[b] $x$ `c`", "[d](javascript:e)")
SURROGATE = "\ud800"
Damage = Callable[[Path], Any]


def _value(key: str, value: Any) -> Damage:
    """Into ``config.json`` as JSON writes it, half a surrogate pair as an escape."""
    return lambda path: edit_recipe(path, **{key: value})


def _metadata(**values: str) -> Damage:
    def damage(path: Path) -> None:
        weights = path / "weights.safetensors"
        save_file(load_file(weights), weights, {"images": "64", "seconds": "1.5"} | values)

    return damage


def _header(change: Callable[[dict[str, Any]], object], length: int | None = None) -> Damage:
    """Into the header of the weights, which says of each tensor where in the file it lies."""

    def damage(path: Path) -> None:
        weights = path / "weights.safetensors"
        content = weights.read_bytes()
        end = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:end])
        change(header)
        text = json.dumps(header).encode()
        weights.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + content[end:])

    return damage


def _overlap(header: dict[str, Any]) -> None:
    first, second = (name for name in list(header)[:3] if name != "__metadata__")
    header[second] = header[first]


def _records(**changes: Any) -> Damage:
    def damage(path: Path) -> None:
        of_run: dict[str, Any] = {"weights_hash": Run(path).weights_hash, "images_seen": 64}
        records = [entry(**of_run, snapshot=32), entry(**of_run | changes)]
        (path / "evaluation.json").write_text(json.dumps({"records": records}))

    return damage


def _file(name: str, content: bytes) -> Damage:
    def damage(path: Path) -> None:
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(content)

    return damage


def _in_place_of(name: str, make: Callable[[Path], Any]) -> Damage:
    def damage(path: Path) -> None:
        (path / name).unlink(missing_ok=True)
        (path / name).parent.mkdir(exist_ok=True)
        make(path / name)

    return damage


def _weights_left_out(record: bytes) -> Damage:
    def damage(path: Path) -> None:
        (path / "weights.safetensors").unlink()
        (path / "weights.json").write_bytes(record)

    return damage


REFUSED: dict[str, Damage] = {  # unusable: named in the sidebar
    **{f"width-{power}": _value("config__width", 10**power) for power in (9, 30, 300, 4000)},
    **{f"width-2-{power}": _value("config__width", 2**power) for power in (31, 61, 63)},
    "z-2-62": _value("config__z_dim", 2**62),
    "z-65536-wide": lambda path: edit_recipe(path, config__z_dim=65_536, config__width=65_536),
    "huge-image": _value("config__image_size", 2**62),
    "float-from-integer": _value("config__lr", 10**400),
    "classes-2-62": _value("config__num_classes", 2**62),
    "model-of-surrogates": _value("model", SURROGATE),
    "field-of-surrogates": _value(f"config__{SURROGATE}", "x"),
    "deep-config": _file("config.json", b'{"model":' + b"[" * 900 + b"]" * 900 + b"}"),
    "deeper-config": _file("config.json", b"[" * 100_000 + b"]" * 100_000),
    "digits": _file("config.json", b'{"model": ' + b"9" * 5000 + b"}"),
    "pipe-for-config": _in_place_of("config.json", os.mkfifo),
    "folder-for-config": _in_place_of("config.json", Path.mkdir),
    "pipe-for-weights": _in_place_of("weights.safetensors", os.mkfifo),
    "folder-for-weights": _in_place_of("weights.safetensors", Path.mkdir),
    **{f"images-{text}": _metadata(images=text) for text in ("nan", "inf", "1e400", "-1", "1e300", "9" * 5000, "x")},
    **{f"seconds-{text}": _metadata(seconds=text) for text in ("nan", "-inf", "1e300")},
    "weights-overlap": _header(_overlap),
    "weights-beyond-the-file": _header(
        lambda h: h.update(z={"dtype": "F32", "shape": [2**60], "data_offsets": [0, 9]})
    ),
    "weights-deep-header": _header(lambda h: h.update(z=json.loads("[" * 500 + "]" * 500))),
    **{f"weights-header-of-{n}": _header(lambda h: None, n) for n in (0, 2**31, 2**63, 2**64 - 1)},
    **{
        f"weights-left-out-{i}": _weights_left_out(record)
        for i, record in enumerate(
            [
                b"",
                b"[]",
                b'{"weights_hash": "0123456789ab"}',
                b'{"weights_hash": "../../etc", "metadata": {}}',
                b'{"weights_hash": 9e999, "metadata": {"images": "1"}}',
                b'{"weights_hash": "0123456789ab", "metadata": {"images": "nan"}}',
                b'{"weights_hash": "0123456789ab", "metadata": {"images": [1]}}',
                b'{"weights_hash": "0123456789ab", "metadata": ' + b"[" * 900 + b"]" * 900 + b"}",
            ]
        )
    },
}
RECORDS: list[dict[str, Any]] = [
    {"metric": SURROGATE},
    {"metric": PICTURE},
    {"value": 10**400},
    {"value": 1e308},
    {"value": float("inf")},
    {"snapshot": 10**30},
    {"images_seen": 2**63 - 1},
    {"images_seen": 10**400},
    {"warning": SURROGATE},
    {"blocks": [SURROGATE]},
    {"date": SURROGATE},
    {"date": 10**300},
    {"date": "9999-99-99T00:00:00"},
    {"weights_hash": SURROGATE},
    {"protocol": {"n_fake": 10**30}},
    {"protocol": {"n_real": 2**63 - 1}},
    {"protocol": {"options": {SURROGATE: SURROGATE}}},
    {"protocol": {"extractor": SURROGATE}},
    {"protocol": {"reference": {"data": SURROGATE, "split": PICTURE}}},
    {"interval": {"low": 1e308, "high": -1e308}},
]
TOLERATED: dict[str, Damage] = {  # usable, whatever is said of one of their files
    **{f"text-{key}": _value(key, SURROGATE) for key in ("note", "data__name", "commit", "created", "training__only")},
    "class-of-surrogates": lambda path: edit_recipe(path, data__classes=[f"a{SURROGATE}", "b", "c"]),
    "huge-note": _value("note", "x" * 100_000),
    "huge-number-in-training": _value("training__seed", 10**4000),
    **{f"record-{i}": _records(**changes) for i, changes in enumerate(RECORDS)},
    "deep-record": _file("evaluation.json", b'{"records": [' + b"[" * 900 + b"]" * 900 + b"]}"),
    "folder-for-records": _in_place_of("evaluation.json", Path.mkdir),
    "pipe-for-records": _in_place_of("evaluation.json", os.mkfifo),
    **{
        f"log-{i}": _file("log.csv", content)
        for i, content in enumerate(
            [
                b"step,images,wall_time,loss/G\n" + b"1" + b"0" * 300 + b",1e300,1e300,1\n2,3,4,5\n",
                b"step,images,wall_time,loss/G\n0,0,0,1\n9223372036854775807,9e18,9e18,2\n",
                b"step,images,wall_time,loss/G\n0,0,nan,nan\n1,inf,-inf,inf\n2,-5,0,-inf\n",
                "step,images,wall_time,\ufffd![a](http://127.0.0.1:9/x.png)\n0,0,0,1\n1,1,1,2\n".encode(),
                b"\xff\xfe\x00garbage",
                b"step\n" * 3,
            ]
        )
    },
    "folder-for-log": _in_place_of("log.csv", Path.mkdir),
    **{
        f"sheet-{i}": _file(f"samples/{name}.webp", content)
        for i, (name, content) in enumerate(
            [
                ("9" * 200, b"x"),
                ("²", b"x"),
                ("007", b"x"),
                ("64", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
                ("64", b"RIFF\0\0\0\0WEBPgarbage"),
                ("64", b""),
            ]
        )
    },
    "archived": _weights_left_out(b'{"weights_hash": "0123456789ab", "metadata": {"images": "64", "seconds": "1.5"}}'),
    "folder-for-sheet": _in_place_of("samples/64.webp", Path.mkdir),
    "pipe-for-sheet": _in_place_of("samples/64.webp", os.mkfifo),
    "dangling-sheet": _in_place_of("samples/64.webp", lambda path: path.symlink_to("/nowhere")),
}
UNDECODED = os.fsdecode(b"no-utf-8-\xff\xfe")
NAMES = (*(text.replace("/", "∕") for text in MARKUP), "two\nlines", "x" * 200)
TEXTS = dict(zip(("note", "data__name", "commit", "created"), MARKUP, strict=True))


def add_hostile_runs(root: Path) -> None:
    """A run of each kind above, of each name, and one with Markdown and HTML wherever a recipe or record has text."""
    whole = root / "whole"
    write_run(whole, "cdcgan")
    for name, damage in (REFUSED | TOLERATED).items():
        shutil.copytree(whole, root / name[:100])
        damage(root / name[:100])
    for name in (*NAMES, UNDECODED):
        shutil.copytree(whole, root / name)
    marked = root / "marked"
    shutil.copytree(whole, marked)
    edit_recipe(marked, **TEXTS, data__classes=list(MARKUP[:3]))
    shutil.rmtree(whole)


KEYS = (  # of the pages' URLs
    *("run", "compare", "class_", "seed", "n", "all", "temperature", "stages", "data", "device"),
    *("class_a", "class_b", "seed_a", "seed_b", "frames", "space", "path", "fps"),
    *("runs", "tags", "filter", "x", "layout", "smooth", "log", "marks", "loss", "at", "follow", "seeds"),
    *("metric", "protocol", "cost", "side"),
)
