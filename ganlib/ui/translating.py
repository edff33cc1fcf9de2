"""Pictures of one domain in the other, back again, and what changed."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganlib.applications.translation import change_map, translate
from ganlib.models import ImageToImage
from ganlib.records import Protocol
from ganlib.runs import Run
from ganlib.sampling.request import class_name
from ganlib.ui import edit_tasks
from ganlib.ui.catalog import load_trainable, present_scores
from ganlib.ui.links import linked_selectbox
from ganlib.ui.markup import plain
from ganlib.ui.picture_source import pick_picture


def draw_translating(run: Run) -> None:
    model = load_trainable(run)
    assert isinstance(model, ImageToImage)
    names = [class_name(run, i) for i in (0, 1)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        directions = {name: f"{name} to {names[1 - i]}" for i, name in enumerate(names)}
        source = linked_selectbox("Direction", directions, names[0], key="from")
        domain = names.index(source)
        picture = pick_picture(run, domain=domain)
    there = translate(model, picture.pixels[None], domain)
    back = translate(model, there, 1 - domain)[0]
    cells = [
        (f"Picture ({source})", picture.pixels),
        (f"Translated ({names[1 - domain]})", there[0]),
        ("What changed", change_map(picture.pixels, there[0])),
        ("And back", back),
        ("What the cycle lost", change_map(picture.pixels, back)),
    ]
    edit_tasks.draw_pictures(cells, len(cells))
    lost = np.abs(back.astype(float) - picture.pixels).mean()
    st.caption(f"The way there and back changes a pixel by {lost:.1f} of 255 levels on average.")
    _draw_distances(run, directions[source])
    edit_tasks.draw_downloads(run, "translated", [there[0]])
    edit_tasks.draw_edit_link(run, edit_tasks.TRANSLATE, picture, {"from": source}, ["--from", source])


def _draw_distances(run: Run, direction: str) -> None:
    """The domains' distance before and after, where it was measured in this direction."""
    scores = present_scores()
    own = scores[(scores.run == run.name) & scores.metric.isin(["target_fid", "source_fid"])]
    tasks = own.protocol.map(lambda key: Protocol.from_key(key).extra.get("task"))
    own = own[(tasks == direction).astype(bool)]
    if own.empty:
        command = f"python -m ganlib evaluate {run.argument} --extractor efficientnet_lite0"
        st.caption(plain(f"Whether the domains come nearer: {command}"))
    for protocol, rows in own.groupby("protocol_label", sort=False):
        values = dict(zip(rows.metric, rows.value, strict=True))
        if len(values) == 2:
            sentence = (
                f"FID {values['source_fid']:.4g} before, {values['target_fid']:.4g} after translation ({protocol})."
            )
            st.caption(plain(sentence))
