"""Holes in pictures filled by models that were never trained to: several results for each.

Latent optimisation: Yeh, Chen, Lim, Schwing, Hasegawa-Johnson, Do, "Semantic Image Inpainting with Deep Generative
Models", CVPR 2017, arXiv:1607.07539: a context loss weighted by the nearness of the hole, a prior loss from the
discriminator, Poisson blending. Denoising: Lugmayr, Danelljan, Romero, Yu, Timofte, Van Gool, "RePaint", CVPR 2022,
arXiv:2201.09865. Beside them a model that was trained to, as its one pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad, softplus
from torch.optim import Adam

from ganlib.applications.blending import PoissonBlending
from ganlib.applications.stepwise import Stepwise, warmed_and_cooled
from ganlib.config import Config, option
from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.models import Encodes, GenerativeModel, ImageToImage, Latents, Scores, Trainable
from ganlib.models.ddpm import DDPM
from ganlib.models.samplers import step_noise
from ganlib.nn.masks import join_mask

Method = Literal["learned", "repaint", "latents", "reencoding"]
METHODS: dict[Method, str] = {
    "learned": "The model was trained to fill holes: one result.",
    "repaint": "RePaint: denoised step by step, what is known put back after each.",
    "latents": "Latents optimised until the image fits around the hole and convinces the discriminator.",
    "reencoding": "Encoded and decoded again and again, what is known put back after each round.",
}
CHUNK = 64


@dataclass(frozen=True)
class InpaintingConfig(Config):
    results: int = option(4, "results, each from a start of its own", min=1, max=64)
    seed: int = option(0, "first of the seeds of the results", min=0, max=2**31)
    steps: int = option(200, "of latents: steps of Adam", min=1, max=10_000)
    starts: int = option(256, "of latents: seeds among which those that fit best are the starts", min=1, max=100_000)
    lr: float = option(0.05, "of latents: Adam's learning rate", min=0.0)
    window: int = option(
        31, "of latents: pixels around the hole count by how much of this window is hole", min=3, max=255
    )
    prior: float = option(0.003, "of latents: weight of what the discriminator says", min=0.0)
    length: float = option(0.05, "of latents: weight of what keeps them as long as those of seeds", min=0.0)
    denoising_steps: int = option(50, "of repaint: denoising steps", min=1, max=250)
    resamplings: int = option(4, "of repaint: times that each step is done, noise added between", min=1, max=50)
    rounds: int = option(20, "of reencoding: rounds of encoding and decoding", min=1, max=1000)
    blend: bool = option(True, "Poisson blending of the result into the picture")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window % 2 == 0:
            raise GanlibError(f"window has a pixel in its middle, so it is odd, not {self.window}.")


def methods_of(model: Trainable) -> list[Method]:
    """What can fill holes with this model, the best first."""
    if isinstance(model, ImageToImage):
        return ["learned"] if model.task == "inpainting" else []
    if isinstance(model, DDPM):
        return ["repaint"]
    methods: list[Method] = []
    if isinstance(model, GenerativeModel) and model.family in ("GAN", "VAE"):
        if isinstance(model, Scores):
            methods.append("latents")
        if isinstance(model, Encodes) and model.stages() == 1:
            methods.append("reencoding")
    return methods


class Inpainting(Stepwise):
    """Results of one hole, as far as they have come.

    ``results()``: (n, H, W, C) uint8, the picture outside the hole. ``losses``: (n,) how far each is from what is known
    around the hole, NaN where that is no part of the method.
    """

    def __init__(
        self,
        model: Trainable,
        target: Tensor,
        mask: Tensor,
        label: int | None = None,
        config: InpaintingConfig = InpaintingConfig(),
        method: Method | None = None,
    ) -> None:
        """``target``: (1, C, H, W) in [-1, 1]; ``mask``: (1, 1, H, W), 1 in the hole. GanlibError where there is none,
        nothing else, or the model cannot fill it."""
        possible = methods_of(model)
        if not possible or (method or possible[0]) not in possible:
            if possible:
                raise GanlibError(f"Holes cannot be filled by {method}; choose {' or '.join(possible)}.")
            raise GanlibError(
                "Holes cannot be filled with this model, only with GANs, VAEs that make an image in one pass, DDPM, "
                "DiT and context_encoder; choose another run."
            )
        check_hole(model, target, mask)
        conditional = isinstance(model, GenerativeModel) and model.conditional
        if conditional and label is None:
            raise GanlibError("This model is conditional: give the class of the picture.")
        self.model, self.config, self.method = model, config, method or possible[0]
        self.target, self.mask = target.to(model.device), mask.to(model.device)
        self.label = label if conditional else None
        self.count = 1 if self.method == "learned" else config.results
        hole = mask[0, 0].cpu().numpy() > 0.5
        self._blending = PoissonBlending(hole) if config.blend else None
        super().__init__(model.device)

    def _begin(self) -> None:
        self.images = self.target.expand(self.count, -1, -1, -1)
        self.losses = np.full(self.count, np.nan)

    def finish(self) -> NDArray[np.uint8]:
        while not self.done:
            self.step()
        return self.results()

    def results(self) -> NDArray[np.uint8]:
        target = self.target.detach().cpu()
        images = self.images.detach().cpu()
        if self._blending is None:
            return to_uint8(torch.lerp(target.expand_as(images), images, self.mask.cpu()))
        source, below = (t.permute(0, 2, 3, 1).double().numpy() for t in (images, target))
        blended = torch.from_numpy(self._blending(source, below[0])).permute(0, 3, 1, 2).float()
        return to_uint8(blended.clamp(-1, 1))

    def _run(self) -> Iterator[float]:
        steps = {
            "learned": self._complete,
            "repaint": self._repaint,
            "latents": self._optimise,
            "reencoding": self._reencode,
        }
        yield from steps[self.method]()
        yield 1.0

    def _labels(self, n: int) -> Tensor | None:
        return None if self.label is None else torch.full((n,), self.label)

    @property
    def _seeds(self) -> list[int]:
        return list(range(self.config.seed, self.config.seed + self.count))

    @torch.no_grad()
    def _complete(self) -> Iterator[float]:
        assert isinstance(self.model, ImageToImage)
        self.images = self.model.transform(join_mask(self.target, self.mask))
        yield 1.0

    def _reencode(self) -> Iterator[float]:
        """Each result begins with another image in the hole."""
        model = self.model
        assert isinstance(model, GenerativeModel)
        assert isinstance(model, Encodes)
        labels, rounds = self._labels(self.count), self.config.rounds
        for step in range(rounds + 1):
            with torch.no_grad():
                latents = model.latents(self._seeds) if step == 0 else model.encode(self.images)
                self.images = torch.lerp(self.target, model.generate(latents, labels), self.mask)
            yield step / (rounds + 1)

    def _repaint(self) -> Iterator[float]:
        """Algorithm 1, its jumps as long as a step."""
        model = self.model
        assert isinstance(model, DDPM)
        latents = model.latents(self._seeds)
        noise, x, y = step_noise(latents), latents.z, model.label_condition(self._labels(self.count))
        times = list(model.timesteps(self.config.denoising_steps, self.count))
        total = len(times) * self.config.resamplings
        for i, (t, s) in enumerate(times):
            last_step = i == len(times) - 1
            for again in range(self.config.resamplings):
                with torch.no_grad():
                    x0 = model.convert_output(x, model.predict(x, t, y), t)[0].clamp(-1, 1)
                    self.images = x0
                    mean, variance = model.q_posterior(x0, x, t, s)
                    unknown = mean + variance.sqrt().view(-1, 1, 1, 1) * noise()
                    known = model.q_sample(self.target.expand_as(x), noise(), s)
                    x = torch.lerp(known, unknown, self.mask)
                    if last_step:
                        self.images = x
                    elif again < self.config.resamplings - 1:
                        share = (model.alphas_cumprod[t] / model.alphas_cumprod[s]).view(-1, 1, 1, 1)
                        x = share.sqrt() * x + (1 - share).sqrt() * noise()
                yield (i * self.config.resamplings + again + 1) / (total + 1)
                if last_step:
                    break

    def _optimise(self) -> Iterator[float]:
        """Adam on all starts at once; each start's gradient is its own, and its best images are its result."""
        model, c = self.model, self.config
        assert isinstance(model, GenerativeModel)
        assert isinstance(model, Scores)
        weights = context_weights(self.mask, c.window)
        starts = self._best_starts(model, weights)
        yield 1 / (c.steps + 2)
        z, labels = starts.z.clone().requires_grad_(), self._labels(self.count)
        size = z.detach().square().mean()
        optimizer, best = Adam([z], lr=c.lr, betas=(0.9, 0.99)), torch.full((self.count,), float("inf"))
        self.images = self.images.clone()
        for step in range(c.steps + 1):
            optimizer.param_groups[0]["lr"] = c.lr * warmed_and_cooled(step / c.steps)
            images = model.generate(replace(starts, z=z), labels)
            context = context_loss(images, self.target, weights)
            losses = context
            if c.prior:
                losses = losses + c.prior * prior_loss(model.score(images, labels))
            self._keep_better(images, losses, context, best)
            if c.length:
                losses = losses + c.length * (z.flatten(1).square().mean(1) / size - 1).square()
            (z.grad,) = torch.autograd.grad(losses.sum(), [z])
            optimizer.step()
            yield (step + 2) / (c.steps + 2) if step < c.steps else 1.0

    def _keep_better(self, images: Tensor, losses: Tensor, context: Tensor, best: Tensor) -> None:
        values = losses.detach().cpu()
        rows = (values < best).nonzero().flatten()
        best[rows] = values[rows]
        kept = self.images.clone()
        kept[rows.to(kept.device)] = images.detach()[rows.to(kept.device)]
        self.losses[rows.numpy()] = context.detach().cpu().numpy()[rows.numpy()]
        self.images = kept

    @torch.no_grad()
    def _best_starts(self, model: GenerativeModel, weights: Tensor) -> Latents:
        """Latents of the seeds whose images fit best around the hole, in the model's last space."""
        space = next(reversed(model.spaces))
        values, parts = [], []
        seeds = torch.arange(self.config.seed, self.config.seed + max(self.config.starts, self.count))
        for chunk in seeds.split(CHUNK):
            latents = model.latents(chunk.tolist())
            labels = self._labels(len(chunk))
            values.append(context_loss(model.generate(latents, labels), self.target, weights))
            parts.append(model.map(latents, labels, space).z)
        order = torch.cat(values).argsort()[: self.count]
        return Latents(torch.cat(parts)[order], torch.zeros(self.count, dtype=torch.int64), space)


