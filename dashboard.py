"""What every session of the dashboard runs: the menu, and the page that was chosen. app.py serves it."""

from pathlib import Path

import streamlit as st

import ganlib
from ganlib.ui import presentation
from ganlib.ui.links import follow_link
from ganlib.ui.navigation import PAGES

st.set_page_config(page_title="ganlib", page_icon=Path(ganlib.__file__).parent / "ui/icon.png", layout="wide")
menus: dict[str, list[st.Page]] = {}
for file, (title, icon, section) in PAGES.items():
    page = st.Page(f"pages/{file}.py", title=title, icon=f":material/{icon}:", default=file == "home")
    menus.setdefault(section, []).append(page)
page = st.navigation(menus, position="top")
follow_link(page.url_path, st.query_params.get(presentation.KEY))
presentation.draw_bar()
page.run()
presentation.warm_up()
