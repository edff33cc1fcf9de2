"""How directions are found: principal components, closed-form factorisation, regression, differences of means.

Härkönen, Hertzmann, Lehtinen, Paris, "GANSpace: Discovering Interpretable GAN Controls", NeurIPS 2020,
arXiv:2004.02546. Shen, Zhou, "Closed-Form Factorization of Latent Semantics in GANs", CVPR 2021, arXiv:2007.06600.
Shen, Gu, Tang, Zhou, "Interpreting the Latent Space of GANs for Semantic Face Editing", CVPR 2020, arXiv:1907.10786.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganlib.applications.directions import Direction
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel, Latents

CHUNK = 64
PROBES = 16  # latents by which the layers that read a latent are recognised
RIDGE = 1e-2  # of regression, in units of the latents' variance


class Sample(NamedTuple):
    """Latents of one space with their labels: what directions are found on."""

    latents: Latents
    labels: Tensor | None


def draw(model: GenerativeModel, seeds: Sequence[int], space: str) -> Sample:
    """Latents of these seeds in ``space``, of all classes in turn."""
    labels = torch.arange(len(seeds)) % model.config.num_classes if model.conditional else None
    return Sample(model.map(model.latents(seeds), labels, space), labels)


class Projection(NamedTuple):
    """A layer that takes the latent linearly: ``matrix`` (outputs, D)."""

    name: str
    matrix: Tensor


def deviation(sample: Sample, vector: Tensor) -> Tensor:
    """The deviation of the sample's latents along a unit ``vector``, 1 for a Gaussian."""
    z = sample.latents.z.flatten(1)
    return ((z - z.mean(0)) @ vector.flatten().to(z)).std()


def scaled(sample: Sample, vector: Tensor, method: str, layers: tuple[int, int] | None = None) -> Direction:
    """``vector`` at the length of one deviation of the sample. GanlibError where it has no length."""
    norm = vector.norm()
    if not norm > 0:
        raise GanlibError(f"{method} found no direction: its vector is zero.")
    unit = vector / norm
    unit = unit.reshape(sample.latents.z.shape[1:])
    return Direction((unit * deviation(sample, unit)).float().cpu(), sample.latents.space, method, layers)


def principal_components(sample: Sample, count: int, features: Tensor | None = None) -> list[Direction]:
    """Of the latents themselves, or of (N, F) features of their images, each regressed on the latents (GANSpace).

    In a space where latents are Gaussian all directions are alike: there components need features.
    """
    z = sample.latents.z.flatten(1)
    z = z - z.mean(0)
    if features is None:
        _, _, components = torch.linalg.svd(z, full_matrices=False)
        return [scaled(sample, _signed(vector), f"PCA {i + 1}") for i, vector in enumerate(components[:count])]
    x = features.flatten(1).to(z)
    x = x - x.mean(0)
    count = min(count, *x.shape)
    _, _, components = torch.pca_lowrank(x, q=min(count + 8, *x.shape), center=False, niter=4)
    coordinates = x @ components[:, :count]  # (N, count)
    vectors = _regress(z, coordinates)
    return [scaled(sample, _signed(vector), f"PCA {i + 1}") for i, vector in enumerate(vectors)]


def closed_form(
    sample: Sample, projections: Sequence[Projection], count: int, layers: tuple[int, int] | None = None
) -> list[Direction]:
    """Eigenvectors of Σ AᵀA over the layers' matrices A, largest eigenvalue first (SeFa, equation 5).

    With ``layers``, ``projections`` are those of w+ and the matrices those of these layers alone.
    """
    matrix = torch.cat([p.matrix for p in projections]).double()
    if layers:
        by_layer = matrix.unflatten(1, (-1, sample.latents.z.shape[1]))  # (outputs, layers, D)
        matrix = by_layer[:, slice(*layers)].flatten(0, 1)
    _, vectors = torch.linalg.eigh(matrix.T @ matrix)
    return [
        scaled(sample, _signed(vector), f"SeFa {i + 1}", layers) for i, vector in enumerate(vectors.T.flip(0)[:count])
    ]


def _signed(vector: Tensor) -> Tensor:
    """Of the two signs that an eigenvector may have, that in which its largest coordinate is positive."""
    return vector * vector[vector.abs().argmax()].sign()


def regression(sample: Sample, targets: dict[str, Tensor], *, independent: bool = False) -> list[Direction]:
    """For each target, (N,) values of the sample's images, the direction in which a linear model says that it grows.

    ``independent``: the part of it along which the other targets do not change (InterFaceGAN, section 2.2).
    """
    z = sample.latents.z.flatten(1)
    z = z - z.mean(0)
    values = torch.stack([(t - t.mean()).to(z) for t in targets.values()], dim=1)
    gradients = _gradients(z, values)
    directions = []
    for i, name in enumerate(targets):
        vector = gradients[i]
        if independent and len(targets) > 1:
            basis, _ = torch.linalg.qr(torch.cat([gradients[:i], gradients[i + 1 :]]).T)
            vector = vector - basis @ (basis.T @ vector)
        if vector.norm() > 1e-6 * gradients[i].norm():
            directions.append(scaled(sample, vector, name))
    return directions


def difference(sample: Sample, group: Tensor, method: str) -> Direction:
    """From the mean of the latents outside ``group``, (N,) bool, to that of those in it."""
    if not 0 < int(group.sum()) < len(group):
        raise GanlibError("A difference of means needs latents on both sides; choose some of each.")
    z = sample.latents.z.flatten(1)
    return scaled(sample, z[group].mean(0) - z[~group].mean(0), method)


