"""Style of all figures: colours, theme, names; what none of them mixes."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from ganlib.errors import GanlibError
from ganlib.figures import (
    PALETTE,
    curves,
    score_bars,
    score_cost,
    score_history,
)
from ganlib.figures.style import NEUTRAL, colour_of, shortened
from helpers.figure_frames import COLOURS, frame, luminance, scores


def test_colours_are_fixed_and_readable() -> None:
    assert PALETTE[0] == "#0073cc"
    assert len(set(PALETTE)) == 12
    assert colour_of("one", COLOURS) == COLOURS["one"]
    assert colour_of("a run of another tool", {}) == colour_of("a run of another tool", COLOURS)
    assert colour_of("stylegan9", {}) == "#ff4d99"  # from its letters alone
    for colour in PALETTE:
        for background in ("#ffffff", "#0e1117"):
            dark, light = sorted((luminance(colour), luminance(background)))
            assert (light + 0.05) / (dark + 0.05) >= 3


def drawings() -> list[Any]:
    return [
        curves(frame(["one"], ["a"]), x="images seen", colours=COLOURS),
        curves(frame([], []), x="images seen", colours={}),
        score_bars(scores(one=1), title="FID", colours=COLOURS),
        score_bars(scores(), title="FID", colours={}),
    ]


@pytest.mark.parametrize("draw", [score_history, score_cost])
def test_other_charts_refuse_mixed_scores_too(draw: Any) -> None:
    mixed = pd.concat([scores(one=1), scores(two=2).assign(protocol="other")], ignore_index=True).assign(minutes=1.0)
    more = {"cost": "minutes"} if draw is score_cost else {}
    with pytest.raises(GanlibError, match="several protocols"):
        draw(mixed, title="x", colours=COLOURS, **more)


def test_the_theme_decides_on_text_and_ground() -> None:
    for figure in drawings():
        layout = figure.layout.to_plotly_json()
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
        layout.pop("template")
        coloured = [a for a in layout.get("annotations", ()) if a.get("font", {}).get("color")]
        layout["annotations"] = [a for a in layout.get("annotations", ()) if a not in coloured]
        assert all(a["font"]["color"] in PALETTE for a in coloured)  # names of lines have their colours
        assert layout.pop("modebar")["color"] == NEUTRAL  # a theme knows no colour for it
        text = json.dumps(layout, default=str)
        assert '"color"' not in text
        assert '"font"' not in text or '"family"' not in text


def test_long_names_are_shortened_in_the_middle() -> None:
    assert shortened("cifar10-projected_gan") == "cifar10-projected_gan"
    assert shortened("cifar10-projected_gan-large") == "cifar10-projected…an-large"
