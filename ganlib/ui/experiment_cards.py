"""All experiments: how many came out how, and a card each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import streamlit as st

from ganlib.data import display_name
from ganlib.data.subset import whole_set
from ganlib.experiments import WORDS, Judgement, decisive
from ganlib.naming import counted
from ganlib.ui import markup, presentation
from ganlib.ui.experiments import BADGES, Result
from ganlib.ui.links import check_link
from ganlib.ui.markup import plain

COLUMNS = 3
ALL = "all"
# Links of this page to itself: Streamlit marks each as the page that is open, and cuts long titles.
STYLE = """<style>
[class*="st-key-experiment"] a {background: none; padding-left: 0}
[class*="st-key-experiment"] a span {white-space: normal}
</style>"""


def pick_results(results: Sequence[Result]) -> list[Result]:
    """Those of one source and one verdict, or all."""
    sources = list(dict.fromkeys(result.experiment.source for result in results))
    counts = Counter(result.word for result in results)
    words = [word for word in WORDS if counts[word]]
    st.caption(plain(", ".join(f"{word} ({counts[word]})" for word in words)))
    source = _pick("Source", [ALL, *sources], "source")
    word = _pick("Verdict", [ALL, *words], "verdict")
    return [r for r in results if source in (ALL, r.experiment.source) and word in (ALL, r.word)]


def _pick(label: str, options: list[str], key: str) -> str:
    check_link(key, options.__contains__, f"it can be {', '.join(options)}")
    return str(
        st.segmented_control(
            plain(label),
            options,
            default=options[0],
            required=True,
            key=key,
            bind="query-params",
            label_visibility="collapsed",
        )
    )


def draw_cards(results: Sequence[Result]) -> None:
    if not results:
        st.caption("No experiment is of this source and this verdict.")
    st.html(STYLE)
    for start in range(0, len(results), COLUMNS):
        for column, result in zip(st.columns(COLUMNS), results[start : start + COLUMNS], strict=False):
            key = f"experiment_{result.experiment.name}"
            with column.container(border=True, height="stretch", gap="small", key=key):
                _draw_card(result)


def draw_start_of_presentation(results: Sequence[Result]) -> None:
    """The link that steps through these experiments in the presentation mode."""
    if results:
        addresses = [f"experiments?experiment={result.experiment.name}" for result in results]
        st.page_link(
            "pages/experiments.py",
            label=plain(f"Present {counted(len(results), 'experiment')}"),
            icon=":material/slideshow:",
            query_params={
                "experiment": results[0].experiment.name,
                presentation.KEY: "1",
                presentation.LINKS: addresses,
            },
        )


def _draw_card(result: Result) -> None:
    experiment = result.experiment
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_verdict(decisive(result.judgements))
        st.caption(plain(experiment.source))
    query = {"experiment": experiment.name}
    st.page_link("pages/experiments.py", label=f"**{plain(experiment.title)}**", query_params=query)
    st.markdown(plain(experiment.question))
    st.caption(plain(describe_scale(result)))
    data = result.claims[0]
    if data.problem:
        st.caption(plain(describe_progress(result)))
        return
    same_axis = [c for c in result.claims if (c.claim.measure, c.protocol) == (data.claim.measure, data.protocol)]
    values = {name: [m.value for m in c.of(name)] for c in same_axis for name in c.claim.variants if not c.problem}
    rows = [(v.title, result.colour(v.name), values[v.name]) for v in experiment.variants if v.name in values]
    reference = data.claim.second if isinstance(data.claim.second, float) else None
    st.html(markup.dot_rows(rows, data.claim.measure.label, reference))
    if any(judgement.disputed for judgement in result.judgements):
        st.caption("By other features or numbers of images a verdict differs; the claims say which.")


def draw_verdict(judgement: Judgement) -> None:
    colour, icon = BADGES[judgement.verdict]
    st.badge(plain(judgement.word), icon=f":material/{icon}:", color=colour)


def describe_scale(result: Result) -> str:
    """ "Artworks · 64 px · 60,000 images · 3 seeds", of the recipes, or of runs that were there before."""
    recipes = [variant.recipe for variant in result.experiment.variants if variant.recipe]
    data = [recipe["data"] for recipe in recipes] or [run.data_name for run in result.runs.values()]
    sizes = [recipe["fields"].get("image_size") for recipe in recipes]
    sizes = [size for size in sizes if size] or [run.config.image_size for run in result.runs.values()]
    images = [f"{recipe['images']:,}" for recipe in recipes if "images" in recipe]
    seeds = max((len(variant.seeds) for variant in result.experiment.variants), default=0)
    parts = [
        _listed(map(display_name, dict.fromkeys(map(whole_set, data)))),
        f"{_listed(sorted(set(sizes)))} px" if sizes else "",
        f"{' / '.join(dict.fromkeys(images))} images" if images else "runs of the gallery",
        f"{seeds} seeds" if seeds > 1 else "",
    ]
    return " · ".join(filter(None, parts))


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def describe_progress(result: Result) -> str:
    """ "3 of 9 trainings are done", or why those that are done do not compare."""
    if result.missing:
        return f"{result.trained} of {len(result.experiment.runs)} trainings are done."
    return result.claims[0].problem
