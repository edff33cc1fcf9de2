"""The commands in the documents are such as the command line takes."""

from __future__ import annotations

import argparse
import re
import shlex
from importlib import import_module

import pytest

from docs.gallery import GALLERY
from ganlib.__main__ import COMMANDS
from ganlib.config import given
from ganlib.errors import GanlibError
from ganlib.metrics.config import EvaluationConfig
from helpers.gallery import PROJECT

DOCUMENTS = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_are_taken_by_the_parser(document, monkeypatch):
    monkeypatch.setenv("GANLIB_GALLERY", str(GALLERY))
    monkeypatch.delenv("GANLIB_RUNS", raising=False)
    commands = commands_of(document.read_text(encoding="utf-8"))
    assert [command for command in commands if not is_taken(command)] == []


def test_a_command_that_would_fail_is_found():
    code = "python -m ganlib train sngan \\\n  --width 3\nganlib compare a#test b  # two\nimport ganlib\n"
    commands = commands_of(f"```\n{code}```\nganlib sample")
    assert commands == ["train sngan    --width 3", "compare a#test b  # two"]
    assert [is_taken(command) for command in commands] == [False, True]


def test_evaluations_that_pages_suggest_are_such_as_it_makes():
    files = [*PROJECT.glob("ganlib/ui/*.py"), *PROJECT.glob("pages/*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    suggested = re.findall(r'ganlib (evaluate RUN[^"()]*)"', text)  # at the end of a sentence
    assert len(suggested) > 3
    assert [command for command in suggested if not is_taken(command)] == []


def commands_of(text: str) -> list[str]:
    """What follows "ganlib" in blocks of code; where one lists what may follow in brackets, nothing does."""
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = [match[1] for line in lines if (match := re.search(r"(?:^|\s)ganlib ([a-z]+(?: .*)?)$", line))]
    return [command for command in found if command.split()[0] in COMMANDS and "[--" not in command]


def is_taken(command: str) -> bool:
    """Whether its flags exist and take such values. Runs, folders and files need not be there."""
    words = shlex.split(re.sub(r" #.*| & done$", "", command).replace("$port", "8501"))
    if "--resume" in words:  # only the run would tell the flags of its architecture
        return True
    parser = argparse.ArgumentParser()
    import_module(f"ganlib.commands.{COMMANDS[words[0]][0]}").add(parser, words)
    try:
        args = parser.parse_args(words[1:])
        if words[0] == "evaluate":
            EvaluationConfig.from_dict(given(args, EvaluationConfig))
    except (SystemExit, GanlibError):
        return False
    return True
