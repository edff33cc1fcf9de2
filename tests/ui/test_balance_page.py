"""Balance: a stored comparison with its files and its link, and starting one."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import parse_qs, urlsplit

import pytest

from ganlib.__main__ import main
from ganlib.applications.balancing.verdict import verdict
from ganlib.balances import FILE, balances, read_balance
from ganlib.data import load_data
from ganlib.ui.jobs import jobs
from helpers.gallery import CONDITIONAL, copy_of
from helpers.image_files import picture
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
    assert len(charts(at)) == 5
    assert [tab.label for tab in at.tabs] == [
        *("Table", "Classes", "Comparisons", "Confusions", "Training images", "Protocol")
    ]
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
    assert len(charts(at)) == 5


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
    assert "Compared again with the same choices, it goes on from there." in at.info[0].value


def test_the_data_set_is_chosen_first_and_its_counts_are_seen_at_once(own_gallery):
    at = open_page("balance", generator=CONDITIONAL)
    (sketch,) = charts(at)
    assert sketch["data"][0]["text"] == [str(n) for n in load_data("subset:digits@100:1").class_counts]
    assert at.selectbox(key="data").value == "digits"
    at.selectbox(key="imbalance").set_value("10")
    at = fine(at.run())
    assert charts(at)[0]["data"][0]["text"] == ["10"] * 10
    assert at.multiselect(key="equal_ratios").value == [2.0]
    at.multiselect(key="equal_ratios").set_value([1.0])
    at = fine(at.run())
    assert any("Nothing is missing at this ratio" in caption.value for caption in at.caption)
    (button,) = (button for button in at.button if button.label == "Compare")
    assert button.disabled


def test_an_uploaded_set_is_balanced_without_a_generator(own_gallery, no_jobs, monkeypatch):
    monkeypatch.setattr("ganlib.ui.balancing_form.TRAIN_IMAGES", 64)
    at = open_page("balance", data="upload", imbalance="as it is")
    assert [button for button in at.button if button.label == "Compare"] == []
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, count in (("cat", 10), ("dog", 5)):
            for i in range(count):
                archive.writestr(f"{name}/{i}.png", picture(i, (16, 16), "L"))
    at = fine(at.get("file_uploader")[0].set_value(("pets.zip", content.getvalue(), "application/zip")).run())
    assert charts(at)[0]["data"][0]["text"] == ["8", "4"]  # without a fifth, the test images
    assert at.selectbox(key="generator").options == ["none"]
    at.multiselect(key="plain_methods").set_value(["none", "oversampling"])
    at.slider(key="balance_seeds").set_value(2)
    at = fine(at.run())
    at = compare(at)
    (folder,) = balances(own_gallery)
    assert read_balance(folder).class_counts == (8, 4)
    assert any(message.value == "Compared on pets.zip." for message in at.success)
    (command,) = (code.value for code in at.code if "ganlib balance" in code.value)
    assert command.startswith("python -m ganlib balance folder:pets --methods")  # no path of the server


def compare(at):
    """The page after its comparison has ended."""
    (button,) = (button for button in at.button if button.label == "Compare")
    at = fine(button.click().run())
    end = monotonic() + 300
    while jobs().latest.running:
        assert monotonic() < end
        sleep(0.2)
    return fine(at.run())


def test_another_generator_changes_no_data_set(own_gallery):
    at = open_page("balance", generator=CONDITIONAL, imbalance="50")
    at.selectbox(key="generator").set_value("none")
    at = fine(at.run())
    assert at.selectbox(key="data").value == "digits"
    assert at.selectbox(key="imbalance").value == "50"
    assert at.multiselect(key="plain_methods").value == ["none", "reweighting", "oversampling", "augmentation"]
    (button,) = (button for button in at.button if button.label == "Compare")
    assert not button.disabled


def test_the_recall_of_chosen_methods_is_shown_with_intervals(balanced, use):
    use(balanced)
    at = open_page("balance")
    (folder,) = balances(balanced / CONDITIONAL)
    chosen = at.multiselect(key=f"recall_of_{CONDITIONAL}/{folder.name}")
    assert chosen.value == ["as it is", "generated, 1 ×"]
    chosen.set_value(["generated, 1 ×"])
    at = fine(at.run())
    (curve,) = next(chart["data"] for chart in charts(at) if "error_y" in chart["data"][0])
    assert curve["name"] == "generated, 1 ×"
    assert len(curve["error_y"]["array"]) > 0
    table, recalls, pairs = (frame.value for frame in at.dataframe[:3])
    training = table.set_index("method")["generator's training, min"]
    assert training["as it is"] == "–"
    assert recalls.columns.tolist() == ["method", *map(str, range(10))]
    assert pairs["against"].tolist() == ["as it is"]


def test_the_recalls_of_a_comparison_do_not_follow_to_another(balanced, use, tmp_path):
    root = use(copy_of(balanced, tmp_path / "gallery"))
    (folder,) = balances(root / CONDITIONAL)
    other = copy_of(folder, folder.with_name("another")) / FILE
    content = json.loads(other.read_text())
    content["provenance"]["date"] = "2026-01-01T00:00:00+00:00"
    other.write_text(json.dumps(content))
    first, second = (f"{CONDITIONAL}/{name}" for name in (folder.name, "another"))
    at = open_page("balance", balance=first)
    at = fine(at.multiselect(key=f"recall_of_{first}").set_value(["generated, 1 ×"]).run())
    at = fine(at.selectbox(key="balance").set_value(second).run())
    assert at.multiselect(key=f"recall_of_{second}").value == ["as it is", "generated, 1 ×"]


@pytest.mark.slow
def test_the_result_of_a_process_opens(own_gallery, no_jobs, monkeypatch):
    monkeypatch.setattr("ganlib.ui.balancing_form.TRAIN_IMAGES", 500)
    at = open_page("balance", generator=CONDITIONAL, imbalance="10:1")
    at.multiselect(key="methods").set_value(["none"])
    at.slider(key="balance_seeds").set_value(2)
    at = fine(at.run())
    at = compare(at)
    assert any(message.value.startswith("Compared on") for message in at.success)
    assert len(charts(at)) == 5
