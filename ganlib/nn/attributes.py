"""Classes that are combinations of binary attributes: a class is embedded as the mean of its attributes' embeddings."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot


def attribute_weights(weights: Tensor, attributes: int) -> Tensor:
    """(N, 2^k) class weights -> (N, 2k): the shares of either value of each attribute, over k in all.

    In a linear layer they select one of two rows for each attribute, absent or present, in place of one for each
    class: the mean of these rows also embeds combinations that no training image has. The first attribute is the
    highest bit of a class. Unchanged where ``attributes`` is 0.
    """
    if not attributes:
        return weights
    classes = torch.arange(2**attributes, device=weights.device)
    bits = classes[:, None] >> torch.arange(attributes - 1, -1, -1, device=weights.device) & 1  # (2^k, k)
    table = one_hot(bits, 2).flatten(1).to(weights)
    return (weights[:, :, None] * table).sum(1) / attributes  # no product of matrices, which autocast would round
