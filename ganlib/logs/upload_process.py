"""The process that reads an upload: ``python -m ganlib.logs.upload_process PATH RESULT MEMORY PICTURES``.

MEMORY and PICTURES are bytes: those that it may use, and those that pictures may have. It leaves the frame in
RESULT.parquet and RESULT.json, or on its standard output the reason why there is none; then the pictures of notebooks
in RESULT.pictures.json, or the reason why there are none.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pandas as pd

from ganlib.errors import GanlibError
from ganlib.logs.archives import is_archive, unpack
from ganlib.logs.notebook_samples import NotebookSample, notebook_samples
from ganlib.logs.reading import read

MAIN = "ganlib.logs.upload_process"  # as ``python -m`` takes it
LONGEST_LINE = 50_000_000  # bytes
MOST_TAGS = 5_000
FAILED = 3  # exit status of the process where it says why


def main(path: Path, result: Path, memory: int, picture_bytes: int) -> int:
    try:
        frame = _read_within_budget(path, memory)
        _store_frame(frame, result)
        samples = notebook_samples(frame.attrs["notebooks"], frame.attrs["step_units"])
        _store_pictures(samples, result.with_suffix(".pictures.json"), picture_bytes)
    except (MemoryError, ImportError):  # of a library that found no room
        print(over_budget(path, f"{memory / 1e6:,.0f} MB of memory"))
        return FAILED
    except GanlibError as error:
        print(str(error).encode(errors="replace").decode())
        return FAILED
    except Exception as error:  # whatever a file holds ends in a sentence
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        print(f"{path.name} cannot be read ({reason}); check the file.")
        return FAILED
    return 0


def check_size(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """GanlibError for more scalars than can be chosen from."""
    tags = len(frame["tag"].cat.categories)
    if tags > MOST_TAGS:
        raise GanlibError(f"{path.name} holds {tags:,} scalars; at most {MOST_TAGS:,} can be shown, so split it.")
    return frame


def over_budget(path: Path, budget: str) -> str:
    return f"{path.name} takes more than {budget} to read; upload fewer or shorter logs at a time."


def _read_within_budget(path: Path, memory: int) -> pd.DataFrame:
    with suppress(ImportError):  # where the system has no such bound, time alone is bounded
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if is_archive(path):
        return check_size(read(unpack(path)), path)
    with path.open("rb") as file:
        longest = max(map(len, file), default=0)
    if longest > LONGEST_LINE and path.suffix.lower() in (".jsonl", ".csv", ".tsv", ".txt", ".log"):
        raise GanlibError(
            f"{path.name} has a line of {longest / 1e6:,.0f} MB; lines of up to {LONGEST_LINE / 1e6:,.0f} MB are read, "
            "so split it."
        )
    return check_size(read(path), path)


def _store_frame(frame: pd.DataFrame, result: Path) -> None:
    """The JSON last and in one go: where it is, the frame is whole."""
    attrs = frame.attrs | {"skipped": [list(line) for line in frame.attrs["skipped"]]}
    bare = frame.copy(deep=False)
    bare.attrs = {}
    bare.to_parquet(result.with_suffix(".parquet"), index=False)
    partial = result.with_suffix(".part")
    partial.write_text(json.dumps(attrs))
    partial.rename(result.with_suffix(".json"))


def _store_pictures(samples: dict[str, list[NotebookSample]], path: Path, budget: int) -> None:
    size = sum(len(sample.content) for own in samples.values() for sample in own)
    if size > budget:
        raise GanlibError(
            f"they take {size / 1e6:,.1f} MB, and {budget / 1e6:,.1f} MB are shown; upload fewer notebooks at a time."
        )
    encoded = {
        run: [[s.moment, b64encode(s.content).decode(), s.step, s.cell] for s in own] for run, own in samples.items()
    }
    path.write_text(json.dumps(encoded))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
