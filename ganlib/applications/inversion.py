"""The latents of a given picture: by the model's encoder, else by optimisation; then, if wanted, G tuned around them.

Zhu, Krähenbühl, Shechtman, Efros, "Generative Visual Manipulation on the Natural Image Manifold", ECCV 2016,
arXiv:1609.03552: latents by optimisation of pixels and features. Roich, Mokady, Bermano, Cohen-Or, "Pivotal Tuning for
Latent-based Editing of Real Images", ACM TOG 2022, arXiv:2106.05744.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import softplus
from torch.optim import Adam

from ganlib.applications.stepwise import Stepwise, warmed_and_cooled
from ganlib.config import Config, option
from ganlib.errors import GanlibError
from ganlib.models import Encodes, GenerativeModel, Latents, Scores, encode
from ganlib.nn.perceptual import feature_distance, perceptual_features

CHUNK = 16  # seeds that are compared in one step: others wait meanwhile


@dataclass(frozen=True)
class InversionConfig(Config):
    steps: int = option(120, "steps of Adam on the latents", min=0, max=10_000)
    seeds: int = option(256, "seeds among which the nearest images are the starts", min=1, max=100_000)
    starts: int = option(3, "latents that are optimised side by side, of which the best is the result", min=1, max=64)
    lr: float = option(0.1, "Adam's learning rate on the latents", min=0.0)
    pixel: float = option(1.0, "weight of the mean squared error of pixels", min=0.0)
    feature: float = option(1.0, "weight of the distance of EfficientNet features; needs no download", min=0.0)
    prior: float = option(0.01, "weight of what keeps latents as long as those of seeds", min=0.0)
    realism: float = option(0.4, "weight of how far D's scores lie below those of seeds, where there is a D", min=0.0)
    tuning_steps: int = option(0, "steps in which G is tuned around the latents, on a copy", min=0, max=10_000)
    tuning_lr: float = option(3e-4, "Adam's learning rate on G", min=0.0)


def check_invertible(model: GenerativeModel) -> None:
    """GanlibError where the model neither encodes nor lets latents be optimised."""
    if not (isinstance(model, Encodes) or model.differentiable):
        raise GanlibError(
            f"{model.display_name} encodes no pictures, and its images have no gradients with respect to the latents, "
            "so that no picture can be inverted; choose another run."
        )


class Distance:
    """Between images in [-1, 1] and one target: weighted mean squared error of pixels and distance of features."""

    def __init__(self, target: Tensor, pixel: float, feature: float) -> None:
        """``target``: (1, C, H, W). GanlibError where features are wanted and their weights are not installed."""
        self.target, self.pixel, self.feature = target, pixel, feature
        self._target_features = perceptual_features(target) if feature else []

    def __call__(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N,)."""
        total = self.pixel * (images - self.target).square().mean((1, 2, 3))
        if self.feature:
            total = total + self.feature * feature_distance(perceptual_features(images), self._target_features)
        return total


