"""Which metrics and tests notice which fault: ``python -m benchmarks.courtroom [--n N] [--out FILE]``.

CIFAR-10's test images are the real side, the suspects and what is held out; its training images are what copies are of.
The features are EfficientNet-Lite0's (``--network`` names another). The file has one row a fault, strength and
instrument; ``python -m docs.two_sample`` draws it. ``--instruments distances`` measures FID and its like alone, cheap
enough for ``--n 3000``; ``--out docs/disturbances.csv`` is where their figure is drawn from.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from ganlib.commands.progress import ProgressLine
from ganlib.data import load_data
from ganlib.devices import pick_device
from ganlib.runs import find_run
from ganlib.twosample.courtroom import INSTRUMENTS, courtroom, thresholds
from ganlib.twosample.features import feature_network

DATA, NETWORK, CLASSIFIER = "cifar10-jpeg", "efficientnet_lite0", "cifar10-classifier"
TRAINING = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1_000, help="images a side (default: 1000)")
    parser.add_argument("--network", default=NETWORK, help=f"extractor (default: {NETWORK})")
    parser.add_argument("--faults", nargs="*", default=(), help="some of them (default: all)")
    names = [instrument.__name__ for instrument in INSTRUMENTS]
    parser.add_argument("--instruments", nargs="*", default=names, choices=names, help="some of them (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/courtroom.csv"))
    args = parser.parse_args()
    data = load_data(DATA)
    rows = np.random.default_rng([args.seed, 9]).permutation(len(data.test))[: 3 * args.n]
    training = np.array(data.train.images[:: len(data.train) // TRAINING])
    network = feature_network(args.network, pick_device("auto"), find_run(CLASSIFIER))
    with closing(ProgressLine()) as line:
        frame = courtroom(
            np.array(data.test.images[rows]),
            np.array(data.test.labels[rows]),
            training,
            network,
            n=args.n,
            faults=tuple(args.faults),
            instruments=tuple(one for one in INSTRUMENTS if one.__name__ in args.instruments),
            seed=args.seed,
            progress=partial(line.update_stage, "courtroom"),
        )
    frame.to_csv(args.out, index=False)
    print(thresholds(frame).to_string(na_rep="never"))


if __name__ == "__main__":
    main()
