"""The experiments: cards, one opened, its report, what is wrong with a definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ganlib.errors import GanlibError
from ganlib.experiments import Matrix
from ganlib.figures.report import Report
from ganlib.records import METRICS
from ganlib.runs import scan
from ganlib.sampling import sample
from ganlib.settings import EXPERIMENTS, GALLERY
from ganlib.ui import catalog, experiment_matrix, experiment_parts, experiments
from helpers.gallery import CONDITIONAL, OTHER, UNCONDITIONAL, score
from helpers.streamlit_app import charts, is_one_sentence, open_page, texts, values
from helpers.tiny_models import write_run

WIDTH = f"""\
title = "Two architectures"
question = "Is it better?"
source = "GAN methods"
reported = "80 against 100."
limits = "A few images."
reason = "Scale."
priority = 1
scalars = ["loss/D"]

[variants.a]
title = "cDCGAN"
runs = ["{CONDITIONAL}"]

[variants.b]
title = "SNGAN"
runs = ["{OTHER}"]

[[claims]]
statement = "SNGAN is better."
measure = "fid"
first = "b"
relation = "<"
second = "a"
reported = "80 against 100"

[[claims]]
statement = "D's loss ends above 0."
measure = {{ scalar = "loss/D", statistic = "end" }}
first = "a"
relation = ">"
second = 0
"""
UNMEASURED = WIDTH.replace(OTHER, UNCONDITIONAL).replace("priority = 1", "priority = 2").replace("Two", "Three")
UNTRAINED = (
    WIDTH.replace(OTHER, "absent")
    .replace("priority = 1", "priority = 3")
    .replace('"GAN methods"', '"Synthetic data sets"')
)


@pytest.fixture
def definitions(own_gallery, tmp_path, monkeypatch):
    folder = tmp_path / "definitions"
    folder.mkdir()
    for name, text in (("width", WIDTH), ("unmeasured", UNMEASURED), ("untrained", UNTRAINED)):
        (folder / f"{name}.toml").write_text(text)
    monkeypatch.setenv("GANLIB_EXPERIMENTS", str(folder))
    return folder


def badges(at) -> list[str]:
    return [text for text in values(at, "markdown") if "material/" in text]


def test_each_experiment_is_a_card_with_verdict_question_and_figure(definitions):
    at = open_page("experiments")
    verdicts = ("refuted", "open", "open")
    assert [verdict in text for text, verdict in zip(badges(at), verdicts, strict=True)] == [True] * 3
    figures = [html for html in values(at, "html") if 'data-testid="dot-rows"' in html]
    assert len(figures) == 1
    assert "FID: cDCGAN 6.5; SNGAN 8.25" in figures[0]
    assert "different protocols" in texts(at)
    assert "1 of 2 trainings are done." in texts(at)
    assert "Handwritten digits · 16 px · runs of the gallery" in values(at, "caption")


def test_a_card_names_the_scale_of_the_trainings(definitions):
    recipe = """[recipe]
data = "subset:digits@50:1"
images = 60_000
seeds = [0, 1, 2]
fields = { image_size = 32 }
"""
    text = WIDTH.replace("[variants.a]", f"{recipe}\n[variants.a]")
    for name, model in ((CONDITIONAL, "dcgan"), (OTHER, "sngan")):
        text = text.replace(f'runs = ["{name}"]', f'model = "{model}"')
    (definitions / "width.toml").write_text(text)
    assert "Handwritten digits · 32 px · 60,000 images · 3 seeds" in values(open_page("experiments"), "caption")


def test_a_card_shows_every_variant_that_its_first_measure_compares(definitions, own_gallery):
    score(own_gallery / UNCONDITIONAL, 7.0)
    third = f"""
[variants.c]
title = "DCGAN"
runs = ["{UNCONDITIONAL}"]

