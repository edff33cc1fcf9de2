"""Trains the same classifier on a data set balanced in several ways, and tests it on real images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ganlib.applications.balancing.config import FILLING, BalanceConfig
from ganlib.applications.balancing.finished import Classified, Finished
from ganlib.applications.balancing.scores import confusion, predict, scores
from ganlib.applications.balancing.treatments import AUGMENTATION, Treatment, class_weights, missing, treat
from ganlib.applications.export.filters import Confidence, Distance, Filter
from ganlib.applications.export.selection import MOST_DRAWN, Draw, Selection, samples_of
from ganlib.applications.variation import augments, variations_of
from ganlib.balances import Balance
from ganlib.data import DataSet, Split, load_data
from ganlib.devices import hardware
from ganlib.errors import GanlibError
from ganlib.metrics.cas import CLASSIFIER, train
from ganlib.models import MODELS, GenerativeModel, Trainable
from ganlib.provenance import commit, now, versions
from ganlib.runs import Run
from ganlib.sampling import check_options
from ganlib.training import TrainingConfig

FILTERED = "filtered"
KEEP_SECONDS = 20.0  # so much of selecting images an interruption loses at most
LEAST = 1  # images of a class: without any there is nothing to copy and nothing that a generator could have learnt

Progress = Callable[[str, int, int], None]  # (stage, done, in all)
Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def balance(
    data_name: str,
    generator: Run | None,
    config: BalanceConfig,
    device: torch.device,
    *,
    options: dict[str, Any] | None = None,
    folder: Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Balance:
    """``generator``: a conditional run of the same classes, for the methods that generate; trained, as is fair, on the
    imbalanced set alone. ``folder``: into which the result is written, which an interrupted comparison goes on from.
    GanlibError says what does not fit.
    """
    shape = generator.config if generator else None
    data = load_data(
        data_name,
        size=shape.image_size if shape else None,
        channels=shape.channels if shape else None,
        root=config.data_root,
    )
    counts = _counts(data)
    treatments, warnings = _treatments(config, data.name, counts)
    protocol = _protocol(data, generator, config, options or {})
    provenance = {"versions": versions(), "commit": commit(), "hardware": hardware(device)}
    finished = Finished(folder, protocol | provenance) if folder else None
    work = _Work(data, config, device, progress, len(treatments) * config.seeds, finished)
    generated: dict[str, tuple[Images, Labels]] = {}
    generation: dict[str, Any] = {}
    if any(treatment.generates for treatment in treatments):
        if generator is None:
            raise GanlibError("Some methods generate images; name a --generator, or leave them out of --methods.")
        _require_fit(generator, data)
        if generator.recipe.data.train and generator.fingerprint("train") != data.train.fingerprint:
            warnings.append(
                f"{generator.name} was trained on other images than {data.name}: what it knows of rare classes may "
                "come from images that the classifier is denied."
            )
        generated, generation, refused = _generate(work, generator, counts, treatments, options or {})
        generation["training_seconds"] = generator.training_seconds
        if refused:
            left_out = [t for t in treatments if t.method == FILTERED and not _suffices(generated, counts, t.ratio)]
            treatments = [treatment for treatment in treatments if treatment not in left_out]
            if not treatments:
                raise refused
            ratios = " and ".join(f"{treatment.ratio:g}" for treatment in left_out)
            warnings.append(f"The filtered images are left out at ratio {ratios}. {refused}")
            work.total = len(treatments) * config.seeds
    rows, matrices = [], []
    for treatment in treatments:
        source = FILTERED if treatment.method == FILTERED else "generated"
        matrix = np.zeros((data.num_classes, data.num_classes), np.int64)
        for seed in range(config.seeds):
            row, predicted = work.classify(treatment, generated.get(source, _nothing(data)), seed)
            rows.append(row)
            matrix += confusion(data.test.labels, predicted, data.num_classes)
        matrices.append(_long(treatment, matrix))
    return Balance(
        data=data.name,
        generator=generator.name if generator else "",
        classes=data.classes,
        class_counts=tuple(counts.tolist()),
        protocol=protocol,
        classifiers=pd.DataFrame(rows),
        confusions=pd.concat(matrices, ignore_index=True),
        generation=generation,
        warnings=warnings,
        provenance=provenance | {"date": now()},
    )


def _treatments(config: BalanceConfig, name: str, counts: NDArray[np.int64]) -> tuple[list[Treatment], list[str]]:
    """Without those that would leave the set as it is, and a warning of them; GanlibError where every ratio does."""
    ratios = [ratio for ratio in dict.fromkeys(config.ratios) if missing(counts, ratio).any()]
    left_out = " and ".join(f"{ratio:g}" for ratio in dict.fromkeys(config.ratios) if ratio not in ratios)
    methods = list(dict.fromkeys(config.methods))
    filling = any(method in FILLING for method in methods)
    nothing = f"Nothing is missing at ratio {left_out}: no class of {name} has fewer images than that"
    if filling and not ratios:
        above = counts.min() / counts.max()
        raise GanlibError(f"{nothing}; raise --ratios above {above:.3g}, like --ratios {2 * above:.3g}.")
    treatments = [Treatment(method, ratio) for method in methods for ratio in (ratios if method in FILLING else [0.0])]
    return treatments, [f"{nothing}, so that it was left out."] if filling and left_out else []


def _counts(data: DataSet) -> NDArray[np.int64]:
    data.require_classes("Balancing")
    counts = np.array(data.class_counts)
    if counts.min() < LEAST:
        empty = data.classes[int(counts.argmin())]
        raise GanlibError(
            f"{data.name} has no training image of the class {empty!r}; choose a set that has some of each."
        )
    return counts


def fills_up_classes(run: Run) -> bool:
    """Whether it makes images of a class, of seeds or of others of this class."""
    return run.conditional or augments(run.blueprint)


def _require_fit(run: Run, data: DataSet) -> None:
    if not fills_up_classes(run):
        raise GanlibError(f"{run.name} takes no class, so that it cannot fill up rare ones; choose a conditional run.")
    if run.classes != data.classes:
        raise GanlibError(
            f"{run.name} does not generate the classes of {data.name}; choose a run that was trained on them."
        )


@dataclass
class _Work:
    data: DataSet
    config: BalanceConfig
    device: torch.device
    progress: Progress
    total: int  # classifiers
    finished: Finished | None
    done: int = 0

    def classify(
        self, treatment: Treatment, generated: tuple[Images, Labels], seed: int
    ) -> tuple[dict[str, Any], Labels]:
        """Train and test one classifier: its row, and what it takes each test image for."""
        known = self.finished.read(treatment, seed) if self.finished else None
        if known is None or len(known.predicted) != len(self.data.test):
            known = self._classified(treatment, generated, seed)
            if self.finished:
                self.finished.write(treatment, seed, known)
        self.done += 1
        self.progress("classifiers", self.done, self.total)
        row: dict[str, Any] = {"method": treatment.method, "ratio": treatment.ratio, "seed": seed}
        row |= {"images": known.images, "generated": known.generated}
        row |= scores(np.asarray(self.data.test.labels), known.predicted, self.data.num_classes)
        return row | {"seconds": known.seconds}, known.predicted

    def _classified(self, treatment: Treatment, generated: tuple[Images, Labels], seed: int) -> Classified:
        start = monotonic()
        training = treat(self.data, treatment, generated, seed)
        classifier = self.train(training.data, seed, training.class_weights, f"{treatment}, seed {seed}")
        predicted = predict(classifier, self.data.test, self.device)
        return Classified(len(training.data.train), training.generated, round(monotonic() - start, 1), predicted)

    def select(
        self, source: str, selection: Selection, filters: Callable[[], list[Filter]]
    ) -> tuple[tuple[Images, Labels], float]:
        """Its images and their classes, and the seconds that this took, with those before an interruption.

        ``filters`` trains a classifier for a minute or two, which is not needed where nothing is left to select.
        """
        start = monotonic()
        seeds, before = self.finished.read_seeds(source) if self.finished else ([], 0.0)
        selection.skip(seeds)
        if len(seeds) < selection.total:
            selection.filters = filters()
        labels = [selection.label(seed) for seed in seeds]
        parts, kept = [_nothing(self.data)[0]], start
        for i in range(0, len(seeds), MOST_DRAWN):
            parts.append(selection.draw(seeds[i : i + MOST_DRAWN], labels[i : i + MOST_DRAWN]))

        def keep() -> None:
            if self.finished:
                self.finished.write_seeds(source, seeds, before + monotonic() - start)

        for part in selection:
            seeds += [picture.seed for picture in part]
            labels += [selection.label(picture.seed) for picture in part]
            parts.append(np.stack([picture.image for picture in part]))
            self.progress(f"{source} images", len(seeds), selection.total)
            if monotonic() - kept > KEEP_SECONDS:
                keep()
                kept = monotonic()
        keep()
        return (np.concatenate(parts), np.array(labels, np.int64)), round(before + monotonic() - start, 1)

    def train(self, data: DataSet, seed: int, class_weights: tuple[float, ...], stage: str) -> Any:
        training = TrainingConfig(
            images=self.config.train_images,
            batch_size=MODELS[CLASSIFIER].training_defaults["batch_size"],
            seed=seed,
            precision="fp32",
        )

        def report(_: str, done: int, total: int) -> None:
            self.progress(stage, done, total)

        return train(data, training, self.device, report, width=self.config.width, class_weights=class_weights)


def _generate(
    work: _Work, generator: Run, counts: NDArray[np.int64], treatments: list[Treatment], options: dict[str, Any]
) -> tuple[dict[str, tuple[Images, Labels]], dict[str, Any], GanlibError | None]:
    """Of each class as many as the highest ratio takes, unfiltered and, where a method wants it, filtered; with the
    error where too few of a class pass the filters.
    """
    model = generator.load(work.device)
    draw = _draw(model, work.data.train, options)
    images: dict[str, tuple[Images, Labels]] = {}
    about: dict[str, Any] = {}
    refused: GanlibError | None = None
    for source, methods in (("generated", ("generated", "mixed")), (FILTERED, (FILTERED,))):
        ratios = [treatment.ratio for treatment in treatments if treatment.method in methods]
        if not ratios:
            continue
        quotas = missing(counts, max(ratios)).tolist()
        selection = Selection(draw, quotas, gives_up=True)
        filters = partial(_filters, work, counts) if source == FILTERED else list
        images[source], seconds = work.select(source, selection, filters)
        tried = sum(selection.tried(label) for label in range(len(quotas)) if quotas[label])
        about[source] = {"images": len(images[source][0]), "tried": tried, "seconds": seconds}
        refused = next(iter(selection.given_up.values()), None)
    return images, about, refused


def _suffices(images: dict[str, tuple[Images, Labels]], counts: NDArray[np.int64], ratio: float) -> bool:
    """Whether the filtered images fill up every class to the ratio."""
    return bool((np.bincount(images[FILTERED][1], minlength=len(counts)) >= missing(counts, ratio)).all())


def _filters(work: _Work, counts: NDArray[np.int64]) -> list[Filter]:
    """By a classifier of the real images, and by the distance to them; those whose least is not 0.

    The classifier is trained re-weighted: one that has hardly seen a class would recognise none of its images.
    """
    config, data = work.config, work.data
    filters: list[Filter] = []
    if config.min_confidence:
        judge = work.train(data, 0, class_weights(counts), "classifier of the filter")
        filters.append(Confidence(judge, work.device, config.min_confidence))
    if config.min_distance:
        filters.append(Distance(data.train.images, data.test.images, config.min_distance))
    return filters


def _draw(model: Trainable, train: Split, options: dict[str, Any]) -> Draw:
    if isinstance(model, GenerativeModel):
        return samples_of(model, check_options(model, options))
    assert augments(model)
    if options:
        raise GanlibError(f"The generator varies images and has no option {next(iter(options))}; leave it out.")
    return variations_of(model, train)


def _nothing(data: DataSet) -> tuple[Images, Labels]:
    return np.asarray(data.train.images[:0]), np.zeros(0, np.int64)


def _long(treatment: Treatment, matrix: NDArray[np.int64]) -> pd.DataFrame:
    true, predicted = np.indices(matrix.shape)
    return pd.DataFrame(
        {
            "method": treatment.method,
            "ratio": treatment.ratio,
            "true": true.ravel(),
            "predicted": predicted.ravel(),
            "images": matrix.ravel(),
        }
    )


def _protocol(data: DataSet, generator: Run | None, config: BalanceConfig, options: dict[str, Any]) -> dict[str, Any]:
    about = {
        "data": data.name,
        "train": data.train.fingerprint,
        "test": data.test.fingerprint,
        "n_test": len(data.test),
        "image_size": data.train.images.shape[1],
        "channels": data.train.images.shape[3],
    }
    about |= {"classifier": CLASSIFIER, **replace(config, data_root=None).to_dict()}
    if "augmentation" in config.methods:
        about["augmentation"] = AUGMENTATION
    if generator:
        about |= {"generator": generator.name, "weights_sha256_12": generator.weights_hash, "options": options}
    return about
