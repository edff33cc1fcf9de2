"""Balance: a stored comparison with its files and its link, and starting one."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep
from urllib.parse import parse_qs, urlsplit

import pytest

from ganlib.__main__ import main
from ganlib.applications.balancing.verdict import verdict
from ganlib.balances import balances, read_balance
from ganlib.ui.jobs import jobs
from helpers.gallery import CONDITIONAL, copy_of
from helpers.streamlit_app import charts, fine, is_one_sentence, open_page

QUICK = ["--seeds", "2", "--train-images", "600", "--width", "4", "--device", "cpu"]


@pytest.fixture(scope="module")
def balanced(shared, tmp_path_factory) -> Path:
    """A gallery with one comparison of two methods."""
    root = copy_of(shared, tmp_path_factory.mktemp("balanced"))
    methods = ["--methods", "none", "generated"]
    assert main(["balance", "subset:digits@20:1", "--generator", str(root / CONDITIONAL), *methods, *QUICK]) == 0
    return root


@pytest.fixture
def no_jobs():
    jobs.clear()
    yield
    if (job := jobs().latest) is not None:
        job.stop()
    jobs.clear()


def test_a_stored_comparison_is_shown_at_once(balanced, use):
    use(balanced)
    at = open_page("balance")
    (folder,) = balances(balanced / CONDITIONAL)
    html = "".join(element.proto.body for element in at.get("html"))
    assert verdict(read_balance(folder)) in html
    assert len(charts(at)) == 4
    assert [tab.label for tab in at.tabs] == ["Table", "Confusions", "Training images", "Protocol"]
    assert at.dataframe[0].value["method"].tolist() in (["as it is", "generated, 1 ×"], ["generated, 1 ×", "as it is"])
    link, command = (code.value for code in at.code)
    (result,) = parse_qs(urlsplit(link).query)["balance"]
    assert result == f"{CONDITIONAL}/{folder.name}"
    assert command.startswith(f"python -m ganlib balance subset:digits@20:1 --generator {CONDITIONAL} --methods none")
    assert "no such comparison" in open_page("balance", balance="gone").warning[0].value


def test_a_damaged_result_hides_no_other(balanced, use, tmp_path):
    root = use(copy_of(balanced, tmp_path / "gallery"))
    damaged = root / CONDITIONAL / "balances" / "half"
    damaged.mkdir()
    (damaged / "balance.json").write_text('{"data": 3}')
    at = open_page("balance")
    (warning,) = at.warning
    assert is_one_sentence(warning.value)
    assert len(charts(at)) == 4


def test_a_comparison_is_made_in_a_process_and_opens(own_gallery, no_jobs):
    at = open_page("balance", generator=CONDITIONAL, imbalance="10:1")
    assert "No methods have been compared here yet" in "".join(element.proto.body for element in at.get("html"))
    at.multiselect(key="methods").set_value(["oversampling"])
    at.slider(key="balance_seeds").set_value(2)
    at = fine(at.run())
    (button,) = (button for button in at.button if button.label == "Compare")
    at = fine(button.click().run())
    job = jobs().latest
    assert job.request.title == "Handwritten digits, 10:1"
    at = fine(at.run())
    assert [button.label for button in at.button if button.label == "Stop"]
    job.stop()
    at = fine(at.run())
    assert "nothing was stored" in at.info[0].value


@pytest.mark.slow
def test_the_result_of_a_process_opens(own_gallery, no_jobs, monkeypatch):
    monkeypatch.setattr("ganlib.ui.balancing_form.TRAIN_IMAGES", 500)
    at = open_page("balance", generator=CONDITIONAL, imbalance="10:1")
    at.multiselect(key="methods").set_value(["none"])
    at.slider(key="balance_seeds").set_value(2)
    at = fine(at.run())
    (button,) = (button for button in at.button if button.label == "Compare")
    at = fine(button.click().run())
    end = monotonic() + 300
    while jobs().latest.running:
        assert monotonic() < end
        sleep(0.2)
    at = fine(at.run())
    assert any(message.value.startswith("Compared on") for message in at.success)
    assert len(charts(at)) == 4
