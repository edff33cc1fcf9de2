"""Requests for images: seeds, classes, captions, file names, command lines."""

from __future__ import annotations

import io
import json
import shlex
import zipfile
from dataclasses import replace
from functools import partial
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from ganlib.commands.sample import parse_options
from ganlib.errors import GanlibError
from ganlib.images import png, zip_of_pngs
from ganlib.models import GenerativeModel
from ganlib.models.options import FROM_SEED, SEED_LIMIT
from ganlib.runs import Run
from ganlib.sampling import check_options, sample
from ganlib.sampling.request import (
    MAX_IMAGES,
    Edit,
    SampleRequest,
    format_classes,
    format_edits,
    format_option,
    format_seeds,
    parse_class,
    parse_classes,
    parse_edits,
    parse_int,
    parse_seeds,
)
from helpers.tiny_models import write_run

LAST = SEED_LIMIT - 1


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return write_run(tmp_path_factory.mktemp("runs") / "noise-cdcgan")


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory) -> Run:
    return write_run(tmp_path_factory.mktemp("runs") / "noise-dcgan", "dcgan")


@pytest.fixture(scope="module")
def coded(tmp_path_factory) -> Run:
    return write_run(tmp_path_factory.mktemp("runs") / "noise-infogan", "infogan")


def model_of(run: Run) -> GenerativeModel:
    model = run.load()
    assert isinstance(model, GenerativeModel)
    return model


def with_classes(run: Run, *names: str) -> Run:
    """The same run with other class names."""
    other = Run(run.path)
    other.recipe = replace(run.recipe, data=replace(run.recipe.data, classes=names))
    return other


# Seeds.


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("7", (7,)),
        ("0-3", (0, 1, 2, 3)),
        ("0,3,8-11", (0, 3, 8, 9, 10, 11)),
        (" 5 , 2-2 ,", (5, 2)),
        ("3,1,2", (3, 1, 2)),
        ("4,4", (4, 4)),
        (str(LAST), (LAST,)),
        (f"{LAST - 1}-{LAST}", (LAST - 1, LAST)),
        ("007", (7,)),
    ],
)
def test_seeds_are_read_in_the_order_given(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    "seeds", [(0,), (0, 1, 2), (5, 3, 4, 9), (4, 4, 5), (LAST - 1, LAST), (0, LAST), tuple(range(100, 0, -1))]
)
def test_seeds_survive_being_written_and_read(seeds):
    assert parse_seeds(format_seeds(seeds)) == seeds


@pytest.mark.parametrize(
    ("seeds", "text"), [((0, 3, 8, 9, 10, 11), "0,3,8-11"), ((1, 2), "1-2"), ((7,), "7"), (range(64), "0-63")]
)
def test_neighbouring_seeds_are_written_as_a_range(seeds, text):
    assert format_seeds(seeds) == text


BAD_SEEDS = ["", ",", "abc", "-1", "1.5", "3-", "1-2-3", "5-3", "1e3", "²", str(SEED_LIMIT), str(2**63), "9" * 5000]


@pytest.mark.parametrize("text", BAD_SEEDS, ids=lambda text: text[:12] or "nothing")
def test_what_is_no_seed_is_refused_in_one_short_sentence(text):
    with pytest.raises(GanlibError) as caught:
        parse_seeds(text)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 200


def test_a_range_that_would_fill_the_memory_is_refused_before_it_is_made():
    assert len(parse_seeds(f"0-{MAX_IMAGES - 1}")) == MAX_IMAGES
    for text in (f"0-{MAX_IMAGES}", f"0-{LAST}", f"0-{MAX_IMAGES - 1},5"):
        with pytest.raises(GanlibError, match="split the request"):
            parse_seeds(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12", 12),
        ("9" * 20, 10**20 - 1),
        ("9" * 21, None),
        ("-1", None),
        ("1.0", None),
        ("", None),
        ("x", None),
    ],
)
def test_a_whole_number_is_read_or_refused_but_never_raises(text, number):
    assert parse_int(text) == number


# Classes.


@pytest.mark.parametrize(
    ("text", "classes"),
    [("a", (0,)), ("c,a", (2, 0)), (" b , c ", (1, 2)), ("1", (1,)), ("a,2", (0, 2)), ("a,a", (0, 0))],
)
def test_classes_go_by_name_or_by_number(text, classes, run):
    assert parse_classes(text, run) == classes


def test_names_of_classes_may_hold_commas(run):
    dogs = with_classes(run, "pug, dog", "dog", "pug")
    assert parse_classes("pug, dog", dogs) == parse_classes("pug,dog", dogs) == (0,)
    assert parse_classes("dog,pug, dog,pug", dogs) == (1, 0, 2)
    assert "--classes 'pug, dog,dog'" in SampleRequest(dogs, (0, 1), (1,)).command
    assert "--classes 2,1" in SampleRequest(dogs, (2, 1), (1,)).command  # by name it would be the first class
    assert parse_classes("2,1", dogs) == (2, 1)


