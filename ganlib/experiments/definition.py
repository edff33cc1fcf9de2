"""The file of an experiment: TOML, its name is the file's.

    title = "DCGAN with and without spectral norm"
    question = "Does spectral norm keep D from winning?"
    source = "Artworks"                  # a key of SOURCES, or any other name
    reported = "D's loss stays above G's; worse images within 220 epochs."
    limits = "Narrower networks, 60,000 images instead of 1.8 million."      # of what may be concluded
    reason = "Scale: 60,000 images."     # why a result may differ from what was reported
    priority = 3                         # its place among the experiments, of the page and of the queue
    extractor = "efficientnet_lite0"     # whose records decide its claims (default: the first of ``EXTRACTORS`` that
                                         # measured all of a claim's runs)

    [recipe]                             # what all variants share: keys of a queue file's entry
    model = "dcgan"
    data = "celeba"
    images = 60_000
    seeds = [0, 1, 2]                    # a training each

    [variants.base]
    title = "base"

    [variants.spectral_norm]
    title = "spectral norm in D"
    fields = { spectral_norm = true }

    [variants.shipped]
    title = "the gallery's run"
    runs = ["cifar10-dcgan"]             # runs that exist, in place of a recipe
    options = { guidance = 3.0 }         # that the measured images were generated with (default: none)
    space = "w"                          # of the measured paths (default: z)
    snapshot = "best"                    # of its records those of the snapshot with the best value, not of the weights

    [variants.elsewhere]
    runs_of = "other-experiment.base"    # the trainings of a variant of another experiment

    [matrix]                             # images of a run: a row a seed, a column a value of an option, or "stage"
    title = "Coarse styles by row, fine ones by column"
    run = "flowers5-stylegan2_ada"
    seeds = [0, 1, 2]
    option = "mix_seed"
    values = [10, 11]
    options = { mix_layer = 5 }

    [[claims]]
    answers = true                       # the question: all such claims together (default: the first)
    statement = "The base has the lower FID."
    measure = "fid"                      # or { scalar = "loss/G", statistic = "rise" }, or { finding = "divergence" }
    first = "base"
    relation = "<"                       # or ">", or "=": no difference beyond the margin
    second = "spectral_norm"             # a variant, a number, or { recorded = "pixels_accuracy" }: a number that
                                         # stands beside the measure in the records of ``first``
    extractor = "embedded"               # likewise, of this claim alone
    margin = 0.1                         # the smallest difference that matters, relative to ``second``
    seed_spread = 0.1                    # relative standard deviation between seeds, known from other trainings, for
                                         # sides of one training (default: 0, unknown)
    reported = "102 against 81"          # by the source; without it the claim is ganlib's own, and it holds or not

What is wrong is one GanlibError that names file and place; nothing of the file is used then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from ganlib.balances import COPYING
from ganlib.errors import GanlibError
from ganlib.experiments.checks import (
    LARGEST_SEED,
    RECIPE_KEYS,
    check_options,
    check_recipe,
    is_number,
    is_plain,
    items,
    nothing_left,
    only,
    table,
    text,
)
from ganlib.experiments.measures import Measure, parse_measure
from ganlib.files import read_toml
from ganlib.naming import nearest_names

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
RELATIONS = ("<", ">", "=")
MARGIN = 0.1
SOURCES = {  # theses and a lecture, by what cards call them
    "Generation service": "Service for conditional image generation",
    "GAN methods": "Method of generating images with GANs",
    "GAN lecture": "Lecture on GANs for synthetic data",
    "Artworks": "GANs on “Best Artworks of All Time”",
    "Synthetic data sets": "Method of generating data sets for training deep networks",
}
STAGE = "stage"  # the option of a matrix that shows how its images come about
MOST_IMAGES = 100  # of a matrix
# Of a training, whose pictures are wanted: epochs 10, 50, 100, 150, 220 of 220. Shown is the nearest that was kept.
MOMENTS = (0.05, 0.23, 0.45, 0.68, 1.0)
LAST = 1000  # the priority of an experiment that has none


@dataclass(frozen=True)
class Variant:
    name: str
    title: str
    runs: tuple[str, ...]  # their names, one a seed
    recipe: Mapping[str, Any] | None  # an entry of a queue file but for its name and seed; None where runs exist
    seeds: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    space: str = "z"
    best_snapshot: bool = False
    balancing: tuple[str, float] | None = None  # method and ratio, of comparisons made by ``ganlib balance``


@dataclass(frozen=True)
class Recorded:
    """A number to compare with that stands beside a metric in a record, as ``pixels_accuracy`` beside a probe's."""

    key: str


@dataclass(frozen=True)
class Claim:
    statement: str
    measure: Measure
    first: str
    relation: Literal["<", ">", "="]
    second: str | float | Recorded
    margin: float = MARGIN
    reported: str = ""  # by the source; "" where the claim is ganlib's own
    answers: bool = False  # the experiment's question
    seed_spread: float = 0.0
    extractor: str = ""  # "": the first of EXTRACTORS that measured all runs

    @property
    def variants(self) -> tuple[str, ...]:
        return (self.first, self.second) if isinstance(self.second, str) else (self.first,)


