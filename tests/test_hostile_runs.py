"""What a folder holds is named in one sentence or read as far as it goes; the other runs stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlib.logs import recipes
from ganlib.naming import run_names
from ganlib.records import read_evaluations
from ganlib.run_folder import RunError
from ganlib.runs import run_folders, scan
from helpers.hostile_runs import NAMES, REFUSED, TOLERATED, add_hostile_runs
from helpers.tiny_models import write_run


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    write_run(root / "good")
    add_hostile_runs(root)
    return root


def test_every_hostile_folder_is_refused_in_a_sentence_or_read(root):
    runs, refused = scan([root])
    names, sentences = set(), [str(error) for error in refused]
    for run in runs:
        try:
            assert run.weights_hash
            assert run.images_seen + run.training_seconds < 2**54
            assert run.blueprint
            names.add(run.name)
        except RunError as error:
            sentences.append(str(error))
    assert names == {"good", "marked", *NAMES, *(name[:100] for name in TOLERATED)}
    assert len(sentences) == len(REFUSED) + 1
    assert any(r"no-utf-8-\xff\xfe has a name that is no UTF-8; rename the folder." in text for text in sentences)
    assert [text for text in sentences if "\n" in text or text[-1] != "." or len(text) > 600] == []


def test_names_and_texts_can_be_written_anywhere(root):
    names = run_names(run_folders([root])).values()
    runs, _ = scan([root])
    texts = [*names, *(t for run in runs for t in (run.name, run.note, run.data_name, *run.classes))]
    assert [text for text in texts if text != text.encode(errors="replace").decode()] == []
    assert r"no-utf-8-\xff\xfe" in names


def test_records_of_the_others_are_read(root):
    frame, errors = read_evaluations(run_folders([root]))
    assert len(frame) > 5
    assert all("\n" not in error and error.endswith(".") and len(error) < 600 for error in errors)
    frame.to_csv().encode()
    recipes(run_folders([root])).map(str).to_csv().encode()
