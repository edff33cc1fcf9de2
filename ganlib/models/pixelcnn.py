"""PixelCNN++: the exact probability of each pixel given those above and to the left of it, by causal convolutions.

van den Oord, Kalchbrenner, Kavukcuoglu, arXiv:1601.06759; van den Oord et al., "Conditional Image Generation with
PixelCNN Decoders", NeurIPS 2016, arXiv:1606.05328: two streams without a blind spot, gates, classes. Salimans,
Karpathy, Chen, Kingma, "PixelCNN++", ICLR 2017, arXiv:1701.05517: mixtures of logistics, concatenated ELUs.
Ramachandran et al., arXiv:1704.06001: sampling that computes each feature once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, pad
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, MOST_LAYERS, Batch, Latents, Phase
from ganlib.models.options import TEMPERATURE
from ganlib.nn.logistic_mixture import draw, log_likelihood, mixture_of, mixture_width, with_temperature


@dataclass(frozen=True)
class PixelCNNConfig(AttributesConfig):
    class_conditional: bool = option(True, "condition on the class, where the data set has classes")
    width: int = option(40, "channels of both streams", min=1)
    blocks: int = option(5, "gated residual blocks of each stream", min=1, max=MOST_LAYERS)
    components: int = option(5, "logistics of each pixel's mixture", min=1, max=64)
    dropout: float = option(0.0, "fraction of features dropped in each block", min=0.0, max=0.9)
    lr: float = option(1e-3, "Adam's learning rate", min=0.0)

    @classmethod
    def tiny(cls) -> PixelCNNConfig:
        return cls(image_size=16, channels=1, num_classes=3, width=8, blocks=2, components=2)

    @property
    def label_width(self) -> int:
        return super().label_width if self.class_conditional else 0


class CausalConv(nn.Conv2d):
    """Sees the row above and its own: three columns (``rows``), or itself and the one to the left."""

    def __init__(self, cin: int, cout: int, *, rows: bool) -> None:
        super().__init__(cin, cout, (2, 3 if rows else 2))
        self.rows = rows

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad(x, (1, 1 if self.rows else 0, 1, 0)))


Run = Callable[[CausalConv, Tensor], Tensor]  # how a convolution is applied: to all pixels, or to the next ones


def everywhere(conv: CausalConv, x: Tensor) -> Tensor:
    return conv(x)


class Streaming:
    """Applies convolutions to the next row, or the next pixel, and remembers what the ones after it need.

    ``column``: of the next pixel; a row is complete once the last one was given.
    """

    def __init__(self, width: int) -> None:
        self.width, self.column = width, 0
        self._inputs: dict[CausalConv, Tensor] = {}  # the row above and the present one, padded at the left

    def __call__(self, conv: CausalConv, x: Tensor) -> Tensor:
        """(N, C, 1, W) of a row, or (N, C, 1, 1) of a pixel -> the convolution there."""
        kept = self._inputs.get(conv)
        if kept is None:
            kept = self._inputs[conv] = x.new_zeros(x.shape[0], x.shape[1], 2, self.width + 2)
        if conv.rows:
            kept[:, :, 1, 1:-1] = x[:, :, 0]
            out = nn.Conv2d.forward(conv, kept)
            kept[:, :, 0] = kept[:, :, 1]
            return out
        j = self.column
        kept[:, :, 1, j + 1] = x[:, :, 0, 0]
        out = nn.Conv2d.forward(conv, kept[:, :, :, j : j + 2])
        if j == self.width - 1:
            kept[:, :, 0] = kept[:, :, 1]
        return out


def concat_elu(x: Tensor) -> Tensor:
    return elu(torch.cat([x, -x], dim=1))


class GatedBlock(nn.Module):
    def __init__(self, width: int, label_width: int, dropout: float, *, rows: bool) -> None:
        super().__init__()
        self.conv1 = CausalConv(2 * width, width, rows=rows)
        if not rows:
            self.above = nn.Conv2d(2 * width, width, 1)  # from the other stream, of the rows above
        self.dropout = nn.Dropout(dropout)
        self.conv2 = CausalConv(2 * width, 2 * width, rows=rows)
        nn.init.normal_(self.conv2.weight, std=0.1 / (8 * width) ** 0.5)
        if label_width:
            self.label = nn.Linear(label_width, 2 * width, bias=False)

    def forward(self, x: Tensor, y: Tensor | None, above: Tensor | None, run: Run) -> Tensor:
        h = run(self.conv1, concat_elu(x))
        if above is not None:
            h = h + self.above(concat_elu(above))
        h = run(self.conv2, self.dropout(concat_elu(h)))
        if y is not None:
            h = h + self.label(y)[:, :, None, None]
        value, gate = h.chunk(2, dim=1)
        return x + value * gate.sigmoid()


class Network(nn.Module):
    """Two streams: of all rows above a pixel, and with them of what is left of it in its own row."""

    def __init__(self, c: PixelCNNConfig) -> None:
        super().__init__()
        w, cin = c.width, c.channels + 1
        self.first_rows, self.first_pixels = CausalConv(cin, w, rows=True), CausalConv(cin, w, rows=False)
        self.rows = nn.ModuleList(GatedBlock(w, c.label_width, c.dropout, rows=True) for _ in range(c.blocks))
        self.pixels = nn.ModuleList(GatedBlock(w, c.label_width, c.dropout, rows=False) for _ in range(c.blocks))
        self.last = nn.Conv2d(2 * w, mixture_width(c.channels, c.components), 1)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, C, H, W) in [-1, 1], (N, label_width) or None -> (N, mixture_width, H, W)."""
        x = with_ones(x)
        above = self.row_features(pad(x, (0, 0, 1, -1)), y, everywhere)
        return self.parameters_of(pad(x, (1, -1)), y, above, everywhere)

    def row_features(self, x: Tensor, y: Tensor | None, run: Run) -> list[Tensor]:
        """Images one row further down -> features of each block, which know the rows above."""
        h = run(self.first_rows, x)
        features = []
        for block in self.rows:
            h = block(h, y, None, run)
            features.append(h)
        return features

    def parameters_of(self, x: Tensor, y: Tensor | None, above: list[Tensor], run: Run) -> Tensor:
        """Images one column further right, and the rows' features there -> mixtures."""
        h = run(self.first_pixels, x)
        for block, features in zip(self.pixels, above, strict=True):
            h = block(h, y, features, run)
        return self.last(concat_elu(h)).float()


