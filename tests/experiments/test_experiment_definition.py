"""An experiment's file is right as a whole, or refused with what is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganlib.errors import GanlibError
from ganlib.experiments import Recorded, collect, judge, queue_entries, read_experiment, read_experiments
from ganlib.experiments.entries import toml
from ganlib.experiments.measures import Measure
from ganlib.queue import read_queue
from ganlib.settings import EXPERIMENTS

GOOD = """\
title = "Spectral norm"
question = "Does it help?"
source = "Artworks"
reported = "It does
not."
scalars = ["loss/D"]

[recipe]
model = "dcgan"
data = "digits"
images = 1000
seeds = [0, 1]
evaluate = [{ n = 500 }]
fields = { width = 8, label_smoothing = [0.8, 1.0] }

[variants.base]
title = "base"

[variants.sn]
fields = { spectral_norm = true }

[variants.shipped]
runs = ["digits-cgan"]

[[claims]]
statement = "The base has the lower FID."
measure = "fid"
first = "base"
relation = "<"
second = "sn"

[[claims]]
statement = "D's loss falls."
measure = { scalar = "loss/D", statistic = "rise" }
first = "sn"
relation = "<"
second = 1
""".replace("It does\nnot.", "It does not.")


def write(tmp_path: Path, text: str, name: str = "norm.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_variants_are_recipes_over_the_shared_one(tmp_path):
    experiment = read_experiment(write(tmp_path, GOOD))
    assert (experiment.name, experiment.source, experiment.scalars) == ("norm", "Artworks", ("loss/D",))
    base, sn, shipped = experiment.variants
    assert base.runs == ("norm-base-s0", "norm-base-s1")
    assert sn.title == "sn"
    assert sn.recipe is not None
    assert sn.recipe["fields"] == {"width": 8, "label_smoothing": [0.8, 1.0], "spectral_norm": True}
    assert (shipped.runs, shipped.recipe) == (("digits-cgan",), None)
    assert experiment.claims[1].measure == Measure(scalar="loss/D", statistic="rise")
    assert (experiment.claims[1].second, experiment.claims[1].variants) == (1.0, ("sn",))


def test_recipes_become_entries_that_the_queue_reads(tmp_path):
    text = queue_entries([read_experiment(write(tmp_path, GOOD))])
    entries = read_queue(write(tmp_path, text, "queue.toml"))
    assert [entry.name for entry in entries] == ["norm-base-s0", "norm-base-s1", "norm-sn-s0", "norm-sn-s1"]
    assert entries[3].fields == {"width": 8, "label_smoothing": (0.8, 1.0), "spectral_norm": True, "seed": 1}
    assert entries[3].evaluations[0].n == 500
    assert "digits-cgan" not in {run["name"] for run in tomllib.loads(text)["run"]}


MATRIX = """
[matrix]
title = "Codes"
run = "digits-infogan"
seeds = [0, 1]
option = "c1"
values = [0, 1, 2]
"""


def test_a_matrix_has_seeds_and_values_of_an_option(tmp_path):
    matrix = read_experiment(write(tmp_path, GOOD + MATRIX)).matrix
    assert matrix is not None
    assert (matrix.seeds, matrix.option, matrix.values, matrix.options) == ((0, 1), "c1", (0, 1, 2), {})
    assert read_experiment(write(tmp_path, GOOD)).matrix is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("values = [0, 1, 2]", "", "matrix has values of its option"),
        ('"c1"', '"stage"', "none where the option is 'stage'"),
        ("[0, 1]", "[-1, 1]", "seeds from 0 to 4,294,967,295"),
        ("[0, 1]", str(list(range(50))), "at most 100 images"),
        ("option", "choice", "it needs option"),
        ("seeds", "series", "seeds of matrix is a list of whole numbers"),
    ],
)
def test_a_matrix_without_sense_is_refused(old, new, says, tmp_path):
    with pytest.raises(GanlibError, match=says):
        read_experiment(write(tmp_path, GOOD + MATRIX.replace(old, new, 1)))


OTHER = GOOD.replace('runs = ["digits-cgan"]', 'runs_of = "norm.sn"')


def test_a_variant_may_be_the_trainings_of_another_experiment_which_are_queued_once(tmp_path):
    experiments = [read_experiment(write(tmp_path, s, f"{n}.toml")) for n, s in (("norm", GOOD), ("other", OTHER))]
    shared = experiments[1].variant("shipped")
    assert (shared.runs, shared.title) == (("norm-sn-s0", "norm-sn-s1"), "shipped")
    names = [run["name"] for run in tomllib.loads(queue_entries(experiments))["run"]]
    assert names.count("norm-sn-s0") == 1
    assert len(names) == 8


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("norm.snn", "the variants of norm are base, sn, shipped"),
        ("nothing.sn", "there is no experiment 'nothing'"),
        ("../norm.sn", "there is no experiment"),
        (f"{'a' * 300}.sn", "there is no experiment 'aaa"),
        ("other.shipped", "the variants of other are base, sn"),
    ],
)
def test_a_reference_to_no_trainings_is_refused(reference, says, tmp_path):
    write(tmp_path, GOOD)
    with pytest.raises(GanlibError, match=says):
        read_experiment(write(tmp_path, OTHER.replace("norm.sn", reference), "other.toml"))


def test_experiments_come_by_priority(tmp_path):
    for name, line in (("a", ""), ("b", "priority = 2\n"), ("c", "priority = 1\n")):
        write(tmp_path, line + GOOD, f"{name}.toml")
    assert [e.name for e in read_experiments(tmp_path)[0]] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "Spectral norm"', "", "it needs title"),
        ('question = "Does it help?"', 'question = ""', "it needs question"),
        ("scalars =", "scalers =", "'scalers' that means nothing"),
        ("[recipe]", "[recipe]\nwidth = 8", "recipe has no key 'width'"),
        ("seeds = [0, 1]", "seeds = [0, 0]", "names one twice"),
        ("seeds = [0, 1]", "seeds = []", "a list of whole numbers"),
        ('model = "dcgan"', "", "variants.base has no model"),
        ("[variants.base]", "[variants.Base]", "variants.Base is not of lower-case"),
        ('measure = "fid"', 'measure = "fidd"', "no metric 'fidd'; try fid"),
        ('statistic = "rise"', 'statistic = "rises"', "no statistic 'rises'; try rise"),
        ('relation = "<"', 'relation = "<="', "relation is one of"),
        ('first = "base"', 'first = "bass"', "no variant 'bass'; try base"),
        ("second = 1", "second = true", "a variant or a number"),
        ("second = 1", "second = 1\nmargin = -1", "margin is a fraction"),
        ("[[claims]]", "[[claim]]", "has a key 'claim'"),
        ("title =", "title", "no valid TOML"),
        ("title =", "priority = 0\ntitle =", "priority is a whole number from 1 on"),
        (
            'runs = ["digits-cgan"]',
            'runs = ["digits-cgan"]\nsnapshot = "last"',
            'snapshot of variants.shipped is "best"',
        ),
        ('runs = ["digits-cgan"]', 'runs = ["digits-cgan"]\noptions = 3', "variants.shipped.options is a table"),
        ('measure = "fid"', 'measure = { balance = "fid" }', "no measure of classifiers 'fid'; try"),
        ('runs = ["digits-cgan"]', 'runs = ["digits-cgan"]\nbalancing = { ratio = 1 }', "it needs method"),
        (
            'runs = ["digits-cgan"]',
            'runs = ["digits-cgan"]\nbalancing = { method = "generated", ratio = -1 }',
            "ratio of variants.shipped.balancing is a number from 0 on",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_file(old, new, says, tmp_path):
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(GanlibError, match=r"norm\.toml.*\.$") as error:
        read_experiment(path)
    assert says in str(error.value)
    write(tmp_path, GOOD, "other.toml")
    experiments, errors = read_experiments(tmp_path)
    assert [e.name for e in experiments] == ["other"]
    assert errors == [str(error.value)]


WHOLE = tomllib.loads(
    GOOD.replace("images = 1000", 'images = 1000\nmax_minutes = 2.5\nneeds = ["a"]\nhalve = true\nstart = "a"').replace(
        'runs = ["digits-cgan"]',
        'runs = ["digits-cgan"]\nspace = "w"\nsnapshot = "best"\noptions = { guidance = 3.0 }\n'
        'balancing = { method = "generated", ratio = 1 }',
    )
    + MATRIX
    + "options = { mix_layer = 5 }"
) | {"limits": "Few.", "reason": "Scale.", "priority": 3, "extractor": "embedded"}
WHOLE["claims"][0] |= {
    "answers": True,
    "seed_spread": 0.1,
    "margin": 0.1,
    "reported": "better",
    "extractor": "embedded",
}
WHOLE["recipe"]["fields"]["image_size"] = 16
WRONG: tuple[Any, ...] = (
    True,
    0,
    -1,
    1.5,
    float("nan"),
    10**400,
    "",
    "60000",
    [],
    [32],
    ["a"],
    [[1]],
    {},
    {"a": 1},
    {"a": {"b": 1}},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key of a document, by the way to it."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(item, (*path, key))


def with_value(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = with_value(value[path[0]], path[1:], new)
    return changed


def written(document: dict[str, Any]) -> str:
    return "".join(f"{key} = {toml(value).replace('NaN', 'nan')}\n" for key, value in document.items())


def test_a_whole_file_is_read(tmp_path):
    experiment = read_experiment(write(tmp_path, written(WHOLE)))
    assert [claim.extractor for claim in experiment.claims] == ["embedded", ""]  # a curve has none


@pytest.mark.parametrize("place", list(places(WHOLE)), ids=lambda place: ".".join(map(str, place)))
def test_a_value_of_another_type_is_refused_or_does_no_harm(place, tmp_path):
    """What is read can be queued, its scale be described and its runs be looked for."""
    for wrong in WRONG:
        write(tmp_path, written(with_value(WHOLE, place, wrong)))
        experiments, errors = read_experiments(tmp_path)
        assert len(experiments) + len(errors) == 1
        assert all(re.fullmatch(r"\S+norm\.toml: .+\.", error) and len(error) < 700 for error in errors)
        tomllib.loads(queue_entries(experiments))
        recipes = [variant.recipe for e in experiments for variant in e.variants if variant.recipe]
        assert all(f"{recipe['images']:,}" for recipe in recipes)
        assert {recipe["fields"].get("image_size") for recipe in recipes} <= {None, *range(1, 100)}
        assert all(judge(data).sentence for e in experiments for data in collect(e, {}).claims)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("images = 1000", 'images = "60000"', "images of variants.base is a whole number from 1 on, not '60000'"),
        ("width = 8", "image_size = [32]", "image_size of variants.base is a whole number of pixels, not [32]"),
        ("width = 8", "width = { a = 1 }", "width in fields of variants.base is a number, a text"),
        ("seeds = [0, 1]", "seeds = [-1]", "seeds of variants.base is a list of whole numbers from 0 to"),
        ("evaluate = [{ n = 500 }]", "evaluate = { n = 500 }", "evaluate of variants.base is a list of tables"),
        ("second = 1", 'second = { recorded = "a" }', "second is { recorded = NAME } alone, of a measure that is"),
    ],
)
def test_a_wrong_value_of_a_recipe_or_a_claim_is_named(old, new, says, tmp_path):
    assert old in GOOD
    with pytest.raises(GanlibError) as error:
        read_experiment(write(tmp_path, GOOD.replace(old, new)))
    assert says in str(error.value)


def test_a_number_to_compare_with_may_stand_in_the_records(tmp_path):
    text = GOOD.replace('second = "sn"', 'second = { recorded = "pixels_accuracy" }')
    claim = read_experiment(write(tmp_path, text)).claims[0]
    assert (claim.second, claim.variants) == (Recorded("pixels_accuracy"), ("base",))


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path):
    with pytest.raises(GanlibError, match="cannot be read"):
        read_experiment(tmp_path / "absent.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(GanlibError, match="no valid TOML"):
        read_experiment(tmp_path / "bytes.toml")


def test_the_projects_definitions_are_right_and_their_recipes_can_be_trained(tmp_path):
    experiments, errors = read_experiments(EXPERIMENTS)
    assert errors == []
    assert experiments
    assert len({e.priority for e in experiments}) == len(experiments)
    read_queue(write(tmp_path, queue_entries(experiments), "queue.toml"))
