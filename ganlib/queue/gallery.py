"""Which entries the gallery holds already: trainings of days are not repeated where ``runs/`` was lost or never was."""

from __future__ import annotations

from ganlib.errors import GanlibError
from ganlib.queue.definition import Entry
from ganlib.runs import Run
from ganlib.settings import gallery_folder


def in_gallery(entry: Entry) -> bool:
    """Whether a run of the gallery has the entry's name, architecture, data and fields, and has seen its budget."""
    try:
        run = Run(gallery_folder() / entry.name)
        trained, images, minutes = run.training, run.images_seen, run.training_seconds / 60
    except GanlibError:
        return False
    if (run.model_name, _short(run.data_name)) != (entry.model, _short(entry.data)):
        return False
    had = {field: trained.get(field, getattr(run.config, field, None)) for field in entry.fields}
    if {field: _listed(value) for field, value in had.items()} != _listed(entry.fields):
        return False
    return 0 < entry.images <= images or 0 < entry.max_minutes <= minutes


def _short(data: str) -> str:
    """Without the word that a data set's name may leave out."""
    return data.replace("folder:", "")


def _listed(value: object) -> object:
    """Tuples as the lists that JSON makes of them."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, tuple | list) else value
