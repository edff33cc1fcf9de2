"""Errors meant for people: one sentence that says what failed, why, and what to do next."""

from __future__ import annotations


class GanlibError(Exception):
    """Bad input. The command line prints it without a traceback, the dashboard in place of the result."""


def shortened(value: object, limit: int = 80) -> str:
    """The ``repr`` of a value for a sentence: a file may hold a number of thousands of digits."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