def test_names_of_classes_may_be_typed_in_either_unicode_form(run):
    forms = normalize("NFC", "na\u00efve"), normalize("NFD", "na\u00efve")
    for stored, typed in (forms, forms[::-1]):
        assert parse_classes(typed, with_classes(run, "a", stored)) == (1,)


def test_a_name_wins_over_a_number(run):
    assert parse_classes("2,0,1", with_classes(run, "2", "1", "0")) == (0, 2, 1)


@pytest.mark.parametrize("text", ["zebra", "3", "-1", "a,zebra", "9" * 5000, "1.0"], ids=lambda text: text[:12])
def test_an_unknown_class_is_refused_with_what_there_is(text, run):
    with pytest.raises(GanlibError, match=r"has no class .*; try .*a"):
        parse_classes(text, run)


def test_a_misspelt_class_is_guessed(run):
    with pytest.raises(GanlibError, match=r"try automobile\.$"):
        parse_classes("automobil", with_classes(run, "automobile", "cat", "ship"))


# One request.


def test_every_class_meets_every_seed_class_by_class(run):
    request = SampleRequest(run, (2, 0), (7, 8, 9))
    assert request.image_labels == [2, 2, 2, 0, 0, 0]
    assert request.image_seeds == [7, 8, 9, 7, 8, 9]
    assert request.class_names == ["c", "a"]
    assert request.captions == ["c, seed 7", "c, seed 8", "c, seed 9", "a, seed 7", "a, seed 8", "a, seed 9"]
    assert request.file_names[0] == "noise-cdcgan_c_7.png"


def test_without_classes_the_seeds_are_the_images(unconditional):
    request = SampleRequest(unconditional, (), (7, 8))
    assert request.image_labels is None
    assert request.image_seeds == [7, 8]
    assert request.captions == ["seed 7", "seed 8"]
    assert request.file_names == ["noise-dcgan_7.png", "noise-dcgan_8.png"]
    assert "--classes" not in request.command


@pytest.mark.parametrize(
    ("names", "classes", "seeds"),
    [
        (("a", "b", "c"), (0, 1, 2), (0, 1, 10, 11)),
        (("a", "b", "c"), (0, 0), (4, 4)),  # asked twice
        (("a/b", "a_b", "a?b"), (0, 1, 2), (1,)),  # alike once made safe
        (("../../etc", "/tmp/x", ".."), (0, 1, 2), (1, 2)),
        (("a_1", "a", "b"), (0, 1), (1, 11)),
        (("Straße", "猫", "a b"), (0, 1, 2), (3,)),
        (("cat", "Cat", "CAT"), (0, 1, 2), (3,)),
    ],
)
def test_no_two_images_share_a_file_and_none_leaves_the_folder(names, classes, seeds, run):
    files = SampleRequest(with_classes(run, *names), classes, seeds).file_names
    assert len(files) == len(classes) * len(seeds)
    assert len({name.lower() for name in files}) == len(files)
    for name in files:
        assert name.startswith("noise-cdcgan_")
        assert not set(name) & set('/\\:*?"<>|')


def test_the_recipe_of_the_pictures_is_json_and_complete(run):
    provenance = SampleRequest(run, (1,), (3, 4), {"temperature": 0.8}).provenance()
    assert json.loads(json.dumps(provenance)) == provenance
    assert provenance["weights_sha256_12"] == run.weights_hash
    assert (provenance["run"], provenance["model"], provenance["data"]) == ("noise-cdcgan", "cdcgan", "noise")
    assert (provenance["classes"], provenance["seeds"], provenance["options"]) == (["b"], [3, 4], {"temperature": 0.8})
    assert provenance["images_seen"] == 64
    assert provenance["command"].startswith("python -m ganlib sample noise-cdcgan ")
    assert "torch" in provenance["versions"]


def flags(command: str) -> dict[str, str]:
    arguments = shlex.split(command)
    assert arguments[:4] == ["python", "-m", "ganlib", "sample"]
    return dict(zip(arguments[5::2], arguments[6::2], strict=True))


@pytest.mark.parametrize("value", [1.0, 0.8, 0.1234567, 1 / 3, 0.0])
def test_the_command_line_keeps_an_option_as_exact_as_the_picture_needs(value, run):
    arguments = flags(SampleRequest(run, (0,), (1,), {"temperature": value}).command)
    assert np.float32(parse_options([arguments["--option"]])["temperature"]) == np.float32(value)


