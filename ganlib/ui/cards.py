"""A run at a glance: cards with pictures, numbers and links to the run's other pages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from ganlib.figures import PALETTE
from ganlib.models import ImageToImage
from ganlib.naming import counted
from ganlib.records import METRICS, Protocol
from ganlib.runs import Run
from ganlib.ui import components, thumbnails
from ganlib.ui.catalog import find_scores, makes_images
from ganlib.ui.catalog import runs as catalog_runs
from ganlib.ui.markup import plain
from ganlib.ui.names import data_label, format_count, model_label, run_labels

COMPACT, LARGE = 250, 400  # the least width of a card in pixels
LINKS = {"Sample": ("sampling", "run"), "Interpolate": ("interpolation", "run"), "Curves": ("curves", "runs")}
EDIT_LINKS = {"Edit a picture": ("edit", "run"), "Curves": ("curves", "runs")}  # of image-to-image runs


def draw_cards(runs: Sequence[Run], *, key: str, large: bool = False) -> None:
    """A grid of cards; a click on one opens the page it leads to, with its run."""
    alike = {name for name, label in run_labels(catalog_runs(makes_images)).items() if label == name}
    cards = [(large_card if large else compact_card)(run, named=run.name in alike) for run in runs]
    _draw(cards, key, LARGE if large else COMPACT)


def draw_strip(runs: Sequence[Run], *, key: str, subtitles: Sequence[str] = ()) -> None:
    """A row of small cards without links below: of one data set, or with a subtitle each.

    A phone shows the first two. ``key`` begins with "best_", whose height ``chrome`` reserves.
    """
    cards = [
        compact_card(run) | {"subtitle": subtitle, "brief": True}
        for run, subtitle in zip_longest(runs, subtitles, fillvalue="")
        if isinstance(run, Run)
    ]
    with st.container(key=f"{key}_strip"):  # there at once, unlike the component, whose code is loaded first
        _draw(cards, key, COMPACT)


def _draw(cards: Sequence[dict[str, Any]], key: str, least: int) -> None:
    chosen = components.draw_cards(cards, least=least, key=key)
    if chosen:
        page, _, run = chosen.partition("/")
        st.switch_page(f"pages/{page}.py", query_params={dict([*LINKS.values(), *EDIT_LINKS.values()])[page]: run})


def draw_links(run: Run) -> None:
    """The run's pages, as Streamlit's own links."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(run.name)}**")
        for label, (page, key) in links_of(run).items():
            st.page_link(f"pages/{page}.py", label=label, query_params={key: run.name})


def links_of(run: Run) -> dict[str, tuple[str, str]]:
    """Label -> the page and the key of its link that takes the run."""
    return EDIT_LINKS if run.transforms else LINKS


def compact_card(run: Run, *, named: bool = False) -> dict[str, Any]:
    """Eight samples, the score, how well classes are met, size and speed; ``named``: with the run's name."""
    picture = thumbnails.tiles(run, 4, 2)
    pictures = [{"src": picture, "alt": f"Samples of {run.name}"}] if picture else []
    return _card(run, pictures, [*_quality(run), _size(run), *_speed(run)], [], named)


def large_card(run: Run, *, named: bool = False) -> dict[str, Any]:
    """The whole sheets of the training, and whatever else is known of the run."""
    sheet_of = "Inputs, outputs and what is wanted of" if run.transforms else "Samples of"
    subjects = {
        "samples": f"{sheet_of} {run.name}",
        "reconstructions": f"Test images and, below each, its reconstruction by {run.name}",
    }
    pictures = []
    for kind, subject in subjects.items():
        sheet = thumbnails.last_sheet(run, kind)
        if sheet and (source := thumbnails.sheet_url(sheet)):
            alt = f"{subject} after {int(sheet.stem):,} training images"
            pictures.append({"src": source, "alt": alt})
    start = f", with those of {run.recipe.start.run}, from whose weights it started" if run.recipe.start else ""
    trained = f"{run.total_seconds / 60:.0f} minutes of training{_by_gpu(run)}{start}"
    seen = _fact("images seen", format_count(run.total_images), trained)
    notes = ["Test images, each above its reconstruction"] if len(pictures) > 1 else []
    notes += [sentence for sentence in [run.note, *describe_accuracies(run)] if sentence]
    return _card(run, pictures, [*_quality(run), _size(run), seen, *_speed(run)], notes, named)