@dataclass(frozen=True)
class Matrix:
    """Images of a run: a row a seed, a column a value of ``option``; of "stage" all stages of an image's making."""

    title: str
    run: str
    seeds: tuple[int, ...]
    option: str
    values: tuple[int | float | str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    name: str
    title: str
    question: str
    source: str
    reported: str
    variants: tuple[Variant, ...]
    claims: tuple[Claim, ...]
    limits: str = ""
    reason: str = ""  # the most likely one where the result differs from what was reported
    scalars: tuple[str, ...] = ()  # of the curves that are shown beside it
    matrix: Matrix | None = None
    priority: int = LAST
    path: Path = field(default=Path(), compare=False)

    @property
    def source_title(self) -> str:
        """ "Artworks: GANs on “Best Artworks of All Time”"."""
        return ": ".join(filter(None, [self.source, SOURCES.get(self.source, "")]))

    def variant(self, name: str) -> Variant:
        return next(variant for variant in self.variants if variant.name == name)

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(run for variant in self.variants for run in variant.runs))


def read_experiments(folder: Path) -> tuple[list[Experiment], list[str]]:
    """Those of the folder by priority, then by name, and a sentence for each file that is none."""
    experiments, errors = [], []
    for path in sorted(folder.glob("*.toml")):
        try:
            experiments.append(read_experiment(path))
        except GanlibError as error:
            errors.append(str(error))
    return sorted(experiments, key=lambda experiment: experiment.priority), errors


def read_experiment(path: Path) -> Experiment:
    _, document = read_toml(path, "an experiment's file")
    try:
        return _experiment(path, document)
    except GanlibError as error:
        raise GanlibError(f"{path}: {error}") from None


def _experiment(path: Path, document: dict[str, Any]) -> Experiment:
    name = path.stem
    if not NAME.fullmatch(name):
        raise GanlibError(f"its name {name!r} is not of lower-case letters, digits, - and _ alone.")
    tables = {key: document.pop(key, None) for key in ("recipe", "variants", "claims", "scalars", "matrix")}
    texts = {key: text(document, key) for key in ("title", "question", "source", "reported")}
    limits, reason = (text(document, key) if key in document else "" for key in ("limits", "reason"))
    extractor = text(document, "extractor") if "extractor" in document else ""
    priority = document.pop("priority", LAST)
    nothing_left(document, "the file")
    if type(priority) is not int or priority < 1:
        raise GanlibError(f"priority is a whole number from 1 on, not {priority!r}.")
    shared = {} if tables["recipe"] is None else table(tables["recipe"], "recipe")
    only(shared, RECIPE_KEYS, "recipe")
    variants = tuple(
        _variant(path, key, table(values, f"variants.{key}"), shared)
        for key, values in table(tables["variants"], "variants").items()
    )
    claims = tables["claims"]
    if not variants or not isinstance(claims, list) or not claims:
        raise GanlibError("an experiment needs a table of variants and at least one [[claims]].")
    names = [variant.name for variant in variants]
    scalars = [] if tables["scalars"] is None else tables["scalars"]
    if not (isinstance(scalars, list) and all(isinstance(scalar, str) for scalar in scalars)):
        raise GanlibError("scalars is a list of names of curves.")
    return Experiment(
        name,
        **texts,
        variants=variants,
        claims=_answering([_claim(table(claim, "claims"), names, extractor) for claim in claims]),
        limits=limits,
        reason=reason,
        scalars=tuple(scalars),
        matrix=None if tables["matrix"] is None else _matrix(table(tables["matrix"], "matrix")),
        priority=priority,
        path=path,
    )


def _variant(path: Path, name: str, values: dict[str, Any], shared: dict[str, Any]) -> Variant:
    place = f"variants.{name}"
    if not NAME.fullmatch(name):
        raise GanlibError(f"{place} is not of lower-case letters, digits, - and _ alone.")
    title = text(values, "title") if "title" in values else name
    options, snapshot = table(values.pop("options", {}), f"{place}.options"), values.pop("snapshot", "")
    if snapshot not in ("", "best"):
        raise GanlibError(f'snapshot of {place} is "best" or left out, not {snapshot!r}.')
    check_options(options, f"{place}.options")
    space = text(values, "space") if "space" in values else "z"
    measured: dict[str, Any] = {"options": options, "space": space, "best_snapshot": snapshot == "best"}
    if "balancing" in values:
        measured["balancing"] = _balancing(table(values.pop("balancing"), f"{place}.balancing"), place)
    if "runs_of" in values:
        other = _variant_elsewhere(path, text(values, "runs_of"))
        nothing_left(values, place)
        return replace(other, name=name, title=title, **measured)
    if "runs" in values:
        runs = items(values, "runs", str, place)
        nothing_left(values, place)
        return Variant(name, title, tuple(runs), None, **measured)
    only(values, RECIPE_KEYS, place)
    recipe = shared | values
    recipe["fields"] = table(shared.get("fields", {}), "recipe.fields") | table(values.get("fields", {}), place)
    check_recipe(recipe, place)
    seeds = items(recipe, "seeds", int, place) if "seeds" in recipe else [0]
    names = [f"{path.stem}-{name}-s{seed}" for seed in seeds]
    return Variant(name, title, tuple(names), recipe, tuple(seeds), **measured)