def context_weights(mask: Tensor, window: int) -> Tensor:
    """(1, 1, H, W) hole -> of each known pixel the share of the hole in the window around it (equation 5), 1 in all."""
    margin = window // 2
    shares = avg_pool2d(pad(mask, (margin,) * 4), window, stride=1) * (1 - mask)
    return shares / shares.sum()


def context_loss(images: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """(N,) weighted mean absolute difference to what is known (equation 4)."""
    return (weights * (images - target).abs().mean(1, keepdim=True)).sum((1, 2, 3))


def prior_loss(logits: Tensor) -> Tensor:
    """(N,) log(1 - D(x)) (equation 6), of logits."""
    return -softplus(logits)


def check_hole(model: Trainable, target: Tensor, mask: Tensor) -> None:
    """GanlibError where the picture is not of the model's size, or the hole is none or all of it."""
    c = model.config
    if target.shape != (1, c.channels, c.image_size, c.image_size):
        raise GanlibError(
            f"The model makes pictures of {c.channels} x {c.image_size} x {c.image_size}, not "
            f"{' x '.join(map(str, target.shape[1:]))}; resize the picture first."
        )
    if mask.shape != (1, 1, c.image_size, c.image_size):
        raise GanlibError(f"The mask is {mask.shape[-1]} x {mask.shape[-2]} pixels; give one of the picture's size.")
    if not mask.any():
        raise GanlibError("The mask is empty: mark the part of the picture that is to be filled.")
    if bool((mask > 0.5).all()):
        raise GanlibError("The mask covers the whole picture, so that nothing is left to go by; leave a part of it.")
