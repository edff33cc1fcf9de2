"""How directions are found: principal components, closed-form factorisation, regression, differences of means.

Härkönen, Hertzmann, Lehtinen, Paris, "GANSpace: Discovering Interpretable GAN Controls", NeurIPS 2020,
arXiv:2004.02546. Shen, Zhou, "Closed-Form Factorization of Latent Semantics in GANs", CVPR 2021, arXiv:2007.06600.
Shen, Gu, Tang, Zhou, "Interpreting the Latent Space of GANs for Semantic Face Editing", CVPR 2020, arXiv:1907.10786.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ganlib.applications.directions import Direction
from ganlib.applications.projections import CHUNK, Projection, Sample, inputs_of_linear_layers, projections
from ganlib.errors import GanlibError
from ganlib.models import GenerativeModel

RIDGE = 1e-2  # of regression, in units of the latents' variance


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
    coordinates = _leading_coordinates(x - x.mean(0), min(count, *x.shape))
    vectors = _regress(z, coordinates)
    return [scaled(sample, _signed(vector), f"PCA {i + 1}") for i, vector in enumerate(vectors)]


def _leading_coordinates(x: Tensor, count: int) -> Tensor:
    """(N, F) centred -> (N, count) along the first principal components, by the smaller of the two covariances."""
    n, f = x.shape
    if f <= n:
        _, vectors = torch.linalg.eigh(x.T @ x)
        return x @ vectors[:, -count:].flip(1)
    values, vectors = torch.linalg.eigh(x @ x.T)
    return vectors[:, -count:].flip(1) * values[-count:].flip(0).clamp_min(0).sqrt()


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
    z = sample.latents.z
    return difference_of(sample, z[group], z[~group], method)


def difference_of(sample: Sample, more: Tensor, less: Tensor, method: str) -> Direction:
    """From the mean of the latents ``less`` to that of ``more``, (N, D…) each, in the deviations of ``sample``."""
    if not (len(more) and len(less)):
        raise GanlibError("A difference of means needs latents on both sides; choose some of each.")
    return scaled(sample, more.flatten(1).mean(0) - less.flatten(1).mean(0), method)


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

        def see(name: str, module: nn.Module, x: Tensor) -> None:
            if name not in readers:
                raise _Reached(x)  # the rest of the network would only cost time

        try:
            with inputs_of_linear_layers(model, see):
                features = model.generate(sample.latents[part], labels)
        except _Reached as reached:
            features = reached.features
        parts.append(features.flatten(1).float().cpu())
    return torch.cat(parts)


class _Reached(Exception):
    """Ends a forward pass at the features that are wanted of it."""

    def __init__(self, features: Tensor) -> None:
        self.features = features
