"""Adversarial losses on raw logits, (N,) -> scalar, and what is added to them.

``_d`` is the discriminator's half, ``_g`` the generator's.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus


def nonsaturating_d(real: Tensor, fake: Tensor, target: Tensor | float = 1.0) -> Tensor:
    """E[-t log D(x) - (1 - t) log(1 - D(x))] + E[-log(1 - D(G(z)))]. Goodfellow et al., arXiv:1406.2661.

    A target t below 1 is one-sided label smoothing. Salimans et al., arXiv:1606.03498, section 3.4.
    """
    return (softplus(-real) + (1 - target) * real).mean() + softplus(fake).mean()


def nonsaturating_g(fake: Tensor) -> Tensor:
    """E[-log D(G(z))]. Goodfellow et al., arXiv:1406.2661, section 3."""
    return softplus(-fake).mean()


def minimax_g(fake: Tensor) -> Tensor:
    """E[log(1 - D(G(z)))], flat where D is sure of itself. Goodfellow et al., arXiv:1406.2661, equation 1."""
    return -softplus(fake).mean()


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]. Lim & Ye, arXiv:1705.02894."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def hinge_g(fake: Tensor) -> Tensor:
    """-E[D(G(z))]. Lim & Ye, arXiv:1705.02894."""
    return -fake.mean()


def wasserstein_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[D(G(z))] - E[D(x)], the negative of the distance's estimate. Arjovsky et al., arXiv:1701.07875."""
    return fake.mean() - real.mean()


def wasserstein_g(fake: Tensor) -> Tensor:
    """-E[D(G(z))]. Arjovsky et al., arXiv:1701.07875."""
    return -fake.mean()


def least_squares_d(real: Tensor, fake: Tensor, target: Tensor | float = 1.0) -> Tensor:
    """(E[(D(x) - b)²] + E[D(G(z))²]) / 2. Mao et al., arXiv:1611.04076, equation 9: a = 0, b = target, c = 1."""
    return 0.5 * ((real - target).square().mean() + fake.square().mean())


def least_squares_g(fake: Tensor) -> Tensor:
    """E[(D(G(z)) - 1)²] / 2. Mao et al., arXiv:1611.04076, equation 9."""
    return 0.5 * (fake - 1).square().mean()


def relativistic_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[softplus(-(D(x) - D(G(z))))] over pairs: D tells which of the two is real.

    Jolicoeur-Martineau, arXiv:1807.00734; Huang et al., arXiv:2501.05441, equation 2.
    """
    return softplus(fake - real).mean()


def relativistic_g(real: Tensor, fake: Tensor) -> Tensor:
    """E[softplus(-(D(G(z)) - D(x)))] over the same pairs. Huang et al., arXiv:2501.05441, equation 2."""
    return softplus(real - fake).mean()


def feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """||E[f(x)] - E[f(G(z))]||² of features (N, …). Salimans et al., arXiv:1606.03498, section 3.1."""
    return (real.float().mean(0) - fake.float().mean(0)).square().sum()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """E[(‖∇D(x̂)‖ - 1)²] at points x̂ drawn evenly from the lines between pairs of images, (N, …) -> scalar.

    Gulrajani et al., arXiv:1704.00028, algorithm 1.
    """
    t = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    between = torch.lerp(real, fake, t).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def r1(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """E[‖∇D(x)‖²] at real images, (N, …) -> scalar. Mescheder, Geiger, Nowozin, arXiv:1801.04406, equation 9."""
    x = real.detach().requires_grad_()
    return squared_gradient(critic(x), x)


def squared_gradient(logits: Tensor, images: Tensor) -> Tensor:
    """E[‖∇D(x)‖²] of logits (N,) that were computed from images (N, …): R1 of real ones, R2 of generated ones."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


def path_lengths(images: Tensor, styles: Tensor) -> Tensor:
    """‖Jᵀy‖ of images (N, C, H, W) made from styles (N, L, W), y ~ N(0, 1) / √(H W): (N,), over layers the RMS.

    Karras et al., arXiv:1912.04958, equation 4.
    """
    y = torch.randn_like(images) / (images.shape[2] * images.shape[3]) ** 0.5
    (gradient,) = torch.autograd.grad((images * y).sum(), styles, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()