def _balancing(values: dict[str, Any], place: str) -> tuple[str, float]:
    method = text(values, "method")
    ratio = values.pop("ratio", 1 if method in COPYING else 0)
    nothing_left(values, f"{place}.balancing")
    if not is_number(ratio) or ratio < 0:
        raise GanlibError(f"ratio of {place}.balancing is a number from 0 on, not {ratio!r}.")
    return method, float(ratio)


def _variant_elsewhere(path: Path, reference: str) -> Variant:
    """ "other-experiment.variant", which has a recipe or runs of its own: no chain of references, hence no circle."""
    other, _, name = reference.partition(".")
    file = path.parent / f"{other}.toml"
    if not (NAME.fullmatch(other) and file.is_file()):
        raise GanlibError(f"runs_of names {reference!r}; there is no experiment {other!r} in {path.parent}.")
    _, document = read_toml(file, "an experiment's file")
    variants = table(document.get("variants", {}), "variants")
    if name not in variants or "runs_of" in table(variants[name], f"variants.{name}"):
        names = [key for key, values in variants.items() if isinstance(values, dict) and "runs_of" not in values]
        raise GanlibError(f"runs_of names {reference!r}; the variants of {other} are {', '.join(names)}.")
    shared = table(document.get("recipe", {}), "recipe")
    return _variant(file, name, table(variants[name], f"variants.{name}"), shared)


def _matrix(values: dict[str, Any]) -> Matrix:
    title, run, option = (text(values, key) for key in ("title", "run", "option"))
    seeds = tuple(items(values, "seeds", int, "matrix"))
    options = table(values.pop("options", {}), "matrix.options")
    check_options(options, "matrix.options")
    columns = values.pop("values", [])
    nothing_left(values, "matrix")
    if not isinstance(columns, list) or bool(columns) == (option == STAGE):
        raise GanlibError(f"matrix has values of its option, and none where the option is {STAGE!r}.")
    if not all(map(is_plain, columns)):
        raise GanlibError("values of matrix are numbers, texts, true or false.")
    if min(seeds) < 0 or max(seeds) > LARGEST_SEED or len(seeds) * max(len(columns), 1) > MOST_IMAGES:
        raise GanlibError(f"matrix has seeds from 0 to {LARGEST_SEED:,} and at most {MOST_IMAGES} images.")
    return Matrix(title, run, seeds, option, tuple(columns), options)


def _claim(values: dict[str, Any], variants: list[str], extractor: str) -> Claim:
    statement, first, relation = (text(values, key) for key in ("statement", "first", "relation"))
    measure = parse_measure(values.pop("measure", None))
    second, margin = values.pop("second", None), values.pop("margin", MARGIN)
    reported = text(values, "reported") if "reported" in values else ""
    answers, spread = values.pop("answers", False), values.pop("seed_spread", 0.0)
    extractor = text(values, "extractor") if "extractor" in values else extractor
    nothing_left(values, f"claim {statement!r}")
    if not isinstance(answers, bool):
        raise GanlibError(f"answers is true or false, not {answers!r}.")
    if not is_number(spread) or not 0 <= spread < 10:
        raise GanlibError(f"seed_spread is a fraction of a value, like 0.1, not {spread!r}.")
    if relation not in RELATIONS:
        raise GanlibError(f"relation is one of {' '.join(RELATIONS)}, not {relation!r}.")
    if isinstance(second, dict):
        second = _recorded(second, measure)
    elif not isinstance(second, str) and not is_number(second):
        raise GanlibError(f"second is a variant or a number, not {second!r}.")
    if not is_number(margin) or not 0 <= margin < 10:
        raise GanlibError(f"margin is a fraction of the second value, like 0.1, not {margin!r}.")
    for variant in (first, second):
        if isinstance(variant, str) and variant not in variants:
            close = nearest_names(variant, variants) or variants
            raise GanlibError(f"There is no variant {variant!r}; try {', '.join(close)}.")
    second = float(second) if is_number(second) else second
    return Claim(
        statement,
        measure,
        first,
        cast(Literal["<", ">", "="], relation),
        second,
        margin=float(margin),
        reported=reported,
        answers=answers,
        seed_spread=float(spread),
        extractor=extractor if measure.metric else "",
    )


def _recorded(values: dict[str, Any], measure: Measure) -> Recorded:
    key = text(dict(values), "recorded") if set(values) == {"recorded"} else ""
    if not key or not measure.metric:
        raise GanlibError("second is { recorded = NAME } alone, of a measure that is a metric.")
    return Recorded(key)


def _answering(claims: list[Claim]) -> tuple[Claim, ...]:
    if not any(claim.answers for claim in claims):
        claims[0] = replace(claims[0], answers=True)
    return tuple(claims)
