"""Real or generated: one test that several people take by one link, each with their answers; the server counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from uuid import uuid4

import pandas as pd
import streamlit as st

from ganlib.errors import GanlibError
from ganlib.figures import human_error_bars
from ganlib.files import describe_os_error
from ganlib.metrics.human_error import (
    HumanTest,
    error_rates,
    human_error,
    human_error_record,
    human_test,
    published_human_error,
)
from ganlib.metrics.references import load_set
from ganlib.models.options import SEED_LIMIT
from ganlib.records import append_records
from ganlib.runs import Run
from ganlib.settings import read_only
from ganlib.ui import markup
from ganlib.ui.catalog import best_first, load_model
from ganlib.ui.chrome import as_sentences, finish
from ganlib.ui.links import check_link, check_link_number, draw_link, linked_selectbox
from ganlib.ui.markup import plain
from ganlib.ui.names import data_label, model_label, run_labels

COUNTS = (10, 20, 50, 100, 200)
SHIPPED = "digits"
SIDE = 384  # pixels at which an image is judged, at most: whole multiples of its own
SAVING_FAILED = "saving_failed"  # in the session: the error's sentence
POLL_SECONDS = 2.0  # between two looks at the others' answers


@dataclass
class Answers:
    """Of everybody who takes one test on this server: person -> image -> whether they called it generated."""

    by_person: dict[str, dict[int, bool]] = field(default_factory=dict)
    recorded: int = 0  # people in the record that was saved last
    lock: Lock = field(default_factory=Lock)

    def finished(self, n: int) -> dict[str, dict[int, bool]]:
        with self.lock:
            return {person: dict(given) for person, given in self.by_person.items() if len(given) == n}

    def give(self, person: str, image: int, generated: bool) -> None:
        with self.lock:
            self.by_person.setdefault(person, {})[image] = generated


def pick_test(runs: Sequence[Run]) -> tuple[Run, int, int]:
    """Run, number of images, number of the test: all of them in the link, so that others take the same."""
    names = [run.name for run in runs]
    check_link("run", names.__contains__, "there is no such run")
    name = linked_selectbox("Run", run_labels(runs), _default(runs).name, key="run")
    check_link("n", list(map(str, COUNTS)).__contains__, f"it can be {', '.join(map(str, COUNTS))}")
    n = st.select_slider("Images", COUNTS, value=20, key="n", bind="query-params")
    check_link_number("test", 0, SEED_LIMIT - 1)
    help = "The same number is the same test. Take another to see other images."
    test = st.number_input("Test", 0, SEED_LIMIT - 1, 0, 1, key="test", bind="query-params", help=help)
    return runs[names.index(name)], int(n), int(test)


def _default(runs: Sequence[Run]) -> Run:
    """The best run of the data that ship with ganlib, for which nothing has to be found or decoded; else the best."""
    ordered = best_first(runs)
    return next((run for run in ordered if run.data_name == SHIPPED), ordered[0])


@st.cache_resource(max_entries=16, show_spinner="Dealing the images…")
def _deal(weights_hash: str, n: int, test: int, _run: Run) -> tuple[HumanTest, Answers]:
    return human_test(_run, load_model(_run), load_set(_run, None, "test"), n, test), Answers()


def draw_guessing(run: Run, n: int, number: int) -> None:
    """The next image with its two buttons, or the result once all are judged."""
    try:
        test, answers = _deal(run.weights_hash, n, number, run)
    except GanlibError as error:  # mostly, the real images are not on this machine
        finish(str(error))
    person = st.session_state.setdefault("person", uuid4().hex)
    if person in answers.finished(n):
        _draw_result(test, answers, person, run)
    else:
        _judge(test, answers, person)


@st.fragment
@as_sentences()
def _judge(test: HumanTest, answers: Answers, person: str) -> None:
    image = len(answers.by_person.get(person, {}))
    if image == len(test):
        st.rerun()
    st.progress(image / len(test), plain(f"Image {image + 1} of {len(test)}"))
    with st.container(horizontal_alignment="center"):
        # Within the page, not as a file of the server's: that is gone when the next image comes.
        st.html(markup.single_image(test.images[image], f"Image {image + 1}: real or generated?", SIDE))
        with st.container(horizontal=True, horizontal_alignment="center"):
            for label, icon, shortcut, generated in [
                ("Real", "photo_camera", "Left", False),
                ("Generated", "memory", "Right", True),
            ]:
                st.button(
                    plain(label),
                    key=f"answer_{generated}",
                    icon=f":material/{icon}:",
                    shortcut=shortcut,
                    on_click=answers.give,
                    args=(person, image, generated),
                    width=180,
                )
    st.caption("Half of the images are real test images, half are generated. The arrow keys answer, too.")


def _draw_result(test: HumanTest, answers: Answers, person: str, run: Run) -> None:
    own = answers.finished(len(test))[person]
    wrong = [i for i, said in own.items() if said != test.generated[i]]
    st.subheader(
        f"You were wrong about {len(wrong)} of {len(test)} images, {len(wrong) / len(test):.0%}.", anchor=False
    )
    _draw_everybody(test, answers, run)
    st.caption("Your answers: what an image is, and what you took it for where you were wrong.")
    captions = [_caption(bool(test.generated[i]), i in wrong) for i in range(len(test))]
    st.html(markup.captioned_images(test.images, captions, "Judged images"))
    with st.container(horizontal=True):
        st.button("Take another test", icon=":material/casino:", on_click=_next_test, type="primary")
    draw_link({"run": run.name, "n": len(test), "test": st.session_state["test"]})


@st.fragment(run_every=POLL_SECONDS)
@as_sentences()
def _draw_everybody(test: HumanTest, answers: Answers, run: Run) -> None:
    """The rate of all who have finished, beside published ones; it follows those who still judge."""
    finished = answers.finished(len(test))
    value, interval = human_error(test, finished)
    judging = len(answers.by_person) - len(finished)
    people = "1 person" if len(finished) == 1 else f"{len(finished)} people"
    more = f", {judging} still judging" if judging > 0 else ""
    span = f"{interval.low:.0%} to {interval.high:.0%}"
    st.markdown(f"**{value:.0%}** of all answers were wrong ({plain(f'{span}; {people}{more}')}).")
    st.caption(f"{plain(interval.how)}. At 50 % people only guess.")
    here = {"model": f"{model_label(run)}, {data_label(run)}", "human_error": value, "source": "this test"}
    rows = pd.concat([pd.DataFrame([here]), published_human_error(run.data_name)], ignore_index=True)
    figure = human_error_bars(rows, interval.low, interval.high)
    st.plotly_chart(figure, config={"displayModeBar": False}, key="human_error_bars")
    rates = error_rates(test, finished)
    if len(rates) > 1:
        st.caption(plain("Each person: " + ", ".join(f"{rate:.0%}" for rate in sorted(rates.values()))))
    if read_only():
        return
    if error := st.session_state.get(SAVING_FAILED):
        st.error(plain(error), icon=":material/error:")
    if len(finished) > answers.recorded:
        st.button(
            "Save with the run's scores", icon=":material/save:", key="save", on_click=_save, args=(test, answers, run)
        )
    else:
        st.caption(plain(f"Saved as a score of {run.name}."))


def _save(test: HumanTest, answers: Answers, run: Run) -> None:
    finished = answers.finished(len(test))
    st.session_state.pop(SAVING_FAILED, None)
    try:
        append_records(run.folder.evaluation, [human_error_record(run, test, finished)])
        answers.recorded = len(finished)
    except GanlibError as error:  # Streamlit shows no text of an error in a callback
        st.session_state[SAVING_FAILED] = str(error)
    except OSError as error:
        st.session_state[SAVING_FAILED] = describe_os_error(error)


def _next_test() -> None:
    st.session_state["test"] = (st.session_state["test"] + 1) % SEED_LIMIT


def _caption(generated: bool, wrong: bool) -> str:
    names = ("real", "generated")
    return f"{names[generated]}, taken for {names[not generated]}" if wrong else names[generated]