def _card(
    run: Run, pictures: list[dict[str, str]], facts: list[dict[str, str]], notes: list[str], named: bool
) -> dict[str, Any]:
    kind = counted(len(run.classes), "class") if run.conditional else "unconditional"
    if isinstance(run.blueprint, ImageToImage):
        kind = run.blueprint.condition
    links = [
        {"label": label, "href": f"{page}?{urlencode({key: run.name})}", "to": f"{page}/{run.name}"}
        for label, (page, key) in links_of(run).items()
    ]
    return {
        "title": model_label(run),
        "subtitle": f"{data_label(run)} · {kind}" + (f" · {run.name}" if named else ""),
        "colour": PALETTE[run.model_class.colour],
        "pictures": pictures,
        "facts": facts,
        "notes": notes,
        "links": links,
    }


def _fact(label: str, value: str, help: str) -> dict[str, str]:
    return {"label": label, "value": value, "help": help}


def _quality(run: Run) -> list[dict[str, str]]:
    """FID and class agreement, or how near an image-to-image model comes to what is wanted."""
    return _similarity(run) if run.transforms else [_fid(run), *_agreement(run)]


def _similarity(run: Run) -> list[dict[str, str]]:
    facts = []
    for name in ("psnr", "feature_distance", "target_fid"):
        usual, others = find_scores(run, name)
        row = usual if usual is not None else next(others[-1:].itertuples(), None)
        if row is not None:
            metric = METRICS[name]
            facts.append(_fact(metric.label, format_score(row.value), f"{metric.help} {row.protocol_label!s}."))
    command = f"python -m ganlib evaluate {run.argument} --extractor efficientnet_lite0"
    return facts or [_fact("PSNR", "–", f"Not evaluated yet: {command}")]


def _fid(run: Run) -> dict[str, str]:
    value, metric, protocol = describe_fid(run)
    return _fact(metric, value, protocol)


def _agreement(run: Run) -> list[dict[str, str]]:
    usual, _ = find_scores(run, "class_agreement")
    if usual is None:
        return []
    return [_fact("class agreement", f"{usual.value:.0%}", METRICS["class_agreement"].help)]


def _size(run: Run) -> dict[str, str]:
    networks = ", ".join(f"{name} {format_count(size)}" for name, size in run.parameters.items())
    return _fact("parameters", format_count(sum(run.parameters.values())), networks)


def _by_gpu(run: Run) -> str:
    if not run.trained_by_gpu:
        return ""
    part = f", {run.training_seconds / 60:.0f} of them" if run.recipe.start else ""
    return f"{part} on {run.recipe.hardware}"


def _speed(run: Run) -> list[dict[str, str]]:
    usual, _ = find_scores(run, "sampling_rate")
    return [] if usual is None else [_fact("images/s", format_count(usual.value), usual.protocol_label)]


def describe_fid(run: Run) -> tuple[str, str, str]:
    """The FID of these weights, its name and its protocol, or the command that measures it.

    Under the usual protocol of the data set, since cards stand side by side.
    """
    usual, others = find_scores(run, "fid")
    if usual is not None:
        return (
            format_score(usual.value),
            "FID" + _interval(usual),
            f"{usual.protocol_label}. Comparable only within one protocol.",
        )
    if others.empty:
        return "–", "FID", f"Not evaluated yet: python -m ganlib evaluate {run.argument}"
    labels = "; ".join(f"{format_score(row.value)} ({row.protocol_label})" for row in others.itertuples())
    return "–", "FID", f"Not measured under the protocol of most runs of {run.data_name}, only otherwise: {labels}."


def describe_accuracies(run: Run) -> list[str]:
    """How well the networks classify real images, as far as it was measured."""
    sentences = []
    for name, metric in METRICS.items():
        if not metric.sentence:
            continue
        usual, others = find_scores(run, name)
        row, remark = usual, ""
        if row is None and len(others):
            row = next(others[-1:].itertuples())
            remark = f" (under another protocol than most runs of {run.data_name}: {row.protocol_label})"
        if row is not None:
            code = Protocol.from_key(row.protocol).extra.get("code", "")
            sentences.append(metric.sentence.format(code=code, value=row.value) + remark)
    return sentences


def format_score(value: Any) -> str:
    """12.3456 -> "12.35"; what is far larger in few digits."""
    return f"{value:.2f}" if abs(value) < 1e6 else f"{value:.3g}"


def _interval(score: Any) -> str:
    if score.low != score.low:  # NaN: it has none
        return ""
    return f", {format_score(score.low)}–{format_score(score.high)}"
