"""What the page *Edit a picture* can do, with which runs, and how it shows pictures beside one another."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from ganlib.applications.inpainting import methods_of
from ganlib.applications.superresolution import enlarges
from ganlib.applications.variation import augments
from ganlib.images import png, zip_of_pngs
from ganlib.models import ImageToImage
from ganlib.runs import Run
from ganlib.ui import markup
from ganlib.ui.catalog import best_first
from ganlib.ui.downloads import draw_download, draw_files
from ganlib.ui.links import check_link, draw_link
from ganlib.ui.markup import plain
from ganlib.ui.picture_source import Picture

DRAWING_FILE = "drawing.png"
FILL, ENLARGE, TRANSLATE, DRAW, VARY = "Fill holes", "Enlarge", "Translate", "Draw or colour", "Vary"


def _translates(run: Run) -> bool:
    return isinstance(run.blueprint, ImageToImage) and run.blueprint.task == "translation"


def _pictures_from_less(run: Run) -> bool:
    return isinstance(run.blueprint, ImageToImage) and run.blueprint.task in ("edges", "colour")


TASKS: dict[str, Callable[[Run], bool]] = {
    FILL: lambda run: bool(methods_of(run.blueprint)),
    ENLARGE: lambda run: enlarges(run.blueprint),
    TRANSLATE: _translates,
    DRAW: _pictures_from_less,
    VARY: lambda run: augments(run.blueprint),
}


def edits_pictures(run: Run) -> bool:
    return any(can(run) for can in TASKS.values())


def first_task(run: Run) -> str:
    """The first that the run can do, which is the one that it was trained for."""
    return next(task for task, can in TASKS.items() if can(run))


def pick_task(runs: Sequence[Run]) -> str:
    """One that some run can do; that of the linked run first."""
    possible = [task for task, can in TASKS.items() if any(map(can, runs))]
    linked = next((run for run in runs if run.name == st.query_params.get("run")), None)
    if linked and "task" not in st.query_params and "task" not in st.session_state and not TASKS[possible[0]](linked):
        st.query_params["task"] = first_task(linked)
        st.rerun()
    check_link("task", possible.__contains__, f"runs at hand can {', '.join(possible)}")
    choice = st.segmented_control(
        "Task",
        possible,
        default=possible[0],
        required=True,
        key="task",
        bind="query-params",
        label_visibility="collapsed",
    )
    return str(choice)


def runs_for(task: str, runs: Sequence[Run]) -> list[Run]:
    """Those trained for the task first, then those of larger images, of which more is seen."""
    able = best_first(run for run in runs if TASKS[task](run))
    return sorted(able, key=lambda run: (not run.transforms, -run.config.image_size * run.config.channels))


def draw_pictures(cells: Sequence[tuple[str, np.ndarray]], columns: int = 3) -> None:
    """Pictures (H, W, C) uint8 over their captions, row by row."""
    for start in range(0, len(cells), columns):
        row = st.columns(columns)
        for column, (caption, pixels) in zip(row, cells[start : start + columns], strict=False):
            column.html(markup.large_image(np.array(pixels), caption))
            column.caption(plain(caption))


def draw_downloads(run: Run, name: str, pictures: Sequence[np.ndarray], drawn: np.ndarray | None = None) -> None:
    """One PNG, or several in a ZIP; beside it what was ``drawn``, (H, W, 1) uint8, which the command line takes."""
    if len(pictures) == 1:
        files = [("Result as PNG", lambda: png(pictures[0]), f"{run.name}_{name}.png", "image/png", "image")]
    else:
        named = [(f"{name}-{i}.png", picture) for i, picture in enumerate(pictures)]
        recipe = {"run": run.name, "weights": run.weights_hash}
        files = [
            (
                "Results as ZIP",
                lambda: zip_of_pngs(named, recipe),
                f"{run.name}_{name}.zip",
                "application/zip",
                "folder_zip",
            )
        ]
    if drawn is not None:
        files.append(("Drawing as PNG", lambda: png(drawn), DRAWING_FILE, "image/png", "texture"))
    draw_files(files)


def draw_edit_link(
    run: Run, task: str, picture: Picture, values: Mapping[str, object] | None, arguments: Sequence[str]
) -> None:
    """The command line with these arguments; a link, too, where nothing of it is drawn by hand or uploaded: ``values``
    are its rest.
    """
    words = ["python", "-m", "ganlib", "apply", run.argument, picture.name, *arguments, "--out", "edited"]
    command = shlex.join(words)
    if picture.link is not None:
        label = "This picture, for the command line"
        draw_download(label, lambda: png(picture.pixels), picture.name, "image/png", "download")
    if values is None or picture.link is None:
        with st.expander("Command line", icon=":material/terminal:"):
            st.caption("What is drawn or uploaded stays in its session; the same from a shell, with the files saved:")
            st.code(command, language="bash", wrap_lines=True)
    else:
        draw_link({"task": task, "run": run.name, **picture.link, **values}, command)
