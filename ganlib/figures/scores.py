"""Scores of one metric and protocol, ranked and over training: figures and their text alternative.

``models`` is run -> architecture of all runs that figures show together: each run looks the same in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ganlib.errors import GanlibError
from ganlib.figures.style import DASHES, NEUTRAL, SYMBOLS, apply_style, colour_of, empty_figure, run_lines
from ganlib.naming import readable
from ganlib.records import METRICS

ROW_HEIGHT = 36  # pixels of a bar
LABEL_SIZE = 13  # of names beside points and lines
MAX_ENDS = 10  # lines that are named at their ends; more of them have a panel each
PANEL_COLUMNS, PANEL_HEIGHT = 4, 150
PALE, DEEP, INK = "#f4f8ff", "#7db0ee", "#11141c"  # cells of a heatmap and their text: 8 : 1 at least


def score_bars(
    frame: pd.DataFrame,
    *,
    title: str,
    colours: Mapping[str, str],
    floor: tuple[float, int] | None = None,
    best: pd.DataFrame | None = None,
    pictures: Mapping[str, str] | None = None,
) -> go.Figure:
    """Bars of ``ganlib.records.read_evaluations``, the best on top, with their intervals.

    ``title`` is the axis's and names the extractor: "FID on embedded features, lower is better". ``floor`` is the
    score of so many real images that nobody trained on, drawn as a line; ``best`` has the best snapshot of each run
    that has one better than its weights: a diamond on the run's bar. ``pictures``: run -> address of a strip of its
    images, shown at the end of its row.
    GanlibError if the frame mixes metrics or protocols, whose values do not compare.
    """
    check_comparable(frame)
    frame = _ranked(frame)
    if frame.empty:
        return empty_figure("No scores to show yet.")
    figure = go.Figure()
    _add_bars(figure, frame, colours)
    if best is not None and len(best):
        _add_best_snapshots(figure, frame, best)
    if floor is not None:
        line, text = {"color": NEUTRAL, "dash": "dot", "width": 1}, f"{floor[1]:,} test images {readable(floor[0])}"
        figure.add_vline(x=floor[0], line=line, annotation={"text": text, "font_size": 11, "yanchor": "bottom"})
    figure.update_yaxes(autorange="reversed", type="category", automargin=True, showgrid=False)
    figure.update_xaxes(title_text=title, rangemode="tozero")
    _add_pictures(figure, frame, pictures or {})
    figure.update_layout(height=ROW_HEIGHT * len(frame) + 100, showlegend=False)
    return apply_style(figure, right=230 if pictures else 60)


def _add_pictures(figure: go.Figure, frame: pd.DataFrame, pictures: Mapping[str, str]) -> None:
    place = {"xref": "paper", "x": 1.07, "xanchor": "left", "sizex": 0.5, "sizing": "contain"}
    place |= {"yref": "y", "yanchor": "middle", "sizey": 0.86}
    rows = enumerate(frame["run"])
    figure.layout.images = [{**place, "source": pictures[run], "y": row} for row, run in rows if run in pictures]


def _add_bars(figure: go.Figure, frame: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Bars, intervals with a white rim, and numbers: traces of their own, for one hides what lies under it."""
    above, below = frame["high"] - frame["value"], frame["value"] - frame["low"]
    interval = {"type": "data", "array": above, "arrayminus": below}
    images_seen = frame["images_seen"].map(lambda n: "unknown" if pd.isna(n) else f"{int(n):,}").astype(object)
    ends = zip(frame["low"], frame["high"], strict=True)
    intervals = [f" ({low:.4g} to {high:.4g})" if np.isfinite([low, high]).all() else "" for low, high in ends]
    figure.add_bar(
        x=frame["value"],
        y=frame["label"],
        orientation="h",
        marker_color=[colour_of(run, colours) for run in frame["run"]],
        error_x=interval | {"color": "white", "thickness": 4},  # the rim of a line that is seen on and beside bars
        customdata=np.column_stack([images_seen, intervals]),
        hovertemplate="%{y}: %{x:.4g}%{customdata[1]}<br>images seen: %{customdata[0]}<extra></extra>",
    )
    figure.add_scatter(
        x=frame["value"],
        y=frame["label"],
        mode="none",
        error_x=interval | {"color": "black", "thickness": 1.5},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=frame["high"].fillna(frame["value"]),
        y=frame["label"],
        mode="text",
        text=[f"\u2002{value:#.3g}" if abs(value) < 100 else f"\u2002{value:,.0f}" for value in frame["value"]],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
    )