def _regress(z: Tensor, coordinates: Tensor) -> Tensor:
    """(count, D): u_k = argmin Σ ‖u x_k - z‖², the latents that go with each coordinate (GANSpace, section 2.2)."""
    return (coordinates.T @ z) / coordinates.square().sum(0).clamp_min(1e-12)[:, None]


def _gradients(z: Tensor, values: Tensor) -> Tensor:
    """(T, D): ridge regression of (N, T) values on (N, D) centred latents."""
    n, d = z.shape
    z, values = z.double(), values.double()
    if n >= d:
        gram = z.T @ z
        ridge = RIDGE * gram.diagonal().mean() * torch.eye(d, dtype=z.dtype, device=z.device)
        return torch.linalg.solve(gram + ridge, z.T @ values).T
    gram = z @ z.T  # the same solution by the smaller system
    ridge = RIDGE * z.square().sum() / d * torch.eye(n, dtype=z.dtype, device=z.device)
    return torch.linalg.solve(gram + ridge, values).T @ z


@torch.inference_mode()
def images_of(
    model: GenerativeModel, sample: Sample, measure: Callable[[Tensor], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """``measure`` of the sample's images: name -> (N,)."""
    parts = []
    for part in torch.arange(len(sample.latents)).split(CHUNK):
        labels = None if sample.labels is None else sample.labels[part]
        parts.append({k: v.cpu() for k, v in measure(model.generate(sample.latents[part], labels)).items()})
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


@torch.inference_mode()
def first_activations(model: GenerativeModel, sample: Sample) -> Tensor:
    """(N, F): what enters the first layer that does not read the latent itself, or the images where there is none."""
    readers = {p.name for p in projections(model, sample.latents.space)}
    parts: list[Tensor] = []
    for part in torch.arange(len(sample.latents)).split(CHUNK):
        labels = None if sample.labels is None else sample.labels[part]
        calls: list[Tensor] = []

        def see(name: str, module: nn.Module, x: Tensor, calls: list[Tensor] = calls) -> None:
            if name not in readers and not calls:
                calls.append(x.flatten(1).float().cpu())

        with _inputs_of_linear_layers(model, see):
            images = model.generate(sample.latents[part], labels)
        parts.append(calls[0] if calls else images.flatten(1).float().cpu())
    return torch.cat(parts)


@torch.inference_mode()
def projections(model: GenerativeModel, space: str) -> list[Projection]:
    """The layers whose input is, or contains, the latent of ``space`` itself, in the order of the forward pass.

    They are recognised by their input, so that no architecture has to name them: columns that equal a latent's
    coordinates (at the latent's own length where pixel norm sets it).
    """
    sample = draw(model, range(PROBES), space)
    z = sample.latents.z.flatten(1)
    found: list[Projection] = []

    def inspect(name: str, module: nn.Module, x: Tensor) -> None:
        if not isinstance(x, Tensor) or x.shape[0] != PROBES or x[0].numel() > z.shape[1] + 4096:
            return
        columns = x.flatten(1).float()
        pairs = _matches(columns, z)
        if len(pairs) >= 2:
            found.append(Projection(name, _linear_map(module, x, pairs, z.shape[1])))

    calls: list[tuple[str, nn.Module, Tensor]] = []
    with _inputs_of_linear_layers(model, lambda *call: calls.append(call)):
        model.generate(sample.latents, sample.labels)
    for call in calls:
        inspect(*call)
    return found


def _matches(columns: Tensor, z: Tensor) -> list[tuple[int, int]]:
    """Pairs (column, coordinate) that are equal in every row, up to one factor a row."""

    def directions(rows: Tensor) -> Tensor:
        return rows / rows[:, :1]

    pairs = []
    for column in range(columns.shape[1]):
        equal = (columns[:, column, None] - z).abs().amax(0) < 1e-5
        if equal.any():
            pairs.append((column, int(equal.nonzero()[0])))
    if not pairs and columns.shape == z.shape and torch.allclose(directions(columns), directions(z), rtol=1e-3):
        pairs = [(i, i) for i in range(z.shape[1])]  # normalised
    return pairs


def _linear_map(module: nn.Module, x: Tensor, pairs: list[tuple[int, int]], dimension: int) -> Tensor:
    """(outputs, D): what the layer does to each coordinate, from its outputs for unit inputs."""
    zero = torch.zeros_like(x[:1])
    constant = module(zero).flatten(1)
    matrix = constant.new_zeros(constant.shape[1], dimension)
    for part in torch.arange(len(pairs)).split(CHUNK):
        unit = zero.expand(len(part), *x.shape[1:]).clone()
        for row, i in enumerate(part.tolist()):
            unit.view(len(part), -1)[row, pairs[i][0]] = 1
        outputs = module(unit).flatten(1) - constant
        for row, i in enumerate(part.tolist()):
            matrix[:, pairs[i][1]] += outputs[row]
    return matrix.float()


@contextmanager
def _inputs_of_linear_layers(model: nn.Module, see: Callable[[str, nn.Module, Tensor], None]) -> Iterator[None]:
    """Calls ``see(name, layer, input)`` for each linear layer and convolution, as the model runs."""
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, kinds)]
    handles = [
        module.register_forward_pre_hook(lambda m, args, name=name: see(name, m, args[0])) for name, module in layers
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