[[claims]]
statement = "DCGAN is better."
measure = "fid"
first = "c"
relation = "<"
second = "a"
"""
    (definitions / "width.toml").write_text(WIDTH + third)
    figures = [html for html in values(open_page("experiments"), "html") if 'data-testid="dot-rows"' in html]
    assert "FID: cDCGAN 6.5; SNGAN 8.25; DCGAN 7" in figures[0]


def test_cards_are_filtered_by_source_and_verdict(definitions):
    assert "1 of 2 trainings are done." not in texts(open_page("experiments", source="GAN methods"))
    assert len(badges(open_page("experiments", source="Synthetic data sets"))) == 1
    at = open_page("experiments", source="S9")
    assert "the link asks for source" in at.warning[0].value.lower()


def test_an_opened_experiment_shows_reported_beside_measured_and_where_it_stands(definitions):
    at = open_page("experiments", experiment="width")
    shown = texts(at)
    assert "80 against 100." in shown
    assert "SNGAN is better. Refuted." in shown
    assert "FID: 8.25 against 6.5, difference +1.75" in shown
    assert "1 of 3" in shown
    html = " ".join(values(at, "html"))
    assert "SNGAN is better." in html
    assert "A few images." in html
    assert "One training on a side" in html
    assert "Most likely reason for the difference: Scale." in html
    assert 'data-testid="picture-rows"' in html
    assert len(charts(at)) == 2
    assert [tab.label for tab in at.tabs] == ["Claims", "Curves", "Pictures", "Configuration"]
    assert not at.warning


def test_steps_lead_to_the_neighbours_and_end_at_the_ends(definitions):
    listed, errors = experiments.results()
    assert errors == []
    names = [result.experiment.name for result in listed]
    assert names == ["width", "unmeasured", "untrained"]
    assert [experiments.neighbours(listed, name) for name in names] == [
        (None, "unmeasured"),
        ("width", "untrained"),
        ("unmeasured", None),
    ]


def test_links_have_runs_scalars_and_data_preselected(definitions):
    links = {label: query for label, _, query in experiments.page_links(experiments.results()[0][0])}
    assert links["Training curves"] == {"runs": [CONDITIONAL, OTHER], "tags": ["loss/D"]}
    protocol = "embedded digits-classifier · 1,000 generated vs 1,437 digits train"
    runs = {"dataset": ["digits"], "only": [CONDITIONAL, OTHER]}
    assert links["FID comparison"] == runs | {"metric": ["FID"], "protocol": [protocol]}
    ranking = open_page("fid", **links["FID comparison"])
    assert not ranking.warning
    assert ranking.selectbox(key="protocol").value == protocol
    assert ranking.multiselect(key="only").value == [CONDITIONAL, OTHER]
    assert links["Sampling"] == {"run": [CONDITIONAL], "compare": [OTHER], "n": ["8"]}
    at = open_page("curves", **links["Training curves"])
    assert at.multiselect(key="runs").value == [CONDITIONAL, OTHER]


def test_no_link_leads_to_a_ranking_that_no_claim_has(definitions):
    by_name = {result.experiment.name: result for result in experiments.results()[0]}
    for name in ("unmeasured", "untrained"):  # under different protocols, and of one side alone
        assert "FID comparison" not in {label for label, _, _ in experiments.page_links(by_name[name])}


def test_a_link_to_sampling_has_the_options_of_its_variant(definitions):
    guided = WIDTH.replace(f'runs = ["{CONDITIONAL}"]', f'runs = ["{CONDITIONAL}"]\noptions = {{ guidance = 3.0 }}')
    (definitions / "width.toml").write_text(guided)
    (result,) = (r for r in experiments.results()[0] if r.experiment.name == "width")
    links = {label: query for label, _, query in experiments.page_links(result)}
    assert links["Sampling"] == {"run": [CONDITIONAL], "compare": [OTHER], "n": ["8"], "guidance": ["3.0"]}


def test_runs_of_every_definitions_link_are_ranked_under_the_protocol_it_names(monkeypatch):
    monkeypatch.setenv("GANLIB_GALLERY", str(GALLERY))
    monkeypatch.setenv("GANLIB_EXPERIMENTS", str(EXPERIMENTS))
    monkeypatch.setenv("GANLIB_RUNS", str(EXPERIMENTS / "runs"))
    scores = catalog.present_scores()
    data = {run.name: run.data_name for run in catalog.runs()}
    links = {r.experiment.name: dict(page_queries(r)) for r in experiments.results()[0]}
    rankings = {name: query["fid"] for name, query in links.items() if "fid" in query}
    assert "dcgan-sagan" in rankings
    assert "discriminator-features" not in rankings  # a probe's accuracy ranks nothing
    for name, query in rankings.items():
        ((dataset,), (metric,), (protocol,), runs) = (query[key] for key in ("dataset", "metric", "protocol", "only"))
        rows = scores[scores["metric"].map(lambda key: METRICS[key].label) == metric]
        rows = rows[rows["protocol_label"] == protocol]
        assert runs, name
        assert set(runs) <= set(rows["run"]), name
        assert {data[run] for run in runs} == {dataset}, name
        assert rows["protocol"].nunique() == 1, name
    assert links["ddpm-guidance"]["sampling"]["guidance"] == ["3.0"]


def page_queries(result):
    return [(page, query) for _, page, query in experiments.page_links(result)]


def test_what_is_missing_or_measured_otherwise_is_said_and_judged_open(definitions):
    for name, sentence in (("untrained", "absent (not trained yet)"), ("unmeasured", "different protocols")):
        at = open_page("experiments", experiment=name)
        assert "open" in badges(at)[0]
        assert sentence in texts(at)


def test_a_broken_definition_is_one_sentence_and_the_others_stay(definitions):
    recipe = '[recipe]\nmodel = "dcgan"\ndata = "digits"\n'
    trained = WIDTH.replace(f'runs = ["{CONDITIONAL}"]', "").replace(f'runs = ["{OTHER}"]', "")
    broken = {
        "broken": "title = 3",
        "images": trained.replace("[variants.a]", f'{recipe}images = "60000"\n[variants.a]'),
        "size": trained.replace("[variants.a]", f"{recipe}fields = {{ image_size = [32] }}\n[variants.a]"),
    }
    for name, text in broken.items():
        (definitions / f"{name}.toml").write_text(text)
    at = open_page("experiments")
    assert len(at.warning) == 3
    for name, warning in zip(broken, at.warning, strict=True):
        assert f"{name}.toml" in warning.value
        assert is_one_sentence(warning.value)
    assert len(badges(at)) == 3


def test_an_unknown_experiment_is_a_warning_and_all_are_shown(definitions):
    at = open_page("experiments", experiment="nothing")
    assert "experiment “nothing”" in at.warning[0].value
    assert len(badges(at)) == 3


def test_the_report_has_all_of_an_experiment_or_of_all(definitions):
    results, _ = experiments.results()
    one = experiment_parts.build_report(results[:1])
    headings = [part.heading for part in one.parts if part.heading]
    assert headings[:3] == ["Two architectures: refuted", "Measured values", "Curves"]
    assert headings[-2:] == ["What one may conclude", "What one may not"]
    assert one.html().count("<figure") == 4  # values, curves, pictures of two runs
    every = experiment_parts.build_report(results)
    assert isinstance(every, Report)
    assert every.parts[0].heading == "Verdicts"
    assert "Three architectures" in every.html()


def test_pictures_are_those_nearest_to_the_moments_of_the_training(own_gallery):
    run = next(run for run in scan([own_gallery])[0] if run.name == CONDITIONAL)
    assert [moment.images for moment in experiment_parts.moments(run, 960)] == [320, 640, 960]


def test_a_matrix_shows_seeds_by_values_and_by_stages(tmp_path):
    styles, pyramid = write_run(tmp_path / "s", "stylegan2_ada"), write_run(tmp_path / "p", "lapgan")
    model: Any = styles.load()
    cascade: Any = pyramid.load()
    by_value = Matrix("", "s", (0, 1), "mix_seed", (5, 6, 7), {"mix_layer": 1})
    images, captions = experiment_matrix._values(by_value, model)
    assert captions == [f"{seed}: mix_seed={value}" for seed in (0, 1) for value in (5, 6, 7)]
    assert np.array_equal(images[4:5], sample(model, [1], [1], mix_seed=6, mix_layer=1))
    assert experiment_matrix.draw_matrix(by_value, styles).width > 3 * 96
    by_stage = Matrix("", "p", (0, 1), "stage")
    images, captions = experiment_matrix._stages(by_stage, cascade)
    assert captions[:3] == ["0: 1 of 3", "0: 2 of 3", "0: 3 of 3"]
    assert images.shape == (6, 16, 16, 1)
    with pytest.raises(GanlibError, match="no option 'c1'"):
        experiment_matrix.draw_matrix(Matrix("", "s", (0,), "c1", (0,)), styles)


def test_results_are_collected_again_only_where_a_file_changed(definitions, own_gallery):
    before = experiments.results()[0]
    assert all(a is b for a, b in zip(before, experiments.results()[0], strict=True))
    (own_gallery / OTHER / "evaluation.json").unlink()
    after = experiments.results()[0]
    assert after[0] is not before[0]
    assert after[1] is before[1]
    assert "not measured" in after[0].judgements[0].sentence
    balance = own_gallery / CONDITIONAL / "balances" / "digits" / "balance.json"
    balance.parent.mkdir(parents=True)
    balance.write_text("{}")
    assert experiments.results()[0][0] is not after[0]


def test_a_run_that_several_variants_measure_has_its_own_name_beside_them(definitions):
    (definitions / "width.toml").write_text(WIDTH.replace(OTHER, CONDITIONAL))
    (result, *_) = [r for r in experiments.results()[0] if r.experiment.name == "width"]
    assert {run: variant.title for run, variant in result.shown_runs(seeds=True).items()} == {CONDITIONAL: CONDITIONAL}
