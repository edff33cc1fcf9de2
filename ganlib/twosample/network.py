"""The small network that tells real from synthetic images.

[conv 3x3, 4]-[max-pool]-[conv 3x3, 8]-[max-pool]-[dropout 0.2]-[fc 64]-[fc 1], ReLU; a sigmoid is in the loss, binary
cross-entropy. Adam 1e-4, 10 epochs, batches of 16. The convolutions pad, as the source does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu

from ganlib.devices import on_device
from ganlib.images import from_uint8

SIZES = (224, 128, 64, 32)  # pixels a side at which it is trained, where the images have them
EPOCHS, BATCH, LR, DROPOUT = 10, 16, 1e-4, 0.2
UNITS = 64
CHUNK = 128  # images a forward pass without gradients

Images = NDArray[np.uint8]  # (N, H, W, C)


class SmallNetwork(nn.Module):
    """(N, C, S, S) in [-1, 1] -> (N,) logits, high for real."""

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(DROPOUT)
        self.fc = nn.Linear(8 * (size // 4) ** 2, UNITS)
        self.head = nn.Linear(UNITS, 1)

    def activations(self, x: Tensor) -> dict[str, Tensor]:
        """Of both convolutions (N, 4, S, S), (N, 8, S/2, S/2) and of the fully connected layer (N, 64)."""
        first = relu(self.conv1(x))
        second = relu(self.conv2(self.pool(first)))
        hidden = relu(self.fc(self.dropout(self.pool(second)).flatten(1)))
        return {"conv1": first, "conv2": second, "fc": hidden}

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.activations(x)["fc"]).squeeze(1)


def sizes_for(native: int) -> list[int]:
    """Those of ``SIZES`` that images of this side have; their own where they are smaller than all."""
    return [size for size in SIZES if size <= native] or [native]


def train(
    images: Images,
    is_real: NDArray[np.bool_],
    device: torch.device,
    *,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> SmallNetwork:
    """(N, S, S, C) and (N,) -> the network after 10 epochs, in eval mode. On a CPU the seed decides all."""

    def compute() -> SmallNetwork:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = SmallNetwork(images.shape[1], images.shape[3]).to(device)
            optimizer = torch.optim.Adam(network.parameters(), lr=LR)
            targets = torch.from_numpy(is_real.astype(np.float32)).to(device)
            for done, rows in enumerate(_batches(len(images), seed), 1):
                logits = network(from_uint8(images[rows], device))
                loss = binary_cross_entropy_with_logits(logits, targets[torch.from_numpy(rows).to(device)])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                progress(done * BATCH)
        return network.eval().requires_grad_(False)

    return on_device(device, compute, gradients=True)


def _batches(n: int, seed: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng([seed, 3])
    for _ in range(EPOCHS):
        order = rng.permutation(n)
        yield from (order[start : start + BATCH] for start in range(0, n, BATCH))


def apply(network: SmallNetwork, images: Images, device: torch.device) -> tuple[NDArray[np.float64], Tensor]:
    """(N, S, S, C) -> (N,) logits and the (N, 64) features before the last layer."""

    def compute() -> tuple[Tensor, Tensor]:
        parts = []
        for start in range(0, len(images), CHUNK):
            features = network.activations(from_uint8(images[start : start + CHUNK], device))["fc"]
            parts.append((network.head(features).squeeze(1), features))
        logits, features = (torch.cat(part).float().cpu() for part in zip(*parts, strict=True))
        return logits, features

    logits, features = on_device(device, compute)
    return logits.double().numpy(), features


def activation_maps(network: SmallNetwork, images: Images, device: torch.device) -> dict[str, NDArray[np.float32]]:
    """What each layer shows of these images, by its name, as in ``SmallNetwork.activations``."""
    outputs = on_device(device, lambda: network.activations(from_uint8(images, device)))
    return {name: output.float().cpu().numpy() for name, output in outputs.items()}
