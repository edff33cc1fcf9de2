"""What is done of an entry, read back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ganlib.commands.queue import latest
from ganlib.queue import Entry, read_queue
from ganlib.queue.state import Stage, State, StateFolder

WHOLE = State(Stage.EVALUATE, evaluated=1, images=300, max_minutes=1.5, failures=2, failed=True, progress=9, error="x")


def test_a_state_comes_back(tmp_path):
    states = StateFolder(tmp_path)
    states.write("a", WHOLE)
    assert states.read("a") == WHOLE


def test_stages_follow_one_another_past_those_without_evaluations(tmp_path):
    file = tmp_path / "queue.toml"
    entry = '[[run]]\nname = "a"\nmodel = "dcgan"\ndata = "digits"\nimages = 9\nat = [0.5]\n'
    file.write_text(entry)
    (both,) = read_queue(file)

    def course(entry: Entry, snapshots: int) -> list[tuple[str, int]]:
        state, steps = State(), []
        while state.stage is not Stage.DONE:
            state = state.next(entry, snapshots)
            steps.append((str(state.stage), state.evaluated))
        return steps

    evaluations = [("halve", 0), ("evaluate", 0), ("evaluate", 1), ("done", 2)]
    assert course(both, 0) == evaluations
    assert course(both, 2) == [("snapshots", i) for i in range(4)] + evaluations
    assert course(replace(both, evaluations=(), halve=False), 2) == [("done", 0)]
    left = State(Stage.EVALUATE, evaluated=2)
    assert left.settled(both).stage is Stage.DONE  # of an entry that had more evaluations before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("stage", "none"), ("images", "many"), ("evaluated", -1), ("failed", 0), ("error", None), ("other", 1)],
        *[("progress", [1]), ("max_minutes", "1"), ("failures", 1.5)],
    ],
)
def test_a_damaged_state_is_that_of_an_entry_not_begun(field, value, tmp_path):
    states = StateFolder(tmp_path)
    states.write("a", WHOLE)
    file = states.path / "a.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {field: value}))
    assert states.read("a") == State()


def test_time_in_which_a_run_was_stopped_is_not_training(tmp_path):
    times = [0, 10, 20, 30, 40, 5000, 5010]
    rows = "".join(f"{i},{16 * i},{1.7e9 + seconds}\n" for i, seconds in enumerate(times, 1))
    (tmp_path / "log.csv").write_text(f"step,images,wall_time\n{rows}")
    assert latest(tmp_path / "log.csv") == (112, 60.0)


def test_a_clock_that_was_put_back_makes_no_negative_time(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("step,images,wall_time\n1,16,1700000000.0\n2,32,1600000000.0\n")
    assert latest(log) == (32, 0.0)
    log.write_text("step,images,wall_time\n1,16,1700000000.0\n2,32,1700000060.0\n")
    assert latest(log) == (32, 60.0)
