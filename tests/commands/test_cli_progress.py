"""Progress lines, and the time left that they reckon."""

from __future__ import annotations

import pytest

from ganlib.commands.progress import ProgressLine, duration


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3725, "1:02:05")])
def test_durations_are_read_as_clocks_are(seconds, text):
    assert duration(seconds) == text


def test_each_stage_reckons_its_time_from_what_it_did_itself(monkeypatch, capsys):
    monkeypatch.setenv("GANLIB_PROGRESS", "0")
    clock = 0.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    line = ProgressLine()
    done = [("generated", 8_000), ("generated", 8_500), ("generated", 9_000), ("walked", 100), ("walked", 200)]
    for what, images in done:
        clock += 10
        line.update_stage("gan", what, images, 10_000)
    assert capsys.readouterr().err.splitlines() == [
        "gan  generated  8,000 of 10,000   80%",  # an earlier attempt may have left them
        "gan  generated  8,500 of 10,000   85%  0:30 left",
        "gan  generated  9,000 of 10,000   90%  0:20 left",
        "gan  walked  100 of 10,000    1%",
        "gan  walked  200 of 10,000    2%  16:20 left",
    ]
