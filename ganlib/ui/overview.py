"""The home page: where to begin, the best of each data set, all runs in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from ganlib.records import METRICS
from ganlib.runs import Run
from ganlib.ui import cards, thumbnails
from ganlib.ui.catalog import runs as all_runs
from ganlib.ui.catalog import usual_scores
from ganlib.ui.markup import plain
from ganlib.ui.names import data_label, data_labels, model_label

SHOWN = 4  # cards of a data set
STRIPS = 4  # of cards, before one of whatever is left
ROWS = 6  # of the leaderboard that are seen without scrolling in it
START = [  # label, icon, page, what one does there
    ("Get images of a class", "casino", "sampling", "Any class, any seed: the same seed is the same image."),
    ("Compare architectures", "leaderboard", "fid", "Ranked within one protocol, with intervals and costs."),
    ("Show a transition", "timeline", "interpolation", "From one class or seed to another, as a film."),
    ("Read training curves", "show_chart", "curves", "Runs of any tool, with a diagnosis."),
    ("See what reproduces", "science", "experiments", "The sources' comparisons, each with a verdict."),
]


def draw_start() -> None:
    """One entry for each kind of work."""
    columns = st.container(key="start").columns(len(START), gap="small")
    for column, (label, icon, page, text) in zip(columns, START, strict=True):
        with column.container(border=True, height="stretch", gap=None):
            st.page_link(f"pages/{page}.py", label=f"**{label}**", icon=f":material/{icon}:")
            st.caption(plain(text))


def group_by_data(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Data set -> its runs, in the order in which they come."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.data_name, []).append(run)
    return groups


def draw_data_sets(runs: Sequence[Run]) -> None:
    """Strips of the best architectures: of a data set each, of small ones together, and of what is left the best."""
    groups = group_by_data(runs)
    if len(groups) == 1:
        ((name, members),) = groups.items()
        _draw_data_set(name, members, 2 * SHOWN)
        return
    strips = pack({name: min(len(members), SHOWN) for name, members in groups.items()})
    for names in strips[:STRIPS]:
        if len(names) == 1:
            _draw_data_set(names[0], groups[names[0]], SHOWN)
        else:
            labels = data_labels(groups)
            best = [run for name in names for run in _best_of_each_model(groups[name])[:SHOWN]]
            _draw_several(" · ".join(labels[name] for name in names), best, labels)
    if further := [name for names in strips[STRIPS:] for name in names]:
        _draw_several("Further data sets", [groups[name][0] for name in further], data_labels(groups))


def pack(cards: Mapping[str, int]) -> list[list[str]]:
    """Names with numbers of cards -> strips of at most ``SHOWN`` cards; a name joins the first with room for it."""
    strips: list[list[str]] = []
    for name, count in cards.items():
        used = [sum(cards[other] for other in strip) for strip in strips]
        room = next((strip for strip, n in zip(strips, used, strict=True) if n + count <= SHOWN), None)
        if room is None:
            strips.append([name])
        else:
            room.append(name)
    return strips


def _draw_data_set(name: str, members: Sequence[Run], most: int) -> None:
    """Its name, its protocol and its best runs."""
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"heading_{name}"):
        label = data_labels(run.data_name for run in all_runs())[name]
        st.subheader(plain(f"{label}, {members[0].config.image_size} px"), anchor=False, width="content")
        if len(members) > most:
            st.page_link("pages/gallery.py", label=f"All {len(members)} runs", query_params={"data": name})
        st.caption(plain(_describe_protocol(name)))
    cards.draw_strip(_best_of_each_model(members)[:most], key=f"best_{name}")


def _draw_several(title: str, best: Sequence[Run], labels: Mapping[str, str]) -> None:
    st.subheader(plain(title), anchor=False)
    cards.draw_strip(best, key=f"best_{title}", subtitles=[labels[run.data_name] for run in best])


def _describe_protocol(data: str) -> str:
    """What the FIDs of a data set were measured with; "" where none was."""
    scores = usual_scores()
    of_data = scores[(scores.metric == "fid") & scores.run.isin([r.name for r in all_runs() if r.data_name == data])]
    return f"FID: {of_data.protocol_label.iloc[0]}" if len(of_data) else ""


def _best_of_each_model(runs: Sequence[Run]) -> list[Run]:
    """The first run of each architecture, then the others."""
    first = {run.model_name: run for run in reversed(runs)}
    return [*(run for run in runs if run is first[run.model_name]), *(r for r in runs if r is not first[r.model_name])]


def leaderboard(runs: Sequence[Run]) -> pd.DataFrame:
    """A row a run: pictures, scores under the usual protocol of its data set, size, speed."""
    scores = usual_scores()
    values = {
        name: scores[scores.metric == name].drop_duplicates("run", keep="last").set_index("run")
        for name in ("fid", "class_agreement", "sampling_rate")
    }
    names = [run.name for run in runs]

    def column(metric: str, field: str = "value") -> list[float]:
        return values[metric][field].reindex(names).tolist()

    return pd.DataFrame(
        {
            "Samples": [thumbnails.tiles(run, 5) for run in runs],
            "Architecture": [model_label(run) for run in runs],
            "Data set": [data_label(run) for run in runs],
            "FID": column("fid"),
            "Low": column("fid", "low"),
            "High": column("fid", "high"),
            "Class agreement": [100 * value for value in column("class_agreement")],
            "Parameters": [sum(run.parameters.values()) for run in runs],
            "Images/s": column("sampling_rate"),
            "Training, minutes": [run.total_seconds / 60 for run in runs],
            "Run": names,
        }
    )


def draw_leaderboard(runs: Sequence[Run]) -> None:
    """A table that sorts by any column; a chosen row leads to its run's pages."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Leaderboard", anchor="leaderboard", width="content")
        st.caption("A click on a column sorts by it, a click on a row opens the run. FIDs compare within one data set.")
    number = st.column_config.NumberColumn
    event = st.dataframe(
        leaderboard(runs),
        hide_index=True,
        height=40 * (ROWS + 1) if len(runs) > ROWS else "auto",
        row_height=40,
        placeholder="–",
        key="leaderboard",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Samples": st.column_config.ImageColumn(width="medium"),
            "FID": number(format="%.2f", help=METRICS["fid"].help),
            "Low": number(format="%.2f", help="Lower end of the interval of the FID."),
            "High": number(format="%.2f", help="Upper end of the interval of the FID."),
            "Class agreement": number(format="%.0f %%", help=METRICS["class_agreement"].help),
            "Parameters": number(format="compact"),
            "Images/s": number(format="%.0f"),
            "Training, minutes": number(format="%.0f"),
        },
        alt="Leaderboard of all runs: architecture, data set, FID with its interval, class agreement, size, speed.",
    )
    for row in event.selection.rows[:1]:
        if row < len(runs):
            cards.draw_links(runs[row])
