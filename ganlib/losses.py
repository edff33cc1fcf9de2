"""Adversarial losses on raw logits, (N,) -> scalar. ``_d`` is the discriminator's half, ``_g`` the generator's."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu, softplus


def nonsaturating_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[-log D(x)] + E[-log(1 - D(G(z)))]. Goodfellow et al., arXiv:1406.2661."""
    return softplus(-real).mean() + softplus(fake).mean()


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
