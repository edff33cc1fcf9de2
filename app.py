"""The dashboard's server: ganlib dashboard, or streamlit run app.py. Each session runs dashboard.py."""

import streamlit as st

from ganlib.ui.index_page import index_routes

app = st.App("dashboard.py", routes=index_routes(st.get_option("server.baseUrlPath")))
