"""Human error rate: how often people take a generated image for a real one, or a real one for generated.

0.5 is guessing. Real images are of the test split, each generated one of the class of a real one, so that neither a
known training image nor the class gives a side away; both are shown at the same size. Published rates: Stein et al.,
arXiv:2306.04675 (about 25 of 200 CIFAR-10 images a person and model); HYPE, arXiv:1904.01121.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.data import DataSet
from ganlib.errors import GanlibError
from ganlib.intervals import LEVEL, t_half_width, wilson_interval
from ganlib.metrics.protocol import protocol
from ganlib.models import GenerativeModel
from ganlib.models.options import SEED_LIMIT
from ganlib.provenance import commit, now, versions
from ganlib.records import Interval, Record
from ganlib.runs import Run
from ganlib.sampling import sample

FILE = Path(__file__).with_name("published_human_error.csv")
LEAST, MOST = 4, 200  # images of a test

Answers = Mapping[str, Mapping[int, bool]]  # person -> image -> whether they called it generated


@dataclass(frozen=True)
class HumanTest:
    """Real and generated images in random order, the same for one run, number and seed."""

    images: NDArray[np.uint8]  # (N, H, W, C)
    generated: NDArray[np.bool_]  # (N,)
    seeds: NDArray[np.int64]  # (N,) of the generated ones, index in the test split of the real ones

    def __len__(self) -> int:
        return len(self.images)


def human_test(run: Run, model: GenerativeModel, data: DataSet, n: int, seed: int = 0) -> HumanTest:
    """``n`` images, an even number from 4 to 200: one half real, one half generated at default options."""
    if not LEAST <= n <= MOST or n % 2:
        raise GanlibError(f"A test has an even number of images from {LEAST} to {MOST}, not {n}.")
    split, half = data.test, n // 2
    if len(split.images) < half:
        raise GanlibError(f"{data.name} has {len(split.images)} test images, too few for {half}; take fewer.")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(split.images), half, replace=False)
    seeds = rng.choice(SEED_LIMIT, half, replace=False)
    labels = split.labels[chosen].tolist() if model.conditional else None
    images = np.concatenate([split.images[chosen], sample(model, seeds.tolist(), labels)])
    order = rng.permutation(n)
    generated = np.arange(n) >= half
    return HumanTest(images[order], generated[order], np.concatenate([chosen, seeds])[order])


def error_rates(test: HumanTest, answers: Answers) -> dict[str, float]:
    """person -> fraction of their answers that are wrong; who answered nothing is left out."""
    return {
        person: float(np.mean([said != test.generated[i] for i, said in given.items()]))
        for person, given in answers.items()
        if given
    }


def human_error(test: HumanTest, answers: Answers) -> tuple[float, Interval]:
    """Mean over people of their error rates, with a 95 % interval over people: Student's t, within [0, 1].

    People who agree by chance would have none: it holds Wilson's interval of all answers. Of one person it is that
    of their answers, which says nothing about other people.
    """
    rates = list(error_rates(test, answers).values())
    if not rates:
        raise GanlibError("Nobody has answered yet; judge some images first.")
    wrong = [said != test.generated[i] for given in answers.values() for i, said in given.items()]
    of_answers = wilson_interval(int(sum(wrong)), len(wrong))
    if len(rates) == 1:
        how = f"{LEVEL:.0%}: Wilson's score interval of one person's {len(wrong)} answers"
        return rates[0], Interval(of_answers.low, of_answers.high, how)
    mean, half = fmean(rates), t_half_width(rates)
    low, high = min(max(mean - half, 0.0), of_answers.low), max(min(mean + half, 1.0), of_answers.high)
    how = f"{LEVEL:.0%}: t-interval over {len(rates)} people, at least Wilson's score interval of {len(wrong)} answers"
    return mean, Interval(low, high, how)


def human_error_record(run: Run, test: HumanTest, answers: Answers) -> Record:
    """``human_error`` of the run's weights under the test's protocol."""
    value, interval = human_error(test, answers)
    rates = error_rates(test, answers)
    generated = int(test.generated.sum())
    few = "One person's answers: other people may see more or less." if len(rates) == 1 else None
    return Record(
        metric="human_error",
        value=value,
        interval=interval,
        blocks=tuple(rates.values()),
        protocol=protocol(run, None, n_real=len(test) - generated, n_fake=generated, split="test"),
        warning=few,
        labels="proportional" if run.config.num_classes else "none",
        images_seen=run.images_seen,
        weights_hash=run.weights_hash,
        versions=versions(),
        commit=commit(),
        date=now(),
        extra={"people": len(rates), "answers": sum(map(len, answers.values()))},
    )


def published_human_error(data: str) -> pd.DataFrame:
    """``model``, ``human_error``, ``source``; empty where none is known. Known are values of CIFAR-10."""
    frame = pd.read_csv(FILE)
    return frame if data.startswith("cifar10") else frame[:0]