def _add_best_snapshots(figure: go.Figure, frame: pd.DataFrame, best: pd.DataFrame) -> None:
    """A diamond on the bar of each run that has one."""
    labels = dict(zip(frame["run"], frame["label"], strict=True))
    best = best[best["run"].isin(labels)]
    figure.add_scatter(
        x=best["value"],
        y=best["run"].map(labels),
        mode="markers",
        marker={"symbol": "diamond", "size": 10, "color": "white", "line": {"color": "black", "width": 1.5}},
        customdata=best["snapshot"].astype("int64"),
        hovertemplate="best snapshot of %{y}: %{x:.4g} after %{customdata:,} images<extra></extra>",
    )


def score_history(frame: pd.DataFrame, *, title: str, colours: Mapping[str, str]) -> go.Figure:
    """Scores against images seen, a line a run through its snapshots to its weights, which have the larger marker.

    More than ``MAX_ENDS`` runs have a panel each, with the others faint behind.
    GanlibError if the frame mixes metrics or protocols.
    """
    check_comparable(frame)
    frame = frame[np.isfinite(frame["value"])].dropna(subset=["images_seen"])
    if frame.empty:
        return empty_figure("No scores to show yet.")
    if frame["run"].nunique() > MAX_ENDS:
        return _history_panels(frame, title, colours)
    figure = go.Figure()
    lines = run_lines(sorted({*colours, *frame["run"]}), colours)
    for run, history in frame.groupby("run"):
        history = history.sort_values("images_seen", kind="stable")
        figure.add_scatter(
            x=history["images_seen"].astype("int64"),
            y=history["value"],
            name=str(run),
            line=lines[str(run)],
            marker={"size": np.where(history["snapshot"].isna(), 11, 6)},
            **_end_label(str(run), len(history)),
            hovertemplate="%{y:.4g} at %{x:,} images<extra>%{fullData.name}</extra>",
        )
    figure.update_xaxes(title_text="images seen", rangemode="tozero", showgrid=False)
    figure.update_yaxes(title_text=title)
    figure.update_layout(height=420, hovermode="closest", showlegend=False)
    return apply_style(figure, right=200)


