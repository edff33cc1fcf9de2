"""The dashboard: ganlib dashboard, or streamlit run app.py"""

from pathlib import Path

import streamlit as st

import ganlib
from ganlib.ui import presentation

st.set_page_config(page_title="ganlib", page_icon=Path(ganlib.__file__).parent / "ui/icon.png", layout="wide")
page = st.navigation(
    [
        st.Page("pages/home.py", title="Overview", icon=":material/home:", default=True),
        st.Page("pages/gallery.py", title="Gallery", icon=":material/photo_library:"),
        st.Page("pages/sampling.py", title="Sampling", icon=":material/casino:"),
        st.Page("pages/interpolation.py", title="Interpolation", icon=":material/timeline:"),
        st.Page("pages/curves.py", title="Training curves", icon=":material/show_chart:"),
        st.Page("pages/fid.py", title="FID comparison", icon=":material/leaderboard:"),
        st.Page("pages/guessing.py", title="Real or generated?", icon=":material/quiz:"),
    ],
    position="top",
)
presentation.draw_bar()
page.run()
presentation.warm_up()
