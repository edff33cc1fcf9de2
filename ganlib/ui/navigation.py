"""The pages of the dashboard, in the order of its navigation."""

from __future__ import annotations

from typing import NamedTuple


class PageEntry(NamedTuple):
    title: str
    icon: str  # of Material Symbols
    section: str = ""  # the menu it stands in; "" = it stands in the bar itself


PAGES = {  # by the file of pages/
    "home": PageEntry("Overview", "home"),
    "gallery": PageEntry("Gallery", "photo_library"),
    "sampling": PageEntry("Sampling", "casino", "Generate"),
    "interpolation": PageEntry("Interpolation", "timeline", "Generate"),
    "directions": PageEntry("Directions", "tune", "Generate"),
    "sheets": PageEntry("Sheets", "grid_on", "Generate"),
    "inversion": PageEntry("Inversion", "add_photo_alternate", "Generate"),
    "edit": PageEntry("Edit a picture", "brush", "Generate"),
    "export": PageEntry("Export", "download", "Generate"),
    "curves": PageEntry("Training curves", "show_chart", "Compare"),
    "fid": PageEntry("FID comparison", "leaderboard", "Compare"),
    "compare": PageEntry("Real vs synthetic", "compare", "Compare"),
    "balance": PageEntry("Balance", "balance", "Compare"),
    "experiments": PageEntry("Experiments", "science", "Compare"),
    "guessing": PageEntry("Real or generated?", "quiz", "Compare"),
}
