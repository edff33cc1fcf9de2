"""Logs of strangers: read in a process of its own, which may take so much memory and time and no more.

``python -m ganlib.logs.uploads PATH RESULT BYTES`` is that process: it leaves RESULT.parquet and RESULT.json, or on its
standard output the reason why there are none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from ganlib.errors import GanlibError
from ganlib.logs.archives import is_archive, unpack
from ganlib.logs.frame import SkippedLine
from ganlib.logs.reading import read
from ganlib.settings import child_environment, progress_interval

SECONDS = 60.0
MEMORY = 4_000_000_000  # bytes of addresses, of which Python and its packages take a third
SMALL = 200_000  # bytes of a file that is read at once: a process takes a second to start
LONGEST_LINE = 50_000_000  # bytes
MOST_TAGS = 5_000
FAILED = 3  # exit status of the process where it says why


def read_upload(path: Path) -> pd.DataFrame:
    """The frame of ``ganlib.logs.read``, of a file or of a ZIP of a tree. GanlibError also beyond the budget."""
    if not is_archive(path) and path.stat().st_size <= SMALL:
        return _checked(read(path), path)
    with TemporaryDirectory(prefix="ganlib-upload-") as folder:
        result = Path(folder, "result")
        _run(path, result)
        frame = pd.read_parquet(result.with_suffix(".parquet"))
        attrs = json.loads(result.with_suffix(".json").read_text())
        frame.attrs = attrs | {"skipped": [SkippedLine(*line) for line in attrs["skipped"]]}
        return frame


def _run(path: Path, result: Path) -> None:
    environment = child_environment(progress_interval()) | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ganlib.logs.uploads", str(path), str(result), str(MEMORY)]
    try:
        process = subprocess.run(
            command, timeout=SECONDS, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        raise _over_budget(path, f"{SECONDS:.0f} seconds") from None
    if process.returncode == FAILED:
        raise GanlibError(process.stdout.decode(errors="replace").strip())
    if process.returncode:  # killed, or aborted by a library that asked for more memory in vain
        raise _over_budget(path, f"{MEMORY / 1e6:,.0f} MB of memory")


def _over_budget(path: Path, budget: str) -> GanlibError:
    return GanlibError(f"{path.name} takes more than {budget} to read; upload fewer or shorter logs at a time.")


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    tags = len(frame["tag"].cat.categories)
    if tags > MOST_TAGS:
        raise GanlibError(f"{path.name} holds {tags:,} scalars; at most {MOST_TAGS:,} can be shown, so split it.")
    return frame


def _read_within_budget(path: Path, memory: int) -> pd.DataFrame:
    """In the process of its own."""
    with suppress(ImportError):  # where the system has no such bound, time alone is bounded
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if is_archive(path):
        return _checked(read(unpack(path)), path)
    with path.open("rb") as file:
        longest = max(map(len, file), default=0)
    if longest > LONGEST_LINE and path.suffix.lower() in (".jsonl", ".csv", ".tsv", ".txt", ".log"):
        raise GanlibError(
            f"{path.name} has a line of {longest / 1e6:,.0f} MB; lines of up to {LONGEST_LINE / 1e6:,.0f} MB are read, "
            "so split it."
        )
    return _checked(read(path), path)


def main(path: Path, result: Path, memory: int) -> int:
    try:
        frame = _read_within_budget(path, memory)
        attrs = frame.attrs | {"skipped": [list(line) for line in frame.attrs["skipped"]]}
        frame.attrs = {}
        frame.to_parquet(result.with_suffix(".parquet"), index=False)
        result.with_suffix(".json").write_text(json.dumps(attrs))
    except (MemoryError, ImportError):  # of a library that found no room
        print(_over_budget(path, f"{memory / 1e6:,.0f} MB of memory"))
        return FAILED
    except GanlibError as error:
        print(str(error).encode(errors="replace").decode())
        return FAILED
    except Exception as error:  # whatever a file holds ends in a sentence
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        print(f"{path.name} cannot be read ({reason}); check the file.")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
