"""A megabyte of anything is read in a moment: no pattern backtracks, no work grows with the square of a line."""

from __future__ import annotations

import base64
import random
import string
import time
from contextlib import suppress

import pytest

from ganlib.logs import LogError, read

pytestmark = pytest.mark.slow

BYTES = 1_000_000
LIMIT = 4.0  # seconds of the processor; about one on a machine that does nothing else
HEADS = {
    "text": "".join(f"Epoch {i} d_loss: 0.1{i} g_loss: 1.0\n" for i in range(3)),
    "table": "step,loss\n1,0.5\n2,0.25\n",
    "lines": '{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.5}\n',
    "array": '[{"step": 1, "loss": 0.5}, ',
    "ticks": "tick 0     kimg 0.0      time 12s          sec/tick 1.5\n" * 2,
    "studiogan": "[INFO] 2020-03-01 10:01:00 > Step: 100 Progress: 0.1% Elapsed: 00:00:59 temp: 0 loss: 0.5\n" * 2,
    "nothing": "",
}
REPEATED = [
    "a", "1", ".", "(", ")", "[", "{", '"', "'", " ", "\t", ",", "1/", "1:", "1-", "1_", "1 ", "1,", "0.5 ", "a: 1 ",
    "loss=0.5,", "loss ", "epoch 1 ", "loss: ", "1%|", "\x1b[", "\x08", "\r", "a=1\n", "é", "\0", "1e", "-", "+-", "=",
    '{"a":', "[1,", "1 day, ", "1:00:", ";", "|", "tensor(", "\\", "nan ", "inf", '{"a": 1}\n', "f(" * 50 + "loss: 1\n",
    "\rEpoch 1:  50%|#####     | 50/100 [00:12<00:20,  2.1it/s, loss=0.3]",
]  # fmt: skip


def words(count: int, rng: random.Random) -> str:
    return " ".join("".join(rng.choices(string.ascii_lowercase, k=5)) for _ in range(count))


def bodies() -> dict[str, str]:
    rng = random.Random(0)
    result = {repr(text)[:20]: (text * (BYTES // len(text) + 1))[:BYTES] for text in REPEATED}
    result["base64"] = base64.b64encode(rng.randbytes(BYTES * 3 // 4)).decode()
    result["names"] = "".join(f"{words(1, rng)}: 1\n" for _ in range(BYTES // 9))
    result["prose"] = "".join(f"{words(4, rng)} loss {rng.random():.3f}\n" for _ in range(BYTES // 34))
    result["epochs"] = "".join(f"epoch {i} {words(1, rng)}: 0.5\n" for i in range(BYTES // 22))
    result["keys"] = "".join(f'{{"step": {i}, "k{i}": 1}}\n' for i in range(BYTES // 25))
    result["columns"] = ",".join(f"c{i}" for i in range(BYTES // 14)) + "\n" + "1," * (BYTES // 14 - 1) + "1\n"
    return result


@pytest.mark.parametrize("head", HEADS)
def test_a_megabyte(tmp_path, head):
    path = tmp_path / "log"
    slow = {}
    for name, body in bodies().items():
        path.write_bytes((HEADS[head] + body).encode())
        start = time.process_time()
        with suppress(LogError):
            read(path)
        if (seconds := time.process_time() - start) > LIMIT:
            slow[name] = seconds
    assert slow == {}


def test_a_line_of_digits_that_is_no_number_is_looked_at_once(tmp_path):
    (tmp_path / "log.csv").write_text("1\n2\n3\n" + "9" * 60_000 + "x\n")
    start = time.process_time()
    with suppress(LogError):
        read(tmp_path / "log.csv")
    assert time.process_time() - start < LIMIT  # 4,000 digits took 0.6 s, and the square of it
