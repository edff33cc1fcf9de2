"""A queue file is right as a whole, or refused with the line that is wrong."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from ganlib.errors import GanlibError
from ganlib.queue import read_queue

PROJECT = Path(__file__).parents[2]
GOOD = """\
# digits first
[[run]]
name = "digits-classifier"
model = "classifier"
data = "digits"
images = 1000
halve = false
evaluate = []

[[run]]
name = "digits-dcgan"
model = "dcgan"
data = "digits"
max_minutes = 1.5
needs = ["digits-classifier"]
evaluate = [{ n = 500 }, { n = 1000, metrics = ["kid"] }]
fields = { width = 8, seed = 3, label_smoothing = [0.8, 1.0], spectral_norm = true }
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "queue.toml"
    path.write_text(text)
    return path


def test_entries_come_in_order_with_their_fields(tmp_path):
    classifier, gan = read_queue(write(tmp_path, GOOD))
    assert (classifier.name, classifier.images, classifier.halve, classifier.evaluations) == (
        "digits-classifier",
        1000,
        False,
        (),
    )
    assert (gan.line, gan.max_minutes, gan.images, gan.needs) == (10, 1.5, 0, ("digits-classifier",))
    assert gan.fields == {"width": 8, "seed": 3, "label_smoothing": (0.8, 1.0), "spectral_norm": True}
    assert [(e.n, e.metrics) for e in gan.evaluations] == [(500, ("fid", "class_agreement")), (1000, ("kid",))]


def test_fields_that_need_classes_are_taken_before_the_data_are_opened(tmp_path):
    text = GOOD.replace('model = "dcgan"', 'model = "meanflow"').replace("fields = {", "fields = { guidance = 2.0 } #")
    assert read_queue(write(tmp_path, text))[1].fields == {"guidance": 2.0}


def test_an_entry_is_evaluated_by_its_classifier_and_by_imagenet_features(tmp_path):
    text = GOOD.replace('evaluate = [{ n = 500 }, { n = 1000, metrics = ["kid"] }]\n', "")
    evaluations = read_queue(write(tmp_path, text))[1].evaluations
    assert [e.extractor for e in evaluations] == ["embedded", "efficientnet_lite0"]
    assert [e.per_class for e in evaluations] == [True, True]
    measured = {"fid", "kid", "prc", "dc"}
    assert [set(e.metrics) for e in evaluations] == [measured | {"class_agreement"}, measured]


def test_snapshots_are_evaluated_at_shares_of_the_budget(tmp_path):
    text = GOOD.replace("max_minutes = 1.5", "images = 126_000\nat = [0.0833, 0.3333]")
    classifier, gan = read_queue(write(tmp_path, text))
    assert classifier.snapshot_points == ()
    assert gan.snapshot_points == (10_496, 41_996)


def test_the_gallerys_architectures_of_today_are_measured_on_their_way():
    by_name = {entry.name: entry for entry in read_queue(PROJECT / "checkpoints" / "queue.toml")}
    for data, name in product(("mnist", "cifar10"), ("r3gan", "edm", "flow_matching", "dit", "glow", "vqvae")):
        entry = by_name[f"{data}-{name}"]
        assert [entry.images / points for points in entry.snapshot_points] == [
            pytest.approx(12, rel=0.01),
            pytest.approx(3, rel=0.01),
        ]


