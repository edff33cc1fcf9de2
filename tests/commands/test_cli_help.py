"""Help names the commands, and the default of every flag that has one."""

from __future__ import annotations

import argparse
from importlib import import_module

import pytest

from ganlib.__main__ import COMMANDS, main


def test_without_a_command_the_commands_are_listed(capsys):
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
    text = capsys.readouterr().err
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_name_their_defaults(name):
    parser = argparse.ArgumentParser()
    import_module(f"ganlib.commands.{COMMANDS[name][0]}").add(parser, [name, "dcgan"])
    for action in parser._actions:
        assert action.help, action.dest
        if action.option_strings and action.default not in (None, False, [], "", argparse.SUPPRESS):
            assert "(default: " in action.help, action.dest
        assert "None" not in action.help, action.dest


def test_a_command_of_one_process_refuses_torchrun(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["list", "models"]) == 1
    assert "list works in one process: start it without torchrun, which shares evaluate, sample and train." in (
        capsys.readouterr().err
    )