@pytest.mark.parametrize("options", [{"c1": 2, "c2": None}, {"c1": None, "c2": -0.3, "c3": None}, {"c1": 0, "c3": 1.0}])
def test_the_command_line_leaves_out_what_is_left_to_the_seed(options, coded):
    model = model_of(coded)
    arguments = shlex.split(SampleRequest(coded, (), (1, 2), options).command)
    named = [arguments[i + 1] for i, argument in enumerate(arguments) if argument == "--option"]
    parsed = check_options(model, parse_options(named))
    assert parsed == {name: value for name, value in options.items() if value is not None}
    assert np.array_equal(sample(model, [1, 2], **parsed), sample(model, [1, 2], **options))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, FROM_SEED), (2, "2"), (-0.3, "-0.3"), (1.0, "1"), (0.0, "0"), (1 / 3, "0.333333333333")],
)
def test_an_option_is_written_as_people_would_and_read_again(value, text, coded):
    options = {o.name: o for o in model_of(coded).options}
    assert format_option(value) == text
    assert options["c1" if value == 2 else "c3"].parse(text) == pytest.approx(value)


def test_a_value_left_to_the_seed_is_accepted_in_words(coded):
    model = model_of(coded)
    assert check_options(model, parse_options([f"c1={FROM_SEED}", "c2=0.5"])) == {"c1": None, "c2": 0.5}


def test_the_recipe_says_null_for_what_is_left_to_the_seed(coded):
    provenance = SampleRequest(coded, (), (3,), {"c1": None, "c2": 0.5}).provenance()
    assert json.loads(json.dumps(provenance))["options"] == {"c1": None, "c2": 0.5}
    assert "--option c2=0.5 " in provenance["command"]
    assert "c1" not in provenance["command"]


@pytest.mark.parametrize(
    "names", [("a", "b", "c"), ("air plane", "it's", "$x"), ("2", "1", "0"), ("red, round", "b", "c"), (" a", "b", "c")]
)
def test_the_command_line_finds_the_same_classes_again(names, run):
    named = with_classes(run, *names)
    for classes in [(0,), (2, 1), (0, 1, 2)]:
        assert parse_classes(flags(SampleRequest(named, classes, (1,)).command)["--classes"], named) == classes


@pytest.mark.parametrize(
    "names", [("1", "10", "2"), ("2", "1", "0"), ("a,b", "a", "b"), ("b", "", "c"), ("", "9", "0,1")]
)
@pytest.mark.parametrize("numbers", [False, True])
def test_written_classes_are_read_as_the_same(numbers, names, run):
    named = with_classes(run, *names)
    for classes in [(0,), (1,), (2,), (1, 2), (2, 1), (0, 1, 2), (0, 0)]:
        assert parse_classes(format_classes(classes, named, numbers=numbers), named) == classes


@pytest.mark.parametrize("text", [",", "", "a,b"])
def test_one_class_is_one(text, run):
    with pytest.raises(GanlibError, match=r"is one class of noise-cdcgan, not [02]"):
        parse_class(text, run)


def test_strengths_are_written_as_exact_as_the_picture_needs():
    assert parse_edits(format_edits([Edit("sefa-1", 1.23456789)])) == (Edit("sefa-1", 1.23456789),)
    assert format_edits([Edit("sefa-1", 2.0)]) == "sefa-1=2"


def test_of_two_runs_of_one_name_the_command_line_says_which_by_its_path(run):
    second = Run(run.path, "runs/noise-cdcgan")  # as the dashboard tells it from the gallery's
    request = SampleRequest(second, (0,), (1,))
    assert shlex.split(request.command)[4] == str(run.path)
    assert request.file_names == ["noise-cdcgan_a_1.png"]


# Files.


def images(n: int, size: int = 16, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_keeps_every_pixel(channels):
    image = images(1, channels=channels)[0]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(image)))), image.squeeze())


def test_a_zip_holds_each_picture_and_how_it_was_made(run):
    request = SampleRequest(run, (0, 1), (5, 5))
    generated = images(4, channels=1)
    content = zip_of_pngs(zip(request.file_names, generated, strict=True), request.provenance())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["provenance.json", *request.file_names]
        assert json.loads(archive.read("provenance.json")) == request.provenance()
        for name, image in zip(request.file_names, generated, strict=True):
            assert np.array_equal(np.asarray(Image.open(archive.open(name))), image[:, :, 0])


def test_a_sentence_about_a_long_text_stays_short(run):
    for parse in (parse_edits, partial(parse_classes, run=run), parse_seeds):
        with pytest.raises(GanlibError) as raised:
            parse("x" * 5000)
        assert len(str(raised.value)) < 500
