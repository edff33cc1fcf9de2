"""The pictures in a notebook, under the names that ``read`` gives the runs, at the step that was printed before."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ganlib.logs.readers import notebook
from ganlib.logs.readers.notebook_cells import Cell, parse_cells
from ganlib.logs.readers.source import Source

MAX_PICTURES = 500  # of a notebook
MAX_REREAD = 5_000_000  # characters of a notebook that are read again for the steps of its pictures


class NotebookPicture(NamedTuple):
    """A picture: the run, "" where the notebook has one only; the last step before it, None where none is known."""

    run: str
    cell: int  # from 1
    step: int | None
    content: bytes  # PNG or JPEG


def notebook_pictures(path: Path) -> list[NotebookPicture]:
    """The pictures of the cells that train, in order, and of the cells after them. LogError if it cannot be read."""
    source = Source(path)
    try:
        cells = parse_cells(path.read_bytes())
    except (OSError, ValueError) as error:
        raise source.error(str(error)) from None
    pictures: list[NotebookPicture] = []
    by_cell = {cell.number: training for training in notebook.find_trainings(cells, source) for cell in training.cells}
    run: str | None = None
    budget = MAX_REREAD
    for cell in cells:
        training = by_cell.get(cell.number)
        run = training.run if training else run
        if run is not None:
            cost = _count_reread(cell) if training else 0
            steps = _steps_before_pictures(cell, source) if 0 < cost <= budget else {}
            budget -= cost if steps else 0
            pictures += [
                NotebookPicture(run, cell.number, steps.get(index), output.picture)
                for index, output in enumerate(cell.outputs)
                if output.kind == "picture"
            ]
    return pictures[:MAX_PICTURES]


def _count_reread(cell: Cell) -> int:
    """The characters that ``_steps_before_pictures`` reads, at most."""
    return sum(len(output.text) for output in cell.outputs) * sum(output.kind == "picture" for output in cell.outputs)


def _steps_before_pictures(cell: Cell, source: Source) -> dict[int, int]:
    """The last step that was printed before each picture, by the picture's position in the outputs."""
    texts = [output.text if output.kind == "text" else "" for output in cell.outputs]
    pictures = [index for index, output in enumerate(cell.outputs) if output.kind == "picture"]
    text = "".join(texts)
    whole = notebook.read_printed(text, cell, source)
    if not whole:
        return {}
    steps = {}
    for index in pictures:
        if before := notebook.read_printed("".join(texts[:index]), cell, source, text):
            # The steps of the whole, for those of its begin alone may be counted otherwise.
            last = whole[0].step[whole[0].row == int(before[0].row.max(initial=-1))]
            if len(last):
                steps[index] = int(last[0])
    return steps
