"""Training techniques, each enabled by a config field and off by default.

Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques for Training GANs", NeurIPS 2016,
arXiv:1606.03498: feature matching, minibatch discrimination, historical averaging, one-sided label smoothing,
virtual batch norm. Karras et al., arXiv:1710.10196: minibatch standard deviation. Miyato et al.,
arXiv:1802.05957: spectral norm. Salimans, Kingma, arXiv:1602.07868: weight norm. Goodfellow et al.,
arXiv:1406.2661: several steps of D. Heusel et al., arXiv:1706.08500: two learning rates. Smith,
arXiv:1506.01186: cyclic learning rate. Zhao et al., arXiv:2006.10738: DiffAugment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.optim import Adam, Optimizer

from ganlib.augment import Policy
from ganlib.config import Config, option
from ganlib.errors import GanlibError
from ganlib.losses import feature_matching
from ganlib.models.contract import GenerativeModel
from ganlib.models.optimizers import CyclicRate, average_history, cycle_rate
from ganlib.nn.minibatch import MinibatchDiscrimination, MinibatchStddev


@dataclass(frozen=True)
class Techniques(CyclicRate):
    """Config fields for architectures that train G and D alternately."""

    feature_matching: float = option(0.0, "weight of feature matching in G's loss", min=0.0, max=1.0)
    minibatch_kernels: int = option(0, "kernels of minibatch discrimination in D, 0 = off", min=0)
    minibatch_dims: int = option(5, "dimensions of each kernel of minibatch discrimination", min=1)
    minibatch_stddev: bool = option(False, "minibatch standard deviation in D")
    virtual_batch_norm: int = option(0, "reference latents of virtual batch norm in G, 0 = batch norm", min=0)
    weight_norm: bool = option(False, "weight norm in D")
    historical_averaging: float = option(0.0, "penalty on the squared distance from the mean of past weights", min=0.0)
    d_weight_decay: float = option(0.0, "weight decay of D (L2)", min=0.0)
    d_steps: int = option(1, "steps of D to one of G", min=1)
    diffaugment: tuple[Policy, ...] = option((), "what DiffAugment alters at random in all images that D sees")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.virtual_batch_norm == 1:
            raise GanlibError(
                "A virtual-batch reference of one image says nothing; virtual_batch_norm takes 2 or more."
            )

    @property
    def uses_batch_statistics(self) -> bool:
        """Whether D's logit of an image depends on the other images of the batch, apart from batch norm."""
        return self.minibatch_kernels > 0 or self.minibatch_stddev


@dataclass(frozen=True)
class LabelSmoothing(Config):
    """For losses with a target for D; the hinge loss has none."""

    label_smoothing: tuple[float, ...] = option(
        (1.0,), "D's target for real images; of two, each image's is drawn between them", min=0.5, max=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        targets = self.label_smoothing
        if len(targets) not in (1, 2) or targets[0] > targets[-1]:
            raise GanlibError(f"label_smoothing takes one target, or a lower and an upper one, not {targets}.")


@dataclass(frozen=True)
class DCGANTechniques(Techniques, LabelSmoothing):
    """And what applies only to a D with a target in its loss and without weight normalisation of its own."""

    spectral_norm: bool = option(False, "spectral norm in D")
    # Batch norm divides out every scale: beside it the weights' norm counts in D's first and last layer alone.
    d_batch_norm: bool = option(True, "batch norm in D")
    lr_d: float = option(0.0, "learning rate of D, 0 = the same as G's", min=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spectral_norm and self.weight_norm:
            raise GanlibError(
                "spectral_norm and weight_norm each set the scale of the same weights; switch one of them off."
            )


def real_targets(c: LabelSmoothing, real: Tensor) -> Tensor | float:
    """D's target for real images, a probability; one per image where it is drawn from an interval."""
    low, high = c.label_smoothing[0], c.label_smoothing[-1]
    return low if low == high else torch.empty_like(real).uniform_(low, high)


def normalize_weights(net: nn.Module, c: DCGANTechniques) -> None:
    for layer in [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]:
        if c.spectral_norm:
            spectral_norm(layer)
        elif c.weight_norm:
            weight_norm(layer)


def batch_statistics(c: Techniques, in_features: int) -> list[MinibatchDiscrimination | MinibatchStddev]:
    """Layers of batch statistics to concatenate to D's ``in_features`` features per image."""
    statistics: list[MinibatchDiscrimination | MinibatchStddev] = []
    if c.minibatch_kernels:
        statistics.append(MinibatchDiscrimination(in_features, c.minibatch_kernels, c.minibatch_dims))
    if c.minibatch_stddev:
        statistics.append(MinibatchStddev())
    return statistics


def reference_latents(model: GenerativeModel, n: int) -> tuple[Tensor, Tensor | None]:
    """Latents of the first n seeds and, for a conditional model, embedding weights that cycle through the classes."""
    labels = torch.arange(n) % model.config.num_classes if model.conditional else None
    return model.latents(range(n)).z, model.embedding_weights(labels)


def add_feature_matching(
    c: Techniques, loss: Tensor, fake: Tensor, real: Callable[[], Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """G's loss interpolated with feature matching; ``real()``, a pass through D, is called only if needed."""
    if not c.feature_matching:
        return loss, {}
    matching = feature_matching(real().detach(), fake)
    return loss.lerp(matching, c.feature_matching), {"G/feature_matching": matching}


def adam(net: nn.Module, c: Techniques, lr: float, betas: tuple[float, float], weight_decay: float = 0.0) -> Optimizer:
    """Adam over a network's parameters, with the config's techniques."""
    optimizer = Adam(net.parameters(), lr, betas, weight_decay=weight_decay)
    if c.historical_averaging:
        average_history(optimizer, c.historical_averaging)
    if c.cycle_steps:
        cycle_rate(optimizer, c.cycle_peak, c.cycle_steps)
    return optimizer