def with_ones(x: Tensor) -> Tensor:
    """A channel of ones, by which the network tells pixels from the border's zeros."""
    return torch.cat([x, torch.ones_like(x[:, :1])], dim=1)


@MODELS.register("pixelcnn")
class PixelCNN(EmbedsAttributes):
    """Its latents are one normal number for each pixel value, of which the distribution function is drawn by."""

    family = "autoregressive"
    display_name = "PixelCNN++"
    colour = 9
    Config = PixelCNNConfig
    config: PixelCNNConfig
    ema_modules = ("net",)
    options = (TEMPERATURE,)
    loss_kind = "bits per dimension"
    differentiable = False

    def __init__(self, config: PixelCNNConfig) -> None:
        super().__init__(config)
        self.net = Network(config)

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        return {"net": Adam(self.net.parameters(), self.config.lr)}

    def phases(self) -> list[Phase]:
        return [Phase("likelihood", "net", self.loss)]

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        return self.bits_per_dim(batch.images, self.labels_if_conditional(batch.labels)).mean(), {}

    def bits_per_dim(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) levels in [-1, 1] -> (N,) bits that each pixel value takes; exact."""
        c = self.config
        mixture = mixture_of(self.net(images, self.embedding_weights(labels)).flatten(2), c.channels, c.components)
        return -log_likelihood(images.flatten(2), mixture).sum(1) / (images[0].numel() * log(2))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.channels, self.config.image_size, self.config.image_size)

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        *_, image = self.trace(latents, labels, **options)
        return image

    def stages(self, **options: Any) -> int:
        return self.config.image_size

    def trace(
        self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0
    ) -> Iterator[Tensor]:
        """The image after each row, grey where nothing is yet."""
        c, y = self.config, self.embedding_weights(labels)
        n, side = len(latents), c.image_size
        t = torch.as_tensor(temperature, dtype=torch.float32, device=self.device).expand(n)
        uniform = torch.special.ndtr(latents.z)
        images, row = torch.zeros_like(latents.z), Streaming(side)
        pixel, above_it = Streaming(side), latents.z.new_zeros(n, c.channels + 1, 1, side)
        for i in range(side):
            above = self.net.row_features(above_it, y, row)
            left = latents.z.new_zeros(n, c.channels + 1, 1, 1)
            for j in range(side):
                pixel.column = j
                out = self.net.parameters_of(left, y, [features[..., j : j + 1] for features in above], pixel)
                mixture = with_temperature(mixture_of(out.flatten(2), c.channels, c.components), t)
                images[:, :, i, j] = draw(mixture, uniform[:, :, i, j : j + 1]).squeeze(2)
                left = with_ones(images[:, :, i : i + 1, j : j + 1])
            above_it = with_ones(images[:, :, i : i + 1])
            yield images.clone()
