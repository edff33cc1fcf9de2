"""Balance: do generated images of rare classes help a classifier more than what is done without a generator?"""

import streamlit as st

from ganlib.applications.balancing.balance import fills_up_classes
from ganlib.ui import balancing, balancing_form, balancing_results, catalog, chrome, stored_results
from ganlib.ui.markup import plain

with chrome.page("Balance", "Do generated images of rare classes help a classifier?"):
    if not catalog.runs(fills_up_classes):
        chrome.draw_missing(
            "There is no trained model here yet that takes a class.",
            "python -m ganlib train cdcgan --data digits --imbalance 20:1 --max-minutes 5",
        )
    results, errors = balancing_results.balances()
    for error in errors:
        st.warning(plain(error))
    stored = results[stored_results.pick_result(results, balancing_results.RESULT)] if results else None
    balancing_form.draw_form(expanded=stored is None)
    if stored is None:
        balancing.draw_preview()
    else:
        balancing.draw_lead(stored.balance)
        balancing.draw_methods(stored.balance, stored)
        balancing.draw_details(stored.balance, stored)
        balancing.draw_permalink(stored.balance, stored)
