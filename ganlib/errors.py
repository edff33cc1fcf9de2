"""Errors meant for people: one sentence that says what failed, why, and what to do next."""

from __future__ import annotations


class GanlibError(Exception):
    """Bad input. The command line prints it without a traceback, the dashboard in place of the result."""
