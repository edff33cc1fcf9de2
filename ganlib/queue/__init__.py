"""A list of trainings, worked through one process each, for days: killed at any moment, it goes on where it was.

definition   the TOML file: entries, checked as a whole before anything starts
gallery      which entries the gallery holds already
state        what is done of each entry, on disk beside the runs
scheduler    which stage of which entry runs next
"""

from ganlib.queue.definition import Entry, read_queue
from ganlib.queue.scheduler import Scheduler
from ganlib.queue.state import Stage, State

__all__ = ["Entry", "Scheduler", "Stage", "State", "read_queue"]
