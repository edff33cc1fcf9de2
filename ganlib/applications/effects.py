"""What a direction changes: how much, how monotonically over seeds it was not found on; and so what it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlib.applications.directions import Direction, edit
from ganlib.applications.discovery import images_of
from ganlib.applications.projections import Sample, draw
from ganlib.applications.statistics import STATISTICS, image_statistics
from ganlib.data.attributes import split_class
from ganlib.models import Classifies, GenerativeModel

STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # deviations
CHUNK = 64

MONOTONE = 0.8  # mean rank correlation over seeds from which a direction is named by a statistic
WEAK = 0.5  # a change between the ends of ``STRENGTHS`` of less than so many deviations between seeds
TANGLED = 0.7  # a second change of at least so much of the first

CLASS = "class-"  # before the number of a class whose log probability is measured
ATTRIBUTE = "attribute-"  # before the name of an attribute whose log odds are measured

Measure = Callable[[Tensor], dict[str, Tensor]]  # (N, C, H, W) in [-1, 1] -> (N,) each


@dataclass(frozen=True)
class Effect:
    """On one statistic, the log probability of one class or the log odds of one attribute.

    ``monotone``: mean over seeds of Spearman's rank correlation with the strength, in [-1, 1]. ``change``: mean change
    from the lowest to the highest strength, in deviations of the statistic between seeds.
    """

    name: str
    monotone: float
    change: float

    def words(self, classes: Sequence[str]) -> str:
        """ "brighter", "more like cat", "Smiling"."""
        if self.name.startswith(ATTRIBUTE):
            return f"{'' if self.change > 0 else 'not '}{self.name.removeprefix(ATTRIBUTE).replace('_', ' ')}"
        if self.name not in STATISTICS:
            label = int(self.name.removeprefix(CLASS))
            return f"{'more' if self.change > 0 else 'less'} like {classes[label] if label < len(classes) else label}"
        more, less = STATISTICS[self.name]
        return more if self.change > 0 else less


@dataclass(frozen=True)
class Measured:
    """A direction with its effects, the largest first."""

    direction: Direction
    effects: tuple[Effect, ...]
    seeds: int

    @property
    def named(self) -> Effect | None:
        """The effect that names it: the largest that is monotone; None where none is."""
        return next((effect for effect in self.effects if abs(effect.monotone) >= MONOTONE), None)

    @property
    def weak(self) -> bool:
        return self.named is None or abs(self.named.change) < WEAK

    @property
    def tangled(self) -> tuple[Effect, ...]:
        """Other monotone effects nearly as large as the one that names it."""
        if self.named is None:
            return ()
        least = TANGLED * abs(self.named.change)
        return tuple(
            effect
            for effect in self.effects
            if effect is not self.named and abs(effect.monotone) >= MONOTONE and abs(effect.change) >= least
        )

    def name(self, classes: Sequence[str]) -> str:
        """ "brighter", or how it was found where it changes nothing monotonically."""
        return self.named.words(classes) if self.named else self.direction.method

    def description(self, classes: Sequence[str]) -> str:
        """ "brighter, 0.94 monotone; also paler", for one who knows how many seeds it was measured on."""
        if self.named is None:
            return "changes nothing measured evenly"
        text = f"{self.name(classes)}, {abs(self.named.monotone):.2f} monotone"
        if self.tangled:
            text += f"; also {', '.join(effect.words(classes) for effect in self.tangled[:3])}"
        return text + ("; weak" if self.weak else "")


def measure_of(classifier: Classifies | None, attributes: Sequence[str] = ()) -> Measure:
    """Image statistics and, with a classifier, the log probability of each class, "class-0" …

    Of classes that are the combinations of ``attributes``: the log odds of each, "attribute-Smiling" …
    """

    def measure(images: Tensor) -> dict[str, Tensor]:
        values = image_statistics(images)
        if classifier is not None:
            log_probabilities = classifier.classify(images).float().log_softmax(1)
            if attributes:
                values |= log_odds(log_probabilities, attributes)
            else:
                values |= {f"{CLASS}{i}": column for i, column in enumerate(log_probabilities.unbind(1))}
        return values

    return measure


def log_odds(log_probabilities: Tensor, attributes: Sequence[str]) -> dict[str, Tensor]:
    """(N, 2^k) of the combinations of k attributes -> (N,) log p / (1 - p) of each."""
    has = torch.tensor([split_class(label, len(attributes)) for label in range(log_probabilities.shape[1])])
    has = has.to(log_probabilities.device)
    return {
        f"{ATTRIBUTE}{name}": log_probabilities[:, has[:, i]].logsumexp(1)
        - log_probabilities[:, ~has[:, i]].logsumexp(1)
        for i, name in enumerate(attributes)
    }


@torch.inference_mode()
def measure_directions(
    model: GenerativeModel,
    directions: Sequence[Direction],
    measure: Measure,
    seeds: Sequence[int],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Measured]:
    """Each direction on the same ``seeds``, which should not be those it was found on."""
    if len(seeds) < 2:
        raise ValueError(f"effects vary over seeds: {len(seeds)} are too few")
    results, at_zero = [], STRENGTHS.index(0.0)
    start = draw(model, seeds, "z")
    unmoved = images_of(model, start, measure)
    for i, direction in enumerate(directions):
        values = _trajectories(model, direction, measure, start, unmoved)
        effects = []
        for name, v in values.items():  # (seeds, strengths)
            spread = v[:, at_zero].std().clamp_min(1e-8)
            change = float((v[:, -1] - v[:, 0]).mean() / spread)
            effects.append(Effect(name, _rank_correlation(v), change))
        effects.sort(key=lambda effect: -abs(effect.change))
        results.append(Measured(direction, tuple(effects), len(seeds)))
        progress(i + 1, len(directions))
    return results


def _trajectories(
    model: GenerativeModel, direction: Direction, measure: Measure, start: Sample, unmoved: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Name -> (seeds, strengths). ``unmoved``: name -> (seeds,) at strength 0, which all directions share."""
    strengths = [strength for strength in STRENGTHS if strength]
    n, seeds = len(strengths), len(start.latents)
    rows, steps = torch.arange(seeds).repeat_interleave(n), torch.tensor(strengths).repeat(seeds)
    parts: list[dict[str, Tensor]] = []
    for part in torch.arange(len(rows)).split(CHUNK):
        labels = None if start.labels is None else start.labels[rows[part]]
        latents = edit(model, start.latents[rows[part]], labels, [(direction, steps[part])])
        parts.append({k: v.cpu() for k, v in measure(model.generate(latents, labels)).items()})
    at_zero = STRENGTHS.index(0.0)
    trajectories = {}
    for name, values in unmoved.items():
        moved = torch.cat([part[name] for part in parts]).view(seeds, n)
        trajectories[name] = torch.cat([moved[:, :at_zero], values[:, None], moved[:, at_zero:]], dim=1)
    return trajectories


def _rank_correlation(values: Tensor) -> float:
    """(seeds, strengths) -> mean over seeds of Spearman's ρ with the strength; 0 for what does not change.

    Of equal values the ranks are averaged.
    """
    less = (values[:, :, None] > values[:, None, :]).float().sum(2)
    equal = (values[:, :, None] == values[:, None, :]).float().sum(2)
    ranks = less + (equal - 1) / 2
    ranks = ranks - ranks.mean(1, keepdim=True)
    steps = torch.arange(values.shape[1], dtype=torch.float32)
    steps = steps - steps.mean()
    covariance = ranks @ steps
    norms = (ranks.square().sum(1) * steps.square().sum()).sqrt()
    return float(torch.where(norms > 0, covariance / norms.clamp_min(1e-12), 0.0).mean())