def _history_panels(frame: pd.DataFrame, title: str, colours: Mapping[str, str]) -> go.Figure:
    """A small panel a run, the best final score first: its own line on those of all."""
    histories = {str(run): rows.sort_values("images_seen", kind="stable") for run, rows in frame.groupby("run")}
    ends = {run: rows["value"].iloc[-1] for run, rows in histories.items()}
    order = sorted(ends, key=ends.__getitem__, reverse=better_of(frame) == "higher")
    gap = {"images_seen": [np.nan], "value": [np.nan]}
    everything = pd.concat([pd.concat([rows, pd.DataFrame(gap)]) for rows in histories.values()])
    rows = -(-len(order) // PANEL_COLUMNS)
    figure = make_subplots(
        rows, PANEL_COLUMNS, shared_xaxes="all", shared_yaxes="all", subplot_titles=order,
        horizontal_spacing=0.03, vertical_spacing=0.25 / rows,
    )  # fmt: skip
    for number, run in enumerate(order):
        place = {"row": number // PANEL_COLUMNS + 1, "col": number % PANEL_COLUMNS + 1}
        faint = {"color": NEUTRAL, "width": 1}
        figure.add_scatter(
            x=everything["images_seen"], y=everything["value"], mode="lines", line=faint, opacity=0.3,
            hoverinfo="skip", **place,
        )  # fmt: skip
        own = histories[run]
        figure.add_scatter(
            x=own["images_seen"], y=own["value"], name=run, mode="lines+markers", marker={"size": 5},
            line={"color": colour_of(run, colours), "width": 2.5},
            hovertemplate="%{y:.4g} at %{x:,} images<extra>%{fullData.name}</extra>", **place,
        )  # fmt: skip
    figure.update_xaxes(rangemode="tozero", showgrid=False, nticks=4)
    figure.update_yaxes(type="log" if (frame["value"] > 0).all() else None, nticks=4)
    figure.update_xaxes(title_text="images seen", row=rows)
    figure.update_yaxes(title_text=title.partition(" ")[0], col=1)
    figure.update_layout(height=PANEL_HEIGHT * rows + 90, hovermode="closest", showlegend=False)
    figure = apply_style(figure)
    return figure.for_each_annotation(lambda text: text.update(font_size=LABEL_SIZE))


def _end_label(run: str, n: int) -> dict[str, object]:
    """The name of a line at its last point."""
    label = {"text": [""] * (n - 1) + [run], "textposition": "middle right", "textfont": {"size": LABEL_SIZE}}
    return {"cliponaxis": False, "mode": "lines+markers+text", **label}


def score_pairs(frame: pd.DataFrame, *, titles: tuple[str, str], colours: Mapping[str, str]) -> go.Figure:
    """Scores of one metric on two kinds of features, columns ``own`` (across) and ``other`` by run."""
    figure = go.Figure()
    lines = run_lines(sorted({*colours, *frame["run"]}), colours)
    for run, own, other in zip(frame["run"], frame["own"], frame["other"], strict=True):
        hover = "%{x:.4g} and %{y:.4g}"
        _point(figure, run, own, other, lines[run], hover, named=len(frame) <= MAX_ENDS or run in highlighted(colours))
    figure.update_xaxes(title_text=titles[0], showgrid=False)
    figure.update_yaxes(title_text=titles[1])
    return apply_style(figure.update_layout(height=480, showlegend=False))


def precision_recall(frame: pd.DataFrame, *, colours: Mapping[str, str]) -> go.Figure:
    """What looks real (precision) against what of the real is covered (recall); ``frame`` has both columns by run."""
    figure = go.Figure()
    lines = run_lines(sorted({*colours, *frame["run"]}), colours)
    front = pareto(-frame["recall"].to_numpy(float), frame["precision"].to_numpy(float), "higher")
    named = {*frame["run"][front], *highlighted(colours)}
    for run, precision, recall in zip(frame["run"], frame["precision"], frame["recall"], strict=True):
        hover = "precision %{y:.3f}, recall %{x:.3f}"
        _point(figure, run, recall, precision, lines[run], hover, named=run in named)
    figure.update_xaxes(title_text="recall: proportion of real images within the generated manifold", range=[0, 1.02])
    figure.update_yaxes(
        title_text="precision: proportion of generated images within the real manifold", range=[0, 1.02]
    )
    return apply_style(figure.update_layout(height=520, showlegend=False))


def highlighted(colours: Mapping[str, str]) -> set[str]:
    """The runs with a colour where the others are grey."""
    return {run for run, colour in colours.items() if colour != NEUTRAL} if NEUTRAL in colours.values() else set()


def class_heatmap(frame: pd.DataFrame, *, title: str) -> go.Figure:
    """Scores by run and class, the best run on top; GanlibError where ``frame`` has several records of one."""
    if frame.empty:
        return empty_figure("No scores of classes to show yet.")
    if frame.duplicated(["run", "class_name"]).any():
        raise GanlibError("Several scores of one run and class do not compare; choose one protocol.")
    table = frame.pivot(index="run", columns="class_name", values="value")[frame["class_name"].unique()]
    order = table.mean(axis=1).sort_values(ascending=False).index  # a heatmap begins at the bottom
    table = table.loc[order]
    figure = go.Figure()
    figure.add_heatmap(
        z=table.to_numpy(),
        x=list(table.columns),
        y=list(table.index),
        texttemplate="%{z:,.3~r}",
        colorscale=[[0, PALE], [1, DEEP]],
        textfont={"color": INK, "size": LABEL_SIZE},
        colorbar={"title": {"text": title, "side": "right"}},
        hovertemplate="%{y}, %{x}: %{z:.4g}<extra></extra>",
        hoverongaps=False,
    )
    figure.update_yaxes(type="category", automargin=True, showgrid=False)
    figure.update_xaxes(type="category", showgrid=False)
    return apply_style(figure.update_layout(height=36 * len(table) + 140))


def pareto(cost: np.ndarray, value: np.ndarray, better: str) -> np.ndarray:
    """(n,) bool: whom no other beats in one without losing in the other."""
    score = value if better == "lower" else -value
    cheaper, lower = cost[:, None] <= cost, score[:, None] <= score
    strictly = (cost[:, None] < cost) | (score[:, None] < score)
    return np.logical_not((cheaper & lower & strictly).any(axis=0))


def describe_scores(frame: pd.DataFrame) -> str:
    """Text alternative of a ranking: its best and worst run; GanlibError for a mixed frame, as in ``score_bars``."""
    check_comparable(frame)
    frame = _ranked(frame)
    if frame.empty:
        return "No scores to show yet."
    entries = [f"{row.label} {row.value:.4g}" for row in frame.itertuples()]
    head = f"{frame['metric'].iloc[0]} ({frame['protocol_label'].iloc[0]})"
    if len(entries) == 1:
        return f"{head}: {entries[0]}."
    first, last = ("Lowest", "highest") if better_of(frame) == "lower" else ("Highest", "lowest")
    return f"{head}. {first} of {len(entries)}: {entries[0]}; {last}: {entries[-1]}."


def _point(
    figure: go.Figure, run: str, x: float, y: float, line: Mapping[str, str], hover: str, *, named: bool
) -> None:
    """One run: in its colour, and where runs share it with the symbol of its dash; its name beside it if ``named``."""
    marker = {"size": 11, "color": line["color"], "symbol": SYMBOLS[DASHES.index(line["dash"])]}
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers+text" if named else "markers",
        text=[run if named else ""],
        textposition="top center",
        textfont={"size": LABEL_SIZE},
        name=run,
        marker=marker,
        cliponaxis=False,
        hovertemplate=f"%{{fullData.name}}: {hover}<extra></extra>",
    )


def check_comparable(frame: pd.DataFrame) -> None:
    """GanlibError if the frame mixes metrics or protocols, whose values do not compare."""
    for column, plural in (("metric", "metrics"), ("protocol", "protocols")):
        if frame[column].nunique() > 1:
            raise GanlibError(f"Scores of several {plural} do not compare; choose one of them.")


def better_of(frame: pd.DataFrame) -> str:
    """ "lower" or "higher", for the frame's metric."""
    metric = METRICS.get(frame["metric"].iloc[0]) if len(frame) else None
    return metric.better if metric else "lower"


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Finite scores, the best first, each with a label of its own: the run, and what sets its records apart."""
    frame = frame[np.isfinite(frame["value"])].sort_values("run", kind="stable")
    frame = frame.sort_values("value", kind="stable", ascending=better_of(frame) == "lower")
    snapshot = frame["snapshot"].map(lambda n: "" if pd.isna(n) else f" at {int(n):,} images").astype(object)
    label = frame["run"].astype(object) + snapshot
    label = label.where(~label.duplicated(keep=False), label + " #" + frame["weights_hash"].astype(object))
    return frame.assign(label=label)
