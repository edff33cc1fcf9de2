"""Export: a labelled set of generated images as files, with a manifest and a data card."""

from ganlib.ui import catalog, chrome, exported, exporting

with chrome.page("Export", "A labelled set of generated images as files"):
    if not catalog.runs(catalog.generates):
        chrome.no_models()
    run = exporting.pick_run()
    request = exporting.pick_request(run)
    shown = exporting.draw_job()
    exporting.draw_preview(request)
    exported.draw_exports(shown)
