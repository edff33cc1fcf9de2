"""What the pages share: the only package of ganlib that imports streamlit.

``pick_…`` are widgets and return what the user chose; ``draw_…`` put something on the page and return nothing.

chrome    header, device, empty states, errors at the page's edge    catalog   cached runs, models, images, logs
controls  run, class, seed, options: widgets kept in the URL         pictures  grids, animations, downloads, links
cards     a run at a glance                                             curves    runs, scalars, findings
scores    metrics, protocols, what compares                             score_table  rankings as tables and files
sources   scalars of runs, of other tools, of uploads                links     what a link asks for, checked and made
jobs      evaluations in the background
"""

import gc

from ganlib import figures, logs, models, sampling  # noqa: F401 (with plotly, pandas and torch, before the freeze)

# Streamlit collects garbage after every rerun. It need not search what is imported by now.
gc.freeze()
