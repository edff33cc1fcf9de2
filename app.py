"""The dashboard: ganlib dashboard, or streamlit run app.py"""

from pathlib import Path

import streamlit as st

import ganlib
from ganlib.ui import presentation
from ganlib.ui.navigation import PAGES

st.set_page_config(page_title="ganlib", page_icon=Path(ganlib.__file__).parent / "ui/icon.png", layout="wide")
pages = [
    st.Page(f"pages/{file}.py", title=title, icon=f":material/{icon}:", default=file == "home")
    for file, (title, icon) in PAGES.items()
]
page = st.navigation(pages, position="top")
presentation.draw_bar()
page.run()
presentation.warm_up()
