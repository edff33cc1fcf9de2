"""Do the two-sample tests reject as often as they say: ``python -m benchmarks.two_sample_calibration [--out FILE]``.

level   pairs of random subsets of real images, disjoint: each test should reject 5 % of them; the band is that in
        which 95 of 100 counts of so many pairs lie
power   a share of the second subset is drawn from the vehicles alone: how often each test notices

The images are CIFAR-10's test images, the features EfficientNet-Lite0's, computed once. Copies are looked for among
training images; the accusation of a single fresh image counts as a rejection. Each pair is a row of
two_sample_pairs.csv as soon as it is done (shift, seed, repeat, and 0 or 1 for each test), and an interrupted program
goes on from there. The other file has one row a test and shift: test, shift, rejected (share), repeats, low and high of
the band for 5 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import binom

from ganlib.data import load_data
from ganlib.devices import pick_device
from ganlib.twosample.feature_tests import energy_test, ks_tests, rejected, t_tests
from ganlib.twosample.features import feature_network
from ganlib.twosample.groups import Grouping, halves
from ganlib.twosample.memorisation import image_points, memorisation
from ganlib.twosample.network import apply, train
from ganlib.twosample.separation import separate
from ganlib.twosample.strong import logistic_scores, neighbour_test

DATA, NETWORK = "cifar10-jpeg", "efficientnet_lite0"
SHIFTS = (0.1, 0.2, 0.4, 0.8)
VEHICLES = (0, 1, 8, 9)  # of CIFAR-10's classes: airplane, automobile, ship, truck
ALPHA = 0.05
TRAINING = 5_000  # images among which copies are looked for
CPU = torch.device("cpu")

Rows = NDArray[np.int64]


class Material:
    """Test images of a data set with their features, and coarse training images."""

    def __init__(self, device: torch.device) -> None:
        data = load_data(DATA)
        self.images = np.array(data.test.images)
        self.labels = np.array(data.test.labels)
        self.features = feature_network(NETWORK, device, None)(self.images, store=True)
        self.points = image_points(self.images)
        self.training = image_points(np.array(data.train.images[:: len(data.train) // TRAINING]))[0]


def draw(labels: Rows, n: int, shift: float, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Rows of two disjoint subsets of n images; a ``shift`` of the second is of vehicles alone."""
    order, planted = rng.permutation(len(labels)), round(shift * n)
    first, second, rest = order[:n], order[n : 2 * n - planted], order[2 * n - planted :]
    return first, np.concatenate([second, rest[np.isin(labels[rest], VEHICLES)][:planted]])


def rejections(material: Material, first: Rows, second: Rows, seed: int) -> Iterator[tuple[str, bool]]:
    """(test, whether it says that the subsets differ)."""
    rows, n = np.concatenate([first, second]), len(first)
    images, features = material.images[rows], material.features[rows]
    is_real, groups = np.arange(2 * n) < n, np.arange(2 * n)
    training = halves(is_real, Grouping(groups, []), seed)
    held_out = ~training
    network = train(images[training], is_real[training], CPU, seed=seed)
    classifiers = {
        "small network": apply(network, images, CPU)[0],
        "logistic regression": logistic_scores(features, is_real, training),
    }
    for name, scores in classifiers.items():
        yield name, separate(scores[held_out & is_real], scores[held_out & ~is_real], resamples=1).differs
    yield "nearest neighbour", neighbour_test(features, is_real, groups, seed=seed).p_value < ALPHA
    yield "energy distance", energy_test(features[:n], features[n:], seed=seed, permutations=199).p_value <= ALPHA
    for name, test in (("t-test, BY", t_tests), ("Kolmogorov-Smirnov, BY", ks_tests)):
        yield name, rejected(test(features[:n], features[n:]), control=True) > 0
    views = [[points[part] for points in material.points] for part in (first, second)]
    result = memorisation(material.training, *views)
    yield "nearer to training images", result.p_value < ALPHA
    yield "copies accused", result.copies > 0


def measure(material: Material, pairs: Path, n: int, shift: float, repeats: int, seed: int) -> None:
    """Adds the pairs that the file lacks to it, one by one."""
    done = read_pairs(pairs)
    present = set(done.loc[(done["shift"] == shift) & (done["seed"] == seed) & (done["n"] == n), "repeat"])
    for repeat in sorted(set(range(repeats)) - present):
        rng = np.random.default_rng([seed, round(100 * shift), repeat])
        subsets = draw(material.labels, n, shift, rng)
        results = {test: int(differs) for test, differs in rejections(material, *subsets, seed=repeat)}
        row = pd.DataFrame([{"shift": shift, "seed": seed, "repeat": repeat, "n": n} | results])
        row.to_csv(pairs, mode="a", header=not pairs.exists(), index=False)
        print(f"shift {shift:g}  {repeat + 1} of {repeats}  {results}", flush=True)


def read_pairs(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["shift", "seed", "repeat", "n"])


def summarise(pairs: pd.DataFrame) -> pd.DataFrame:
    """One row a test and shift."""
    frames = []
    for (shift, n), rows in pairs.groupby(["shift", "n"]):
        tests = rows.drop(columns=["shift", "seed", "repeat", "n"])
        low, high = binom.ppf([0.025, 0.975], len(rows), ALPHA) / len(rows)
        frame = pd.DataFrame({"test": tests.columns, "shift": shift, "n": n, "rejected": tests.mean().to_numpy()})
        frames.append(frame.assign(repeats=len(rows), low=low, high=high))
    return pd.concat(frames, ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=400, help="images of a subset (default: 400)")
    parser.add_argument("--repeats", type=int, default=200, help="pairs without a shift (default: 200)")
    parser.add_argument("--power-repeats", type=int, default=25, help="pairs of each shift (default: 25)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/two_sample_calibration.csv"))
    args = parser.parse_args()
    pairs = args.out.with_name("two_sample_pairs.csv")
    material = Material(pick_device("auto"))
    for shift in (0.0, *SHIFTS):
        repeats = args.power_repeats if shift else args.repeats
        measure(material, pairs, args.n, shift, repeats, args.seed)
        summarise(read_pairs(pairs)).to_csv(args.out, index=False)
    print(summarise(read_pairs(pairs)).to_string(index=False))


if __name__ == "__main__":
    main()
