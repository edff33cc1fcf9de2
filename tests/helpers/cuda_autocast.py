"""Autocast of CUDA on the CPU, whose own leaves more operations in bfloat16."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

# https://docs.pytorch.org/docs/stable/amp.html, "CUDA ops that autocast to float32"; of each the ways to call it.
NAMES = (
    "acos",
    "asin",
    "binary_cross_entropy_with_logits",
    "cdist",
    "cosh",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "cumprod",
    "cumsum",
    "dist",
    "erfinv",
    "exp",
    "expm1",
    "group_norm",
    "hinge_embedding_loss",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "margin_ranking_loss",
    "mse_loss",
    "norm",
    "pdist",
    "poisson_nll_loss",
    "pow",
    "prod",
    "reciprocal",
    "renorm",
    "rsqrt",
    "sinh",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "sum",
    "tan",
)
FLOAT32 = {
    getattr(module, name) for name in NAMES for module in (torch, Tensor, functional) if hasattr(module, name)
} | {Tensor.__pow__, Tensor.__rpow__}


class CudaAutocast(TorchFunctionMode):
    """Within ``torch.autocast("cpu", torch.bfloat16)`` those operations compute and return float32."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in FLOAT32 and torch.is_autocast_enabled("cpu"):
            args, kwargs = tree_map(_float, (args, kwargs or {}))
        return func(*args, **(kwargs or {}))


def _float(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.dtype == torch.bfloat16 else value
