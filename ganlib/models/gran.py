"""GRAN: a recurrent generator that adds to a canvas.

Im, Kim, Jiang, Memisevic, "Generating images with recurrent adversarial networks", 2016, arXiv:1602.05110.
At each of T steps the decoder f adds an update to the canvas, from fresh noise and from the encoder g's
features of the last update; the image is the tanh of the sum of all updates. Trained through all steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganlib.config import option
from ganlib.losses import nonsaturating_d, nonsaturating_g
from ganlib.models.contract import MODELS, Batch, GenerativeModel, Latents, Phase
from ganlib.models.dcgan import Discriminator, NetworkConfig, dcgan_init, downsampling, upsampling, widths
from ganlib.models.options import TEMPERATURE, per_image
from ganlib.nn.minibatch import JoinStatistics, MinibatchStddev


@dataclass(frozen=True)
class GRANConfig(NetworkConfig):
    steps: int = option(3, "updates of the canvas, T", min=1, max=16)
    z_dim: int = option(60, "latent dimension of each step", min=1)
    width: int = option(48, "channels at the highest resolution, doubled at each lower one", min=1)
    hidden: int = option(100, "features of the last update", min=1)
    noise_layer: bool = option(False, "noise enters through tanh(W z), as in the paper")
    minibatch_stddev: bool = option(False, "show D the standard deviation over the batch, against collapse")

    @classmethod
    def tiny(cls) -> GRANConfig:
        return cls(image_size=16, channels=1, num_classes=3, z_dim=4, width=4, hidden=8)


class StepNorm(nn.Module):
    """Batch norm with statistics of each step's own, for later changes are not distributed like the first.

    Cooijmans et al., "Recurrent Batch Normalization", ICLR 2017, arXiv:1603.09025
    """

    def __init__(self, norm: nn.BatchNorm2d, steps: int) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        self.norms = nn.ModuleList(nn.BatchNorm2d(norm.num_features, affine=False) for _ in range(steps))

    def forward(self, x: Tensor, step: int) -> Tensor:
        x = self.norms[step](x)
        return torch.addcmul(self.bias[:, None, None].to(x.dtype), x, self.weight[:, None, None].to(x.dtype))


class StepwiseSequential(nn.Module):
    """Layers in order, used once a step."""

    def __init__(self, layers: list[nn.Module], steps: int) -> None:
        super().__init__()
        nn.Sequential(*layers).apply(dcgan_init)
        self.layers = nn.ModuleList(StepNorm(m, steps) if isinstance(m, nn.BatchNorm2d) else m for m in layers)

    def forward(self, x: Tensor, step: int) -> Tensor:
        for layer in self.layers:
            x = layer(x, step) if isinstance(layer, StepNorm) else layer(x)
        return x


class Generator(nn.Module):
    """Noise enters f as it is unless asked: tanh(W z) saturates on CIFAR-10 until many seeds are one picture."""

    def __init__(self, c: GRANConfig) -> None:
        super().__init__()
        self.f = StepwiseSequential(upsampling(c, c.z_dim + c.hidden), c.steps)
        if c.steps > 1:
            to_hidden = nn.Conv2d(widths(c)[-1], c.hidden, 4)
            self.g = StepwiseSequential([*downsampling(c, c.channels), to_hidden, nn.Tanh()], c.steps - 1)
        self.noise = nn.Sequential(nn.Linear(c.z_dim, c.z_dim), nn.Tanh()) if c.noise_layer else nn.Identity()
        self.hidden = c.hidden

    def canvas_updates(self, z: Tensor) -> Iterator[Tensor]:
        """(N, T, z_dim) -> T updates ΔC_t of the canvas, (N, C, H, W) each, unbounded."""
        z = self.noise(z)
        hidden = z.new_zeros(len(z), self.hidden)  # before the first update
        for step in range(z.shape[1]):
            h = torch.cat([z[:, step], hidden], dim=1)
            update = self.f(h[:, :, None, None], step)
            yield update.float()
            if step + 1 < z.shape[1]:
                hidden = self.g(update, step).flatten(1)


@MODELS.register("gran")
class GRAN(GenerativeModel):
    family = "GAN"
    display_name = "GRAN"
    colour = 3
    Config = GRANConfig
    config: GRANConfig
    ema_modules = ("G",)
    options = (TEMPERATURE,)
    loss_kind = "non-saturating"

    def __init__(self, config: GRANConfig) -> None:
        super().__init__(config)
        statistics = [MinibatchStddev()] if config.minibatch_stddev else []
        self.G = Generator(config)
        self.D = Discriminator(config, config.channels, join=JoinStatistics(statistics))

    @property
    def conditional(self) -> bool:
        return False

    def optimizers(self) -> dict[str, Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {name: Adam(net.parameters(), self.config.lr, betas) for name, net in [("D", self.D), ("G", self.G)]}

    def phases(self) -> list[Phase]:
        return [Phase("D", "D", self.loss_d), Phase("G", "G", self.loss_g)]

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        fakes = self.generate(self.random_latents(len(batch.images)))
        real, fake = self.score(batch.images), self.score(fakes)
        return nonsaturating_d(real, fake), {"D/real": real.mean(), "D/fake": fake.mean()}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        return nonsaturating_g(self.score(self.generate(self.random_latents(len(batch.images))))), {}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.steps, self.config.z_dim)

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        *_, image = self.trace(latents, labels, temperature=temperature)
        return image

    def trace(
        self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0
    ) -> Iterator[Tensor]:
        """The canvas after each step, squashed into [-1, 1]."""
        self.refuse_labels(labels)
        for canvas in accumulate(self.G.canvas_updates(latents.z * per_image(temperature, latents.z)), torch.add):
            yield canvas.tanh()

    def stages(self, **options: float | Tensor) -> int:
        return self.config.steps

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N,) logits, high for real."""
        return self.D(images)
