"""The dashboard's server: ganlib dashboard, or streamlit run app.py. Each session runs dashboard.py."""

import streamlit as st

from ganlib import devices, figures, logs, models, sampling  # noqa: F401 (with plotly and pandas, before the freeze)
from ganlib.ui.garbage import leave_out_survivors
from ganlib.ui.index_page import index_routes
from ganlib.ui.serving import follow_computation

devices.share_cores()
devices.while_waiting(follow_computation)
leave_out_survivors()
app = st.App("dashboard.py", routes=index_routes(st.get_option("server.baseUrlPath")))
