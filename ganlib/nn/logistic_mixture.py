"""Mixtures of logistics, discretised to the 256 levels of a pixel value.

Salimans, Karpathy, Chen, Kingma, "PixelCNN++", ICLR 2017, arXiv:1701.05517, sections 2.1 and 2.2: all channels of a
pixel share one mixture component; a channel's mean depends on the channels before it, linearly.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid, softplus

LEVELS = 256
HALF = 1 / (LEVELS - 1)  # of the distance between two levels, in [-1, 1]
LEAST_LOG_SCALE = -7.0


class Mixture(NamedTuple):
    """Of K logistics for each of P pixels of C channels."""

    log_weights: Tensor  # (N, K, P)
    means: Tensor  # (N, K, C, P)
    log_scales: Tensor  # (N, K, C, P)
    slopes: Tensor  # (N, K, C, C, P): of the mean of a channel (first) on one before it (second); 0 on the others


def mixture_width(channels: int, components: int) -> int:
    """Values that the mixture of a pixel takes."""
    return components * (1 + 2 * channels + channels * (channels - 1) // 2)


def mixture_of(parameters: Tensor, channels: int, components: int) -> Mixture:
    """(N, mixture_width, P) values of a network -> the mixture."""
    p = parameters.float().unflatten(1, (components, -1))
    slopes = p.new_zeros(p.shape[0], components, channels, channels, p.shape[3])
    rows, columns = torch.tril_indices(channels, channels, -1, device=p.device)
    slopes[:, :, rows, columns] = p[:, :, 1 + 2 * channels :].tanh()
    return Mixture(
        log_softmax(p[:, :, 0], dim=1),
        p[:, :, 1 : 1 + channels],
        p[:, :, 1 + channels : 1 + 2 * channels].clamp(min=LEAST_LOG_SCALE),
        slopes,
    )


def with_temperature(mixture: Mixture, temperature: Tensor) -> Mixture:
    """Scales times, and logarithms of weights over, (N,) temperatures."""
    t = temperature.clamp(min=1e-3).reshape(-1, 1, 1)
    return mixture._replace(
        log_weights=log_softmax(mixture.log_weights / t, dim=1), log_scales=mixture.log_scales + t.log()[:, None]
    )


def log_probability(values: Tensor, means: Tensor, log_scales: Tensor) -> Tensor:
    """Of levels at ``values`` in [-1, 1] under one logistic, all of one shape; the first and last have the tails."""
    inverse = (-log_scales).exp()
    upper, lower = (values - means + HALF) * inverse, (values - means - HALF) * inverse
    # log(σ(b) - σ(a)) = b + log(1 - exp(a - b)) - softplus(a) - softplus(b), without cancellation
    width = upper - lower
    inside = upper + (-torch.expm1(-width)).clamp(min=1e-12).log() - softplus(upper) - softplus(lower)
    edge = 1 - HALF
    return torch.where(values < -edge, logsigmoid(upper), torch.where(values > edge, logsigmoid(-lower), inside))


def log_likelihood(images: Tensor, mixture: Mixture) -> Tensor:
    """(N, C, P) levels in [-1, 1] -> (N, P) nats."""
    x = images[:, None]  # (N, 1, C, P)
    means = mixture.means + (mixture.slopes * x[:, :, None]).sum(3)
    each = log_probability(x.expand_as(means), means, mixture.log_scales).sum(2)
    return torch.logsumexp(mixture.log_weights + each, dim=1)


def draw(mixture: Mixture, uniform: Tensor) -> Tensor:
    """(N, C, P) numbers in [0, 1] -> levels in [-1, 1] of that shape: channel by channel, each by its inverse
    distribution function given the channels before it."""
    levels = torch.linspace(-1, 1, LEVELS, device=uniform.device)
    log_weights, drawn = mixture.log_weights, torch.zeros_like(uniform)
    for channel in range(uniform.shape[1]):
        means = mixture.means[:, :, channel] + (mixture.slopes[:, :, channel] * drawn[:, None]).sum(2)  # (N, K, P)
        scales = mixture.log_scales[:, :, channel]
        shape = (*means.shape, LEVELS)
        each = log_probability(levels.expand(shape), means[..., None].expand(shape), scales[..., None].expand(shape))
        probabilities = (log_weights.softmax(1)[..., None] * each.exp()).sum(1)
        cumulative = probabilities.cumsum(2)
        below = (cumulative < uniform[:, channel, :, None] * cumulative[..., -1:]).sum(2).clamp(max=LEVELS - 1)
        drawn[:, channel] = levels[below]
        chosen = below[:, None, :, None].expand(*means.shape, 1)
        log_weights = log_weights + each.gather(3, chosen).squeeze(3)  # what this channel says of the component
    return drawn
