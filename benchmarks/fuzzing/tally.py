"""What was tried so far, by target and seed, in a file that many sessions add to."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.fuzzing.processes import Outcome
from ganlib.files import write_atomically


class Tally:
    """``file``: JSON, target -> seed -> ``Outcome``, whose inputs are those from 0 on; None keeps it in memory."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        content = json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else {}
        self.outcomes = {
            name: {int(seed): Outcome(**outcome) for seed, outcome in by_seed.items()}
            for name, by_seed in content.items()
        }

    def of_seed(self, name: str, seed: int) -> Outcome:
        return self.outcomes.setdefault(name, {}).setdefault(seed, Outcome())

    def total(self, name: str) -> Outcome:
        total = Outcome()
        for outcome in self.outcomes.get(name, {}).values():
            total.merge(outcome)
        return total

    def save(self) -> None:
        if self.file:
            content = {name: {str(s): asdict(o) for s, o in by.items()} for name, by in sorted(self.outcomes.items())}
            write_atomically(self.file, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
