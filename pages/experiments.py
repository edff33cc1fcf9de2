"""The sources' comparisons, run again: a card each, and one of them opened."""

import streamlit as st

from ganlib.ui import catalog, chrome, downloads, experiment_cards, experiment_parts, experiment_view, experiments
from ganlib.ui.links import check_link
from ganlib.ui.markup import plain

with chrome.page(
    "Experiments", "Comparisons of the sources, trained again and judged by what was measured.", sidebar=False
):
    if not catalog.runs():
        chrome.empty("No run is there yet.", "python -m ganlib experiments --run")
    with st.spinner("Reading what was measured …"):
        results, errors = experiments.results()
    for error in errors:
        st.warning(plain(error))
    if not results:
        chrome.finish("There are no definitions of experiments.")
    by_name = {result.experiment.name: result for result in results}
    check_link("experiment", by_name.__contains__, "there is no such experiment")
    chosen = st.query_params.get("experiment")
    if chosen in by_name:
        experiment_view.draw_experiment(by_name[chosen], results)
    else:
        shown = experiment_cards.pick_results(results)
        experiment_cards.draw_cards(shown)
        experiment_cards.draw_start_of_presentation(shown)
        downloads.draw_report_download(lambda: experiment_parts.build_report(results), "experiments.html")