def test_a_gpus_queue_goes_on_from_the_gallery_and_the_gallery_from_it():
    entries = read_queue(PROJECT / "checkpoints" / "queue_gpu.toml")
    assert {entry.name: entry.start for entry in entries if entry.start} == {
        "cifar10-sngan-1.3m": "cifar10-sngan",
        "cifar10-sngan-3.5m": "cifar10-sngan-1.3m",
        "cifar10-projected_gan-1.2m": "cifar10-projected_gan-large",
    }
    later = read_queue(PROJECT / "checkpoints" / "queue.toml")
    assert "cifar10-projected_gan-1.2m" in {entry.start for entry in later}
    assert not {entry.name for entry in entries} & {entry.name for entry in later}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('model = "dcgan"', 'model = "dcgann"', r"line 12: There is no model 'dcgann'; try dcgan"),
        ("width = 8", "widht = 8", r"line 17: There is no field 'widht'; try width"),
        ("width = 8", 'width = "8"', r"line 17: width must be a value of type int"),
        ("width = 8", "width = -1", r"line 17: width must be at least 1"),
        ("seed = 3", "images = 3", r"line 17: There is no field 'images'"),
        ("max_minutes = 1.5", "", r"line 10: Say how long to train"),
        ("max_minutes = 1.5", "minutes = 1.5\nimages = 5", r"line 14: There is no key 'minutes'"),
        ("n = 500", "m = 500", r"line 16: EvaluationConfig has no field 'm'"),
        (
            'name = "digits-dcgan"',
            'name = "digits-classifier"',
            r"line 11: name 'digits-classifier' is taken .* line 2",
        ),
        ('name = "digits-dcgan"', 'name = "../dcgan"', r"line 11: name '../dcgan' is no folder's name"),
        ("halve = false", 'start = "nowhere"', r"line 7: There is no run 'nowhere'"),
        ('needs = ["digits-classifier"]', 'needs = ["later"]', r"line 15: needs names 'later'"),
        (
            'data = "digits"\nmax',
            'data = "digitz"\nmax',
            r"line 13: data 'digitz': There is no data set 'digitz'",
        ),
        ('[[run]]\nname = "digits-dcgan"', '[[runs]]\nname = "digits-dcgan"', r"line 10: a queue file holds"),
        (
            "halve = false",
            "halve = false\nat = [0.5]",
            r"line 8: at evaluates snapshots, of which .* has none",
        ),
        ("max_minutes = 1.5", "max_minutes = 1.5\nat = [0.5]", r"line 15: at names shares of the entry's images"),
        *[
            ("max_minutes = 1.5", f"images = 900\nat = {at}", r"line 15: at is a list of shares")
            for at in ("0.5", "[500]", "[0.0]", "[1.0]", "[nan]", '["a"]')
        ],
        ("[[run]]", "[[run]", r"queue.toml is no valid TOML: .*line 2"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path, old, new, says):
    assert old in GOOD
    with pytest.raises(GanlibError, match=says):
        read_queue(write(tmp_path, GOOD.replace(old, new)))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("celeba:Nonsense", "celeba has no attribute 'Nonsense'; try "),
        ("subset:digits@?", "A subset names its set .*; not 'digits@\\?'"),
        ("subset:digits@5,6", "subset:digits@5,6 gives 2 counts for 10 classes"),
        ("subset:digitz@5", "There is no data set 'digitz'; try digits"),
        ("mixture:digits", "A mixture takes two sets"),
        ("mixture:digits#1+digits#1", "digits#1 is in the mixture twice"),
        ("mixture:digits+mnist:5", "mnist takes nothing after its name"),
        ("folder", "A folder data set needs a path"),
        ("shards:", "A set of shards needs a path"),
    ],
)
def test_what_no_data_set_is_called_is_refused(tmp_path, data, says):
    text = GOOD.replace('data = "digits"\nmax', f'data = "{data}"\nmax')
    with pytest.raises(GanlibError, match=f"line 13: data '{re.escape(data)}': {says}"):
        read_queue(write(tmp_path, text))


def test_data_that_lies_elsewhere_is_not_looked_for(tmp_path):
    text = GOOD.replace('data = "digits"\nmax', 'data = "subset:folder:nowhere@5"\nmax')
    assert read_queue(write(tmp_path, text))[1].data == "subset:folder:nowhere@5"


def test_entries_may_be_written_in_any_way_of_toml(tmp_path):
    entry = '{ name = "a", model = "dcgan", data = "digits", images = 10, fields = { width = 8 } }'
    (only,) = read_queue(write(tmp_path, f"run = [{entry}]"))
    assert (only.name, only.images, only.fields) == ("a", 10, {"width": 8})
    with pytest.raises(GanlibError, match=r"queue.toml, line 2: width must be at least 1"):
        read_queue(write(tmp_path, f"run = [\n{entry.replace('8', '-8')}]"))
    assert read_queue(write(tmp_path, "run = []\n")) == []


def test_an_absent_file_is_a_sentence(tmp_path):
    with pytest.raises(GanlibError, match=r"nowhere\.toml cannot be read"):
        read_queue(tmp_path / "nowhere.toml")