class Realism:
    """How far below the scores of seeds D's scores of images lie: softplus of (mean - score) / deviation.

    Yeh et al., "Semantic Image Inpainting with Deep Generative Models", CVPR 2017, arXiv:1607.07539, likewise add D's
    loss as a prior to optimised latents; in deviations it is alike for logits and for critics. D knows the class, too.
    """

    def __init__(self, model: Scores, scores: Tensor) -> None:
        """``scores``: (N,) of the images of seeds of the class."""
        self.model, self.mean, self.deviation = model, scores.mean(), scores.std().clamp_min(1e-6)

    def __call__(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """(N, C, H, W) -> (N,)."""
        return softplus((self.mean - self.model.score(images, labels)) / self.deviation)


class Inversion(Stepwise):
    """Goes on by ``step()`` from any thread until ``done``; what is reached can be read at any time.

    ``latents``: of one image, the best so far. ``image``: (1, C, H, W) of them, at ``distance`` from the target.
    ``losses``: the distance of the best start at each step. ``model``: the one to generate with, a tuned copy where G
    was tuned.
    """

    def __init__(
        self, model: GenerativeModel, target: Tensor, label: int | None, config: InversionConfig = InversionConfig()
    ) -> None:
        """``target``: (1, C, H, W) in [-1, 1] of the model's size. GanlibError for another, a missing class, or a model
        that inverts nothing."""
        check_invertible(model)
        c = model.config
        if target.shape != (1, c.channels, c.image_size, c.image_size):
            raise GanlibError(
                f"The model makes pictures of {c.channels} x {c.image_size} x {c.image_size}, not "
                f"{' x '.join(map(str, target.shape[1:]))}; resize the picture first."
            )
        if model.conditional and label is None:
            raise GanlibError("This model is conditional: give the class that the picture is to be inverted in.")
        self.config, self.target = config, target.to(model.device)
        self.label = label if model.conditional else None
        self._untuned = model
        super().__init__(model.device)

    def _begin(self) -> None:
        self.model = self._untuned
        self.losses: list[float] = []
        self.latents: Latents | None = None
        self.image: Tensor | None = None
        self.distance = self._best = float("inf")
        self._realism: Realism | None = None

    def finish(self) -> Latents:
        """The result."""
        while not self.done:
            self.step()
        assert self.latents is not None
        return self.latents

    def _run(self) -> Iterator[float]:
        config, encoded = self.config, isinstance(self.model, Encodes)
        distance = Distance(self.target, config.pixel, config.feature)
        searches = 1 if encoded else -(-config.seeds // CHUNK)
        total = searches + 1 + (0 if encoded else config.steps) + config.tuning_steps  # with what ends a stage
        if encoded:
            assert isinstance(self.model, Encodes)
            with torch.no_grad():
                latents = encode(self.model, self.target, self._labels(1))
                self._keep(latents, self.model.generate(latents, self._labels(1)), distance)
            yield 1 / total
        else:
            starts = yield from self._nearest_seeds(distance, total)
            for step, _ in enumerate(self._optimise(starts, distance), searches + 1):
                yield step / total
        if config.tuning_steps:
            for step, _ in enumerate(self._tune(distance), 1):
                yield (total - 1 - config.tuning_steps + step) / total
        yield 1.0

    def _labels(self, n: int) -> Tensor | None:
        return None if self.label is None else torch.full((n,), self.label)

    def _keep(self, latents: Latents, images: Tensor, distance: Distance) -> None:
        """The best of these images, if it is the best so far."""
        distances = distance(images)
        values = distances.detach() + self._penalty(images)
        best = int(values.argmin())
        self.losses.append(distances[best].item())
        if values[best] < self._best:
            self._best, self.distance = values[best].item(), self.losses[-1]
            row = torch.tensor([best])
            self.latents, self.image = _detached(latents[row]), images[row].detach()

    def _penalty(self, images: Tensor) -> Tensor | float:
        """(N,) for images that D takes for worse than those of seeds."""
        if self._realism is None:
            return 0.0
        return self.config.realism * self._realism(images, self._labels(len(images)))

    @torch.no_grad()
    def _nearest_seeds(self, distance: Distance, total: int) -> Generator[float, None, Latents]:
        """Latents of the seeds whose images are nearest, and in a space of styles their mean, in the last space.

        Yields its part of ``total`` steps.
        """
        space = next(reversed(self.model.spaces))
        values, parts, scores = [], [], []
        for step, seeds in enumerate(torch.arange(self.config.seeds).split(CHUNK), 1):
            latents = self.model.latents(seeds.tolist())
            images = self.model.generate(latents, self._labels(len(seeds)))
            values.append(distance(images))
            if self.config.realism and isinstance(self.model, Scores):
                scores.append(self.model.score(images, self._labels(len(seeds))))
            parts.append(self.model.map(latents, self._labels(len(seeds)), space).z)
            yield step / total
        order = torch.cat(values).argsort()[: self.config.starts]
        z = torch.cat(parts)
        if scores and len(z) > 1:
            assert isinstance(self.model, Scores)
            self._realism = Realism(self.model, torch.cat(scores))
        starts = z[order]
        if space != "z":  # the mean style is a picture of its own
            starts = torch.cat([starts[:-1] if len(starts) > 1 else starts, z.mean(0, keepdim=True)])
        latents = Latents(starts, torch.zeros(len(starts), dtype=torch.int64), space)
        self._keep(latents, self.model.generate(latents, self._labels(len(starts))), distance)
        return latents

    def _optimise(self, starts: Latents, distance: Distance) -> Iterator[None]:
        """Adam on all starts at once; each start's gradient is its own."""
        z = starts.z.clone().requires_grad_()
        size = z.detach().square().mean()
        optimizer = Adam([z], lr=self.config.lr, betas=(0.9, 0.99))
        labels = self._labels(len(z))
        for step in range(self.config.steps):
            optimizer.param_groups[0]["lr"] = self.config.lr * warmed_and_cooled(step / max(self.config.steps, 1))
            images = self.model.generate(replace(starts, z=z), labels)
            self._keep(replace(starts, z=z), images, distance)
            loss = (distance(images) + self._penalty(images)).sum()
            if self.config.prior:
                loss = loss + self.config.prior * (z.flatten(1).square().mean(1) / size - 1).square().sum()
            (z.grad,) = torch.autograd.grad(loss, [z])
            optimizer.step()
            yield
        with torch.no_grad():
            self._keep(replace(starts, z=z), self.model.generate(replace(starts, z=z), labels), distance)

    def _tune(self, distance: Distance) -> Iterator[None]:
        """Pivotal tuning: the weights of a copy move until the latents' image is the target; the latents stay."""
        assert self.latents is not None
        self.model = deepcopy(self.model)
        weights = [
            p.requires_grad_() for name in self.model.ema_modules for p in getattr(self.model, name).parameters()
        ]
        optimizer = Adam(weights, lr=self.config.tuning_lr)
        for _ in range(self.config.tuning_steps):
            image = self.model.generate(self.latents, self._labels(1))
            loss = distance(image).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            self.losses.append(loss.item())
            yield
        self.model.requires_grad_(False)
        with torch.no_grad():
            self.image = self.model.generate(self.latents, self._labels(1))
            self.distance = float(distance(self.image))
            self.losses.append(self.distance)


def _detached(latents: Latents) -> Latents:
    return replace(latents, z=latents.z.detach().clone())
