"""The pages of the dashboard, in the order of its navigation."""

from __future__ import annotations

from typing import NamedTuple


class PageEntry(NamedTuple):
    title: str
    icon: str  # of Material Symbols


PAGES = {  # by the file of pages/
    "home": PageEntry("Overview", "home"),
    "gallery": PageEntry("Gallery", "photo_library"),
    "sampling": PageEntry("Sampling", "casino"),
    "interpolation": PageEntry("Interpolation", "timeline"),
    "curves": PageEntry("Training curves", "show_chart"),
    "fid": PageEntry("FID comparison", "leaderboard"),
    "compare": PageEntry("Real vs synthetic", "compare"),
    "experiments": PageEntry("Experiments", "science"),
    "guessing": PageEntry("Real or generated?", "quiz"),
}
